select t.oid,
       n.nspname as schema,
       t.typname as name,
       t.typtype as kind,
       t.typrelid as relation,
       d.description as comment,
       x.extname as extension,
       case when t.typtype = 'e' then
           (select array_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) end as labels,
       t.typnotnull as not_null,
       t.typdefault as default_text,
       format_type(t.typbasetype, t.typtypmod) as base_type,
       t.typtypmod as base_modifier,
       be.oid is not null as base_array,
       coalesce(be.typname, b.typname) as base_name,
       coalesce(be.typtype, b.typtype) as base_kind,
       bn.nspname as base_schema,
       k.names as check_names,
       k.expressions as check_expressions,
       k.validated as check_validated
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
  left join pg_type b on t.typtype = 'd' and b.oid = t.typbasetype
  -- A domain has the category of what is below it, and up to version 13 its elements too.
  left join pg_type be on be.oid = b.typelem and b.typcategory = 'A' and b.typtype = 'b'
  left join pg_namespace bn on bn.oid = coalesce(be.typnamespace, b.typnamespace)
  left join pg_description d on d.objoid = t.oid and d.classoid = 'pg_type'::regclass and d.objsubid = 0
  left join pg_depend xd on xd.classid = 'pg_type'::regclass and xd.objid = t.oid
                        and xd.refclassid = 'pg_extension'::regclass and xd.deptype = 'e'
  left join pg_extension x on x.oid = xd.refobjid
  left join (select contypid,
                    array_agg(conname order by conname) as names,
                    array_agg(pg_get_expr(conbin, 0) order by conname) as expressions,
                    array_agg(convalidated order by conname) as validated
               from pg_constraint where contypid <> 0 and contype = 'c' group by contypid) k on k.contypid = t.oid
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and t.typtype in ('b', 'c', 'd', 'e', 'r') and (t.typtype = 'd' or t.typcategory <> 'A')
   and (t.typrelid = 0 or c.relkind = 'c')
