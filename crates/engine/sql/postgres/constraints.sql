select c.conrelid as relation,
       c.conname as name,
       c.contype as kind,
       c.conindid as index,
       c.conkey as columns,
       c.confrelid as parent,
       c.confkey as parent_columns,
       c.confdeltype as on_delete,
       c.confupdtype as on_update,
       c.condeferrable as deferrable,
       c.condeferred as initially_deferred,
       c.confmatchtype as match_type,
       {pg_constraint.confdelsetcols ? c.confdelsetcols : null::int2[]} as on_delete_columns,
       {pg_constraint.conperiod ? c.conperiod : false} as period,
       c.connoinherit as no_inherit,
       c.coninhcount > 0 as inherited,
       c.convalidated as validated,
       {pg_constraint.conenforced ? c.conenforced : true} as enforced,
       case when c.contype = 'c'
             and {allowed.locks ? true : c.conrelid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_expr(c.conbin, c.conrelid) end as expression,
       case when c.contype = 'x'
             and {allowed.locks ? true : c.conrelid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_constraintdef(c.oid) end as definition
  from pg_constraint c
  join pg_namespace n on n.oid = c.connamespace
 where c.conrelid <> 0
   and (c.contype in ('p', 'u', 'c', 'f', 'x')
        -- Since version 18 every NOT NULL is a constraint; the plain ones are known from their columns.
        or c.contype = 'n' and (not c.convalidated or c.connoinherit or c.coninhcount = 0 and c.conname <>
              (select r.relname || '_' || a.attname || '_not_null'
                 from pg_class r join pg_attribute a on a.attrelid = r.oid
                where r.oid = c.conrelid and a.attnum = c.conkey[1])))
   -- A key to a partitioned table has one more row for each of its partitions.
   and (c.conparentid = 0 or (select p.conrelid from pg_constraint p where p.oid = c.conparentid) is distinct from c.conrelid)
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
