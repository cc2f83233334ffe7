-- As golang-migrate and xorm make them (chat servers, forges): enum types, expression indexes over text
-- search, generated columns, ICU collations, partitions by range and hash, rules, policies.
create collation if not exists natural_order (provider = icu, locale = 'und-u-kn-true');
create type channel_type as enum ('O', 'P', 'D', 'G');
create table channels (id varchar(26) primary key, type channel_type, name varchar(64) collate natural_order, creatorid varchar(26),
  createat bigint, deleteat bigint default 0, totalmsgcount bigint check (totalmsgcount >= 0), props jsonb default '{}'::jsonb,
  schemeid varchar(26), unique (name, schemeid));
create index idx_channel_txt on channels using gin (to_tsvector('english'::regconfig, name::text || ' '::text || coalesce(creatorid, '')));
create index idx_channel_dead on channels (deleteat) where deleteat <> 0 and type in ('O', 'P');
create table posts (id varchar(26) not null, channelid varchar(26) not null, message varchar(65535), createat bigint not null,
  day integer generated always as ((createat / 86400000)::integer) stored, ispinned boolean default false,
  primary key (id, createat)) partition by range (createat);
create table posts_old partition of posts for values from (minvalue) to (1600000000000);
create table posts_new partition of posts for values from (1600000000000) to (maxvalue) partition by hash (id);
create table posts_new_0 partition of posts_new for values with (modulus 2, remainder 0);
create table posts_new_1 partition of posts_new for values with (modulus 2, remainder 1);
create index idx_posts_message_txt on posts using gin (to_tsvector('english', message));
create table repository (id bigserial primary key, owner_id bigint, lower_name varchar(255) not null, name varchar(255) not null,
  status integer default 0 not null, is_private boolean, topics json, size bigint default 0 not null,
  constraint lower_is_lower check (lower_name = lower(name) or status in (1, 2)));
create unique index "UQE_repository_s" on repository (owner_id, lower_name);
create statistics repository_together (dependencies) on owner_id, status from repository;
alter table repository enable row level security;
create policy mine on repository for select using (not is_private or owner_id in (1, 2, 3) and status between 0 and 9);
create view visible as select r.id, r.name, case r.status when 0 then 'ready' when 1 then 'busy' else 'broken' end as state
  from repository r where not coalesce(r.is_private, false) and r.lower_name similar to '(a|n)%';
create rule no_delete as on delete to channels where old.type in ('D', 'G') do instead nothing;
