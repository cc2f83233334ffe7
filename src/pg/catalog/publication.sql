-- publication.sql: publications. 19 has FOR ALL TABLES EXCEPT.
select quote_ident(p.pubname),
    jsonb_build_object(
        'owner', pg_get_userbyid(p.pubowner),
        'tables', (
            select jsonb_agg(x.t order by x.t collate "C")
            from (
                select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as t
                from pg_publication_rel r
                join pg_class c on c.oid = r.prrelid
                join pg_namespace n on n.oid = c.relnamespace
                where r.prpubid = p.oid
\if :since_19
                    and not r.prexcept
\endif
            ) x
        ),
\if :since_13
        'via_root', nullif(p.pubviaroot::text, 'false'),
\endif
\if :since_15
        'schemas', (
            select jsonb_agg(quote_ident(sn.nspname) order by sn.nspname collate "C")
            from pg_publication_namespace ps
            join pg_namespace sn on sn.oid = ps.pnnspid
            where ps.pnpubid = p.oid
        ),
        'filters', (
            select jsonb_agg(
                concat(
                    r.prrelid::regclass, ' ', pg_get_expr(r.prqual, r.prrelid), ' ', (
                        select string_agg(
                            quote_ident(a.attname), ' ' order by a.attname collate "C"
                        )
                        from pg_attribute a
                        where a.attrelid = r.prrelid and a.attnum = any(r.prattrs)
                    )
                )
                order by r.prrelid::regclass::text collate "C"
            )
            from pg_publication_rel r
            where r.prpubid = p.oid and (r.prqual is not null or r.prattrs is not null)
        ),
\endif
\if :since_18
        'generated', nullif(p.pubgencols::text, 'n'),
\endif
\if :since_19
        'all_sequences', nullif(p.puballsequences::text, 'false'),
        'except', (
            select jsonb_agg(x.t order by x.t collate "C")
            from (
                select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as t
                from pg_publication_rel r
                join pg_class c on c.oid = r.prrelid
                join pg_namespace n on n.oid = c.relnamespace
                where r.prpubid = p.oid and r.prexcept
            ) x
        ),
\else
        'except', null,
\endif
        'all_tables', p.puballtables, 'insert', p.pubinsert, 'update', p.pubupdate,
        'delete', p.pubdelete, 'truncate', p.pubtruncate
    )
from pg_publication p
where not exists (
    select
    from pg_depend e
    where e.classid = 'pg_publication'::regclass and e.objid = p.oid and e.deptype = 'e'
);
