-- security_label.sql: security labels
select i.type || ' ' || case i.type
        when 'transform' then replace(
            regexp_replace(i.identity, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g')
                ,
            ' on language ', ' language '
        )
        else regexp_replace(
            i.identity, '(?<![."])("pg_catalog"[.])?"json"(?![."])', 'json', 'g'
        )
    end || ' for ' || l.provider,
    jsonb_build_object('text', l.label)
from pg_seclabel l, lateral pg_identify_object(l.classoid, l.objoid, l.objsubid) i
where i.identity is not null
    and not exists (
        select
        from pg_depend e
        where e.classid = l.classoid and e.objid = l.objoid and e.deptype = 'e'
    );
