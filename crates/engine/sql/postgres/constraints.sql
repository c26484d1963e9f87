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
 where c.conrelid <> 0 and c.contype in ('p', 'u', 'c', 'f', 'x')
   -- A key to a partitioned table has one more row for each of its partitions.
   and (c.conparentid = 0 or (select p.conrelid from pg_constraint p where p.oid = c.conparentid) is distinct from c.conrelid)
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
