-- As Hibernate and Flyway make them: varchar(255) with IN lists, sequences by 50, @Lob as oid, tables
-- with mixed case, composite keys, checks on enums by ordinal, functional unique keys.
create sequence hibernate_sequence start 1 increment 50;
create table flyway_schema_history (installed_rank integer primary key, version varchar(50), description varchar(200) not null,
  type varchar(20) not null, script varchar(1000) not null, checksum integer, installed_by varchar(100) not null,
  installed_on timestamp not null default now(), execution_time integer not null, success boolean not null);
create index flyway_schema_history_s_idx on flyway_schema_history (success);
create table "REALM" (id varchar(36) not null primary key, name varchar(255) constraint uk_realm unique, enabled boolean default false not null,
  ssl_required varchar(255) check (ssl_required in ('ALL', 'EXTERNAL', 'NONE')), access_code_lifespan integer, policy smallint check (policy between 0 and 3));
create table "USER_ENTITY" (id varchar(36) not null, "REALM_ID" varchar(255) not null, email varchar(255), username varchar(255),
  status varchar(255) not null check (status in ('ACTIVE', 'LOCKED', 'INVITED', 'DELETED')), kind varchar(31) not null default 'person',
  created bigint, picture oid, primary key (id), constraint uk_email unique ("REALM_ID", email),
  constraint fk_realm foreign key ("REALM_ID") references "REALM");
create index idx_user_name on "USER_ENTITY" ("REALM_ID", lower(username)) where kind in ('person', 'service') and status <> 'DELETED';
create table "CREDENTIAL" (user_id varchar(36) not null references "USER_ENTITY", no integer not null, secret_data text,
  priority integer default 10, valid tsrange, primary key (user_id, no), check (no > 0 and (priority is null or priority in (10, 20, 30))));
create view "ACTIVE" as select u.id, u.email, r.name from "USER_ENTITY" u, "REALM" r where u."REALM_ID" = r.id and r.enabled
  and u.status in ('ACTIVE', 'INVITED') and u.username like any (array['%a%', '%e%']);
