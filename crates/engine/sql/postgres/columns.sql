select a.attrelid as relation,
       a.attnum as number,
       a.attname as name,
       format_type(a.atttypid, a.atttypmod) as type,
       a.atttypmod as modifier,
       e.oid is not null as array,
       coalesce(e.typname, t.typname) as type_name,
       coalesce(e.typtype, t.typtype) as type_kind,
       coalesce(en.nspname, tn.nspname) as type_schema,
       a.attnotnull as not_null,
       a.attidentity as identity,
       a.attgenerated as generated,
       -- Only the expression of a generated column names other columns. A default is written without opening its table.
       case when a.attgenerated = '' then pg_get_expr(d.adbin, 0)
            when {allowed.locks ? true : a.attrelid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_expr(d.adbin, d.adrelid) end as expression,
       a.attcollation as collation_id,
       case when a.attcollation <> t.typcollation then o.collname end as collation,
       case when a.attstattarget >= 0 then a.attstattarget end as statistics_target,
       case when a.attstorage <> t.typstorage then a.attstorage end as storage,
       {pg_attribute.attcompression ? nullif(a.attcompression, '') : null::text} as compression,
       a.attoptions as options,
       c.description as comment
  from pg_attribute a
  join pg_class r on r.oid = a.attrelid and r.relkind in ('r', 'p', 'f', 'v', 'm', 'c') and r.relpersistence <> 't'
  join pg_type t on t.oid = a.atttypid
  left join pg_type e on e.oid = t.typelem and t.typcategory = 'A' and t.typtype = 'b'
  join pg_namespace tn on tn.oid = t.typnamespace
  left join pg_namespace en on en.oid = e.typnamespace
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join pg_collation o on o.oid = a.attcollation
  left join pg_description c on c.objoid = a.attrelid and c.classoid = 'pg_class'::regclass and c.objsubid = a.attnum
 where a.attnum > 0 and not a.attisdropped
   and r.relnamespace not in (select oid from pg_namespace
                               where nspname ~ '^pg_' or nspname = 'information_schema')
