-- event_trigger.sql: event triggers
select quote_ident(t.evtname),
    jsonb_build_object(
        'owner', pg_get_userbyid(t.evtowner), 'event', t.evtevent, 'enabled', t.evtenabled,
        'function', t.evtfoid::regprocedure::text,
        'tags', (select jsonb_agg(o.v order by o.v collate "C") from unnest(t.evttags) o(v))
    )
from pg_event_trigger t
where not exists (
    select
    from pg_depend e
    where e.classid = 'pg_event_trigger'::regclass and e.objid = t.oid and e.deptype = 'e'
);
