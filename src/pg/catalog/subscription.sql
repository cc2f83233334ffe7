-- subscription.sql: subscriptions. Not the connection, which holds a password and only superusers
-- may read, and so not the row as a whole; before 14 they alone know subsynccommit. What is usual
-- is null.
select quote_ident(s.subname),
    jsonb_build_object(
        'owner', pg_get_userbyid(s.subowner),
        'publications', (
            select jsonb_agg(o.v order by o.v collate "C") from unnest(s.subpublications) o(v)
        ),
\if :since_14
        'synchronous_commit', s.subsynccommit, 'binary', nullif(s.subbinary, false),
\if :since_16
        'streaming', case s.substream when 'p' then 'parallel' when 't' then 'on' end,
\else
        'streaming', case when s.substream then 'on' end,
\endif
\endif
\if :since_15
        'two_phase', nullif(s.subtwophasestate <> 'd', false),
        'disable_on_error', nullif(s.subdisableonerr, false),
\endif
\if :since_16
        'origin', nullif(s.suborigin, 'any'),
        'password_required', nullif(s.subpasswordrequired, true),
        'run_as_owner', nullif(s.subrunasowner, false),
\endif
\if :since_17
        'failover', nullif(s.subfailover, false),
\endif
\if :since_19
        'server', (
            select quote_ident(f.srvname) from pg_foreign_server f where f.oid = s.subserver
        ),
        'retain_dead_tuples', nullif(s.subretaindeadtuples, false),
        'max_retention_duration', nullif(s.submaxretention, 0),
        'wal_receiver_timeout', nullif(s.subwalrcvtimeout, '-1'),
\endif
        'slot', s.subslotname
    )
from pg_subscription s
join pg_database d on d.oid = s.subdbid
where d.datname = current_database();
