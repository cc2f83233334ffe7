-- The database itself; last, because it takes rights away.
alter database :"db" owner to :"own"; alter database :"db" connection limit 41; comment on database :"db" is 'it''s "the" database
; drop';
revoke connect, temporary on database :"db" from public; grant connect on database :"db" to :"app" with grant option; grant create on database :"db" to :"odd"; revoke temporary on database :"db" from :"own";
alter database :"db" set search_path = "Odd ""; drop", '$user', public; alter database :"db" set work_mem = '7MB'; alter database :"db" set datestyle = 'SQL, DMY'; alter database :"db" set timezone = 'Asia/Kathmandu'; alter database :"db" set "my.own" = 'it''s; --'; alter database :"db" set statement_timeout = '1h'; alter database :"db" set extra_float_digits = 0; alter database :"db" set intervalstyle = 'iso_8601'; alter database :"db" set bytea_output = 'escape'; alter database :"db" set default_transaction_read_only = off; alter database :"db" set session_preload_libraries = pg_trgm, hstore; alter database :"db" set plpgsql.extra_warnings = 'none'; alter database :"db" set quote_all_identifiers = on; alter database :"db" set check_function_bodies = on; alter database :"db" set row_security = off; alter database :"db" set xmloption = document;
alter role :"app" in database :"db" set search_path = rights, "a b"; alter role :"app" in database :"db" set role = 'none'; alter role :"odd" in database :"db" set log_statement = 'all';
\if :until18
alter database :"db" set standard_conforming_strings = off;
\endif
