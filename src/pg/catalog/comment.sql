-- comment.sql: comments. Not those of the server's own objects, nor of a session's (a trigger of
-- its table), nor of an index that is not valid: the index is told.
select i.type || ' ' || case i.type
        when 'transform' then replace(
            regexp_replace(i.identity, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g')
                ,
            ' on language ', ' language '
        )
        else regexp_replace(
            i.identity, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
        )
    end,
    jsonb_build_object('text', d.description)
from pg_description d, lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) i
where (
        d.objoid >= 16384
        or d.classoid in ('pg_namespace'::regclass, 'pg_largeobject'::regclass) and
            d.description <> 'standard public schema'
    )
    and d.classoid <> 'pg_extension'::regclass
    and i.identity is not null
    and case
        when d.classoid = 'pg_namespace'::regclass then i.identity
        else coalesce(i.schema, '')
    end !~ '^"?(pg_|information_schema"?$)'
    and i.identity !~ ' on "pg_temp_[0-9]+"[.]'
    and not exists (
        select
        from pg_depend e
        where e.classid = d.classoid and e.objid = d.objoid and e.deptype = 'e'
    )
    and not exists (
        select
        from pg_index x
        join pg_class c on c.oid = x.indexrelid
        where d.classoid = 'pg_class'::regclass
            and x.indexrelid = d.objoid
            and not x.indisvalid
            and c.relkind = 'i'
    );
