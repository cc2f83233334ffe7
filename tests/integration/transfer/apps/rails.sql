-- As Rails' migrations make them: bigserial keys, timestamps(6), check_constraint, virtual columns
-- stored, partial and expression indexes, gin with operator classes, add_foreign_key, enum types.
create extension if not exists pg_trgm;
create type post_state as enum ('draft', 'published', 'archived');
create table schema_migrations (version character varying not null primary key);
create table ar_internal_metadata (key character varying not null primary key, value character varying,
  created_at timestamp(6) without time zone not null, updated_at timestamp(6) without time zone not null);
create table accounts (id bigserial primary key, username character varying default '' not null, domain character varying,
  role character varying(20) default 'user' not null, locale character varying, settings jsonb default '{}' not null,
  created_at timestamp(6) without time zone not null, updated_at timestamp(6) without time zone not null,
  constraint role_known check (role in ('user', 'moderator', 'admin')), constraint username_length check (char_length(username) between 0 and 300));
create unique index index_accounts_on_username_and_domain_lower on accounts (lower(username::text), coalesce(lower(domain::text), ''));
create index search_index on accounts using gin ((setweight(to_tsvector('simple', coalesce(username, '')), 'A') || setweight(to_tsvector('simple', coalesce(domain, '')), 'C')));
create index index_accounts_on_settings on accounts using gin (settings jsonb_path_ops);
create table posts (id bigserial primary key, account_id bigint not null, state post_state default 'draft' not null,
  title character varying(255) not null, body text, words integer generated always as (char_length(title) + char_length(coalesce(body, ''))) stored,
  kind character varying(10) check (kind in ('note', 'page', 'poll')), tags character varying[] default '{}' not null,
  published_on date, deleted_at timestamp(6) without time zone, created_at timestamp(6) without time zone not null default current_timestamp);
alter table posts add constraint fk_rails_1 foreign key (account_id) references accounts (id) on delete cascade;
create index index_posts_on_account_id on posts (account_id) where deleted_at is null and state = 'published';
create index index_posts_on_tags on posts using gin (tags);
create index index_posts_on_title on posts using gin (title gin_trgm_ops);
create index index_posts_on_day on posts ((published_on - date '2000-01-01'), id desc nulls last);
create materialized view post_stats as select account_id, count(*) filter (where state = 'published') as published,
  max(published_on) as last_on from posts where kind in ('note', 'page') or kind is null group by account_id;
create unique index index_post_stats on post_stats (account_id);
