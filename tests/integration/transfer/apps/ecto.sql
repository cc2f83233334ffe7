-- As Ecto's migrations and Oban's make them: citext, timestamps(0), enum states, arrays, triggers that
-- notify, partial unique indexes, checks on lengths.
create extension if not exists citext;
create type oban_job_state as enum ('available', 'scheduled', 'executing', 'retryable', 'completed', 'discarded', 'cancelled');
create table schema_migrations (version bigint not null primary key, inserted_at timestamp(0));
create table users (id uuid primary key default gen_random_uuid(), email citext not null, hashed_password varchar(255) not null,
  plan varchar(255) not null default 'free', confirmed_at timestamp(0), inserted_at timestamp(0) not null, updated_at timestamp(0) not null,
  constraint plan_known check (plan in ('free', 'growth', 'business')));
create unique index users_email_index on users (email);
create table oban_jobs (id bigserial primary key, state oban_job_state not null default 'available', queue text not null default 'default',
  worker text not null, args jsonb not null default '{}', errors jsonb[] not null default array[]::jsonb[], attempt integer not null default 0,
  max_attempts integer not null default 20, priority integer not null default 0, tags text[] default array[]::text[], meta jsonb default '{}',
  attempted_by text[], inserted_at timestamp not null default timezone('UTC', now()), scheduled_at timestamp not null default timezone('UTC', now()),
  attempted_at timestamp, constraint queue_length check (char_length(queue) > 0 and char_length(queue) < 128),
  constraint priority_range check (priority >= 0 and priority <= 9), constraint positive_max_attempts check (max_attempts > 0),
  constraint attempt_range check (attempt between 0 and max_attempts));
create index oban_jobs_args_index on oban_jobs using gin (args);
create index oban_jobs_state_queue on oban_jobs (state, queue, priority, scheduled_at, id);
create unique index oban_jobs_unique on oban_jobs ((meta ->> 'uniq_key')) where meta ? 'uniq' and state in ('available', 'scheduled', 'executing');
create function oban_jobs_notify() returns trigger language plpgsql as $$
declare notice json; begin if new.state = 'available' then notice = json_build_object('queue', new.queue);
perform pg_notify('public.oban_insert', notice::text); end if; return null; end; $$;
create trigger oban_notify after insert on oban_jobs for each row when (new.state in ('available', 'retryable') and new.queue <> 'quiet')
  execute function oban_jobs_notify();
create table sites (id bigserial primary key, owner_id uuid references users on delete set null, domain citext not null,
  timezone varchar(255) not null default 'UTC', stats_start date, locked boolean not null default false);
create unique index sites_domain on sites (domain) where not locked;
