select t.tgname as name,
       n.nspname as schema,
       c.relname as relation,
       t.tgtype as bits,
       t.tgenabled as enabled,
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
