select r.rolname as name,
       r.rolcanlogin as login,
       r.rolsuper as superuser,
       r.rolcreaterole as create_role,
       r.rolcreatedb as create_database,
       r.rolreplication as replication,
       r.rolbypassrls as bypass_row_security,
       r.rolconnlimit as connection_limit,
       case when r.rolvaliduntil <> 'infinity' then r.rolvaliduntil::text end as valid_until,
       {allowed.passwords ? case when a.rolpassword is null then 'none'
                                 when a.rolpassword like 'SCRAM-SHA-256$%' then 'strong'
                                 else 'weak' end : null::text} as password,
       m.roles as member_of,
       m.inherits as member_inherits,
       m.admin as member_admin,
       s.setconfig as settings
  from pg_roles r
  {allowed.passwords ? join pg_authid a on a.oid = r.oid : }
  left join (select m.member, array_agg(g.rolname order by g.rolname) as roles,
                    array_agg({pg_auth_members.inherit_option ? m.inherit_option : u.rolinherit}
                              order by g.rolname) as inherits,
                    array_agg(m.admin_option order by g.rolname) as admin
               from pg_auth_members m
               join pg_roles g on g.oid = m.roleid
               join pg_roles u on u.oid = m.member
              group by m.member) m on m.member = r.oid
  left join pg_db_role_setting s on s.setrole = r.oid and s.setdatabase = 0
