select version() as version_text,
       current_setting('server_version_num')::int4 as version_number,
       current_database()::text as database,
       current_user::text as role,
       coalesce((select rolsuper from pg_roles where rolname = current_user), false) as superuser,
       current_setting('block_size')::int4 as block_size,
       pg_has_role(current_user, 'pg_read_all_stats', 'usage') as reads_all_statistics,
       has_function_privilege('pg_catalog.pg_ls_waldir()', 'execute') as lists_log_directory,
       has_table_privilege('pg_catalog.pg_authid', 'select') as reads_passwords,
       (select quote_ident(n.nspname)
          from pg_extension e join pg_namespace n on n.oid = e.extnamespace
         where e.extname = 'pg_stat_statements') as statements_schema,
       has_table_privilege('pg_catalog.pg_statistic', 'select') as reads_samples,
       -- What many databases have none of, so that it need not be asked for. Objects of the system have lower numbers.
       array(select name
               from (values ('rules', exists (select from pg_rewrite where rulename <> '_RETURN' and oid >= 16384)),
                            ('extended_statistics', exists (select from pg_statistic_ext)),
                            ('policies', exists (select from pg_policy)),
                            ('extensions', exists (select from pg_extension where extname <> 'plpgsql')),
                            ('user_mappings', exists (select from pg_user_mappings)),
                            ('publications', exists (select from pg_publication))) v (name, filled)
              where filled) as filled,
       (select array_agg(c.relname || '.' || a.attname order by c.relname, a.attnum)
          from (select oid, relname from pg_class
                 where relnamespace = 'pg_catalog'::regnamespace
                   and relname = any (string_to_array('{relations}', ',')::name[])
                union
                select v.oid, v.relname
                  from pg_extension e
                  join pg_depend d on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid
                                  and d.classid = 'pg_class'::regclass and d.deptype = 'e'
                  join pg_class v on v.oid = d.objid
                 where e.extname = 'pg_stat_statements') c
          join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
