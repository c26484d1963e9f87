select s.srvname as server,
       case when m.umuser = 0 then 'public' else pg_get_userbyid(m.umuser) end as "user",
       -- The view hides options from those who may not see them; then the field is null.
       (select array_agg(o.option_name order by o.option_name) from pg_options_to_table(m.umoptions) o) as options
  from pg_user_mappings m
  join pg_foreign_server s on s.oid = m.srvid
