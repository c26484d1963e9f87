with wanted (schema, name) as (values $names),
named as (
    select c.oid, c.relkind, c.relname, n.nspname, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relreplident,
        c.relpersistence, c.relispartition, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as bound
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join wanted w on w.name = c.relname and w.schema = n.nspname
),
relations as (
    select * from named where relkind not in ('i', 'I')
    union
    select c.oid, c.relkind, c.relname, n.nspname, c.relrowsecurity, c.relforcerowsecurity, null, c.relreplident,
        c.relpersistence, c.relispartition, null
    from named x
    join pg_catalog.pg_index i on i.indexrelid = x.oid
    join pg_catalog.pg_class c on c.oid = i.indrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
)
select line from (
    select pg_catalog.concat_ws(' ', 'relation', nspname, relname, relkind, relrowsecurity, relforcerowsecurity, reloptions,
        relreplident, relpersistence, relispartition, bound) as line
    from relations
    union all
    select pg_catalog.concat_ws(' ', 'column', r.nspname, r.relname, a.attnum, a.attname,
        pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attstorage,
        coalesce(a.attstattarget, -1), a.attoptions, pg_catalog.pg_get_expr(d.adbin, d.adrelid))
    from relations r
    join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all
    select pg_catalog.concat_ws(' ', 'index', pg_catalog.pg_get_indexdef(i.indexrelid), i.indisclustered, i.indisreplident)
    from relations r
    join pg_catalog.pg_index i on i.indrelid = r.oid and i.indisvalid
    union all
    select pg_catalog.concat_ws(' ', 'constraint', r.nspname, r.relname, k.conname, k.convalidated,
        pg_catalog.pg_get_constraintdef(k.oid))
    from relations r
    join pg_catalog.pg_constraint k on k.conrelid = r.oid
    union all
    select pg_catalog.concat_ws(' ', 'trigger', r.relname, t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid))
    from relations r
    join pg_catalog.pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
    union all
    select pg_catalog.concat_ws(' ', 'parent', r.relname, i.inhparent::pg_catalog.regclass)
    from relations r
    join pg_catalog.pg_inherits i on i.inhrelid = r.oid
    union all
    select pg_catalog.concat_ws(' ', 'view', r.relname, pg_catalog.md5(pg_catalog.pg_get_viewdef(r.oid)))
    from relations r
    where r.relkind in ('v', 'm')
    union all
    select pg_catalog.concat_ws(' ', 'label', e.enumtypid::pg_catalog.regtype, e.enumsortorder, e.enumlabel)
    from pg_catalog.pg_enum e
    union all
    select pg_catalog.concat_ws(' ', 'database', datname) from pg_catalog.pg_database
    union all
    select pg_catalog.concat_ws(' ', 'tablespace', spcname) from pg_catalog.pg_tablespace
) as every_line
order by line collate "C"
