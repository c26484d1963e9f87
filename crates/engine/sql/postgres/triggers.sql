select t.tgname as name,
       n.nspname as schema,
       c.relname as relation,
       t.tgtype as bits,
       t.tgenabled as enabled,
       (select array_agg(a.attname order by a.attname)
          from pg_attribute a where a.attrelid = t.tgrelid and a.attnum = any (t.tgattr)) as columns,
       -- Only a condition is read out of it, and writing one opens the table.
       case when t.tgqual is not null
             and {allowed.locks ? true : t.tgrelid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_triggerdef(t.oid) end as definition,
       fn.nspname as function_schema,
       p.proname as function
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_proc p on p.oid = t.tgfoid
  join pg_namespace fn on fn.oid = p.pronamespace
 where not t.tgisinternal
   {pg_trigger.tgparentid ? and t.tgparentid = 0 : }
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
