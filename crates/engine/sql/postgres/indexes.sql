select i.indexrelid as oid,
       i.indrelid as relation,
       c.relname as name,
       m.amname as method,
       i.indkey::int2[] as columns,
       i.indoption::int2[] as directions,
       i.indnkeyatts as key_columns,
       i.indisunique as "unique",
       {pg_index.indnullsnotdistinct ? i.indnullsnotdistinct : false} as nulls_not_distinct,
       i.indisvalid as valid,
       c.reloptions as options,
       ts.spcname as tablespace,
       d.description as comment,
       pc.relname as parent,
       case when {allowed.locks ? true : i.indrelid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_expr(i.indpred, i.indrelid) end as predicate,
       case when i.indexprs is not null
             and {allowed.locks ? true : i.indrelid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))} then
           (select array_agg(pg_get_indexdef(i.indexrelid, k.position, false) order by k.position)
              from generate_series(1, i.indnkeyatts::int4) k (position)
             where i.indkey[k.position - 1] = 0) end as expressions,
       case when i.indclass::oid[] && (select array_agg(oid) from pg_opclass where not opcdefault) then
           (select array_agg(case when not o.opcdefault then o.opcname end order by k.position)
              from unnest(i.indclass::oid[]) with ordinality k (class, position)
              join pg_opclass o on o.oid = k.class) end as operator_classes,
       i.indcollation::oid[] as collation_ids,
       -- 0 is no collation, 100 the database's default.
       case when not i.indcollation::oid[] <@ array[0, 100]::oid[] then
           (select array_agg(o.collname order by k.position)
              from unnest(i.indcollation::oid[]) with ordinality k (collation_id, position)
              left join pg_collation o on o.oid = k.collation_id) end as collations
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_am m on m.oid = c.relam
  left join pg_tablespace ts on ts.oid = c.reltablespace
  left join pg_inherits h on h.inhrelid = i.indexrelid
  left join pg_class pc on pc.oid = h.inhparent
  left join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
 where i.indislive and c.relpersistence <> 't'
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
