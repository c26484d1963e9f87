select sn.nspname as schema,
       s.stxname as name,
       n.nspname as table_schema,
       c.relname as relation,
       s.stxkind::text[] as kinds,
       case when s.stxstattarget >= 0 then s.stxstattarget end as target,
       (select array_agg(a.attname order by k.position)
          from unnest(s.stxkeys::int2[]) with ordinality k (number, position)
          join pg_attribute a on a.attrelid = s.stxrelid and a.attnum = k.number) as columns,
       {pg_statistic_ext.stxexprs ? case when {allowed.locks ? true : s.stxrelid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_statisticsobjdef_expressions(s.oid) end : null::text[]} as expressions
  from pg_statistic_ext s
  join pg_namespace sn on sn.oid = s.stxnamespace
  join pg_class c on c.oid = s.stxrelid
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
