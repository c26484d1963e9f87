select s.srvname as server,
       case when m.umuser = 0 then 'public' else pg_get_userbyid(m.umuser) end as "user",
       -- The view hides options from all but these; a mapping without options has null, too.
       (select rolsuper from pg_roles where rolname = current_user)
           or (m.umuser = 0 and pg_has_role(s.srvowner, 'USAGE'))
           or (m.umuser <> 0 and m.usename = current_user
               and (pg_has_role(s.srvowner, 'USAGE') or has_server_privilege(s.oid, 'USAGE'))) as readable,
       (select array_agg(o.option_name order by o.option_name) from pg_options_to_table(m.umoptions) o) as options
  from pg_user_mappings m
  join pg_foreign_server s on s.oid = m.srvid
