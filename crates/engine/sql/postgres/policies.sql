select p.polname as name,
       n.nspname as schema,
       c.relname as relation,
       p.polpermissive as permissive,
       p.polcmd as command,
       (select array_agg(case when r.id = 0 then 'public' else pg_get_userbyid(r.id) end order by r.position)
          from unnest(p.polroles) with ordinality r (id, position)) as roles,
       pg_get_expr(p.polqual, p.polrelid) as using,
       pg_get_expr(p.polwithcheck, p.polrelid) as check
  from pg_policy p
  join pg_class c on c.oid = p.polrelid
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
