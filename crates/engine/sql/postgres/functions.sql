select n.nspname as schema,
       p.proname as name,
       oidvectortypes(p.proargtypes) as arguments,
       coalesce(pg_get_function_result(p.oid), '') as returns,
       p.prokind as kind,
       l.lanname as language,
       p.provolatile as volatility,
       p.prosecdef as security_definer,
       p.proleakproof as leakproof,
       p.proconfig as settings,
       case when x.oid is not null then ''
            {pg_proc.prosqlbody ? when p.prosqlbody is not null then pg_get_function_sqlbody(p.oid) : }
            when l.lanname in ('c', 'internal') then ''
            else p.prosrc end as body,
       pg_get_userbyid(p.proowner) as owner,
       x.extname as extension
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_language l on l.oid = p.prolang
  left join pg_depend xd on xd.classid = 'pg_proc'::regclass and xd.objid = p.oid
                        and xd.refclassid = 'pg_extension'::regclass and xd.deptype = 'e'
  left join pg_extension x on x.oid = xd.refobjid
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
