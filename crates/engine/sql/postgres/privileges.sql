with user_schema as (
    select oid, nspname, nspowner, nspacl from pg_namespace
     where nspname !~ '^pg_' and nspname <> 'information_schema'
), object (kind, schema, name, owner, acl) as (
    select 'database', ''::name, datname::text, datdba, coalesce(datacl, acldefault('d', datdba))
      from pg_database where datname = current_database()
    union all
    select 'schema', ''::name, nspname::text, nspowner, coalesce(nspacl, acldefault('n', nspowner)) from user_schema
    union all
    -- Without grants only the owner has rights on a relation.
    select case c.relkind when 'S' then 'sequence' else 'table' end, n.nspname, c.relname::text, c.relowner, c.relacl
      from pg_class c join user_schema n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and c.relacl is not null and c.relpersistence <> 't'
    union all
    select 'column', n.nspname, c.relname || '.' || a.attname, c.relowner, a.attacl
      from pg_attribute a join pg_class c on c.oid = a.attrelid join user_schema n on n.oid = c.relnamespace
     where a.attacl is not null and not a.attisdropped and a.attnum > 0
    union all
    select 'function', n.nspname, p.proname || '(' || oidvectortypes(p.proargtypes) || ')', p.proowner,
           coalesce(p.proacl, acldefault('f', p.proowner))
      from pg_proc p join user_schema n on n.oid = p.pronamespace
     where not exists (select from pg_depend d
                        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
    union all
    select 'default_' || d.defaclobjtype::text, coalesce(n.nspname, ''), pg_get_userbyid(d.defaclrole)::text,
           d.defaclrole, d.defaclacl
      from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace
    union all
    select 'server', ''::name, srvname::text, srvowner, srvacl from pg_foreign_server where srvacl is not null
    union all
    select 'language', ''::name, lanname::text, lanowner, lanacl from pg_language where lanacl is not null
)
select o.kind, o.schema, o.name,
       case when x.grantee = 0 then 'public' else pg_get_userbyid(x.grantee) end as grantee,
       x.privilege_type as privilege,
       x.is_grantable as grantable
  from object o cross join lateral aclexplode(o.acl) x
 where x.grantee <> o.owner
