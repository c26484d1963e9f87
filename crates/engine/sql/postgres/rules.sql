select r.rulename as name,
       n.nspname as schema,
       c.relname as relation,
       r.ev_type as event,
       r.is_instead as instead,
       r.ev_enabled as enabled,
       case when {allowed.locks ? true : r.ev_class <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_ruledef(r.oid) end as definition
  from pg_rewrite r
  join pg_class c on c.oid = r.ev_class
  join pg_namespace n on n.oid = c.relnamespace
 -- Every view is one as well.
 where r.rulename <> '_RETURN'
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
