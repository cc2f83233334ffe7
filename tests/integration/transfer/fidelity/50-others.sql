-- Collations, text search, foreign data, event triggers, publications, extensions, languages.
create schema oth;
create collation oth.de (provider = icu, locale = 'de-u-co-phonebk'); create collation oth.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); create collation oth.c from "C"; create collation oth.libc (lc_collate = 'C', lc_ctype = 'C.UTF-8');
create table oth.coll (a text collate oth.de, b text collate oth.ci unique, c text collate oth.c); insert into oth.coll values ('Ä', 'x', 'y'), ('A', 'Z', null);
create index on oth.coll (a collate oth.ci);
create default conversion oth.conv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8; create text search dictionary oth.dict (template = simple, stopwords = 'english', accept = false); create text search dictionary oth.snow (template = snowball, language = german);
create text search configuration oth.conf (parser = default); alter text search configuration oth.conf add mapping for asciiword, word with oth.dict, oth.snow, pg_catalog.simple; create text search parser oth.parser (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype, headline = prsd_headline); create text search template oth.tmpl (init = dsimple_init, lexize = dsimple_lexize);
create index on types.texts using gin (to_tsvector('oth.conf', t));
create foreign data wrapper oth_dummy options (a 'it''s', "B" '2'); create server oth_srv type 't' version '1' foreign data wrapper oth_dummy options (host 'h'); create user mapping for public server oth_srv options ("user" 'u'); create foreign table oth.ft (a int options (col 'x') not null, b text default 'd') server oth_srv options (f 'y; --'); alter foreign table oth.ft add constraint ftc check (a > 0);
create extension file_fdw schema oth; create extension pg_trgm schema oth; create extension hstore; create extension postgres_fdw;
create server files foreign data wrapper file_fdw; create foreign table oth.passwd (l text) server files options (filename '/etc/hostname', format 'text', null 'NIL');
create server far foreign data wrapper postgres_fdw options (host '127.0.0.1', port '1', dbname 'none', fetch_size '7'); create foreign table oth.far (a int options (column_name 'b')) server far options (schema_name 's', table_name 't');
create table oth.trgm (t text, h public.hstore); insert into oth.trgm values ('hello', 'a=>1,b=>NULL'); create index on oth.trgm using gin (t oth.gin_trgm_ops); create index on oth.trgm using gist (h);
create function oth.evt() returns event_trigger language plpgsql as $$begin null; end$$; create event trigger :"evt" on ddl_command_end when tag in ('CREATE TABLE', 'DROP TABLE') execute function oth.evt(); create event trigger :"evt2" on sql_drop execute function oth.evt(); alter event trigger :"evt2" disable;
create publication pub_all for all tables with (publish = 'insert, delete');
\if :since13
create publication pub_some for table tab.parent, only tab.inh2, part.list with (publish_via_partition_root = true);
\else
create publication pub_some for table tab.parent, only tab.inh2;
\endif
create publication pub_empty;
create function oth.pl_call() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler'; create function oth.pl_inline(internal) returns void language c strict as '$libdir/plpgsql', 'plpgsql_inline_handler'; create function oth.pl_check(oid) returns void language c strict as '$libdir/plpgsql', 'plpgsql_validator';
create trusted language "odd lang" handler oth.pl_call inline oth.pl_inline validator oth.pl_check; create function oth.odd() returns int language "odd lang" as $$begin return 1; end$$;
create access method oth_am type table handler heap_tableam_handler; create table oth.am (a int primary key) using oth_am; insert into oth.am values (1);
comment on access method oth_am is 'am'; comment on collation oth.de is 'collation'; comment on conversion oth.conv is 'conversion'; comment on text search dictionary oth.dict is 'dict'; comment on text search configuration oth.conf is 'conf'; comment on text search parser oth.parser is 'parser'; comment on text search template oth.tmpl is 'template';
comment on foreign data wrapper oth_dummy is 'fdw'; comment on server oth_srv is 'server'; comment on foreign table oth.ft is 'ft'; comment on event trigger :"evt" is 'event trigger'; comment on publication pub_all is 'pub'; comment on language "odd lang" is 'language'; comment on schema oth is 'schema'; comment on extension hstore is 'extension, changed';
