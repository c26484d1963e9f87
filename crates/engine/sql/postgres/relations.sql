select c.oid,
       n.nspname as schema,
       c.relname as name,
       c.relkind as kind,
       c.relpersistence as persistence,
       pg_get_userbyid(c.relowner) as owner,
       d.description as comment,
       x.extname as extension,
       c.relrowsecurity as row_security,
       c.relforcerowsecurity as row_security_forced,
       c.relreplident as replica_identity,
       case when c.relreplident = 'i' then
           (select ic.relname from pg_index i join pg_class ic on ic.oid = i.indexrelid
             where i.indrelid = c.oid and i.indisreplident) end as replica_index,
       c.reloptions as options,
       c.relispopulated as populated,
       c.relnatts as width,
       c.reltuples::float8 as rows,
       case when c.relispartition
             and {allowed.locks ? true : c.oid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_expr(c.relpartbound, c.oid) end as bound,
       p.parents,
       case when c.relkind = 'p'
             and {allowed.locks ? true : c.oid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_partkeydef(c.oid) end as partition_key,
       s.srvname as foreign_server,
       {allowed.locks ? case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end : null::text} as definition,
       format_type(q.seqtypid, null) as sequence_type,
       q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcycle,
       am.amname as access_method,
       ts.spcname as tablespace,
       tn.nspname as of_type_schema,
       ot.typname as of_type,
       ci.relname as clustered_on,
       o.refobjid as owner_table,
       o.refobjsubid::int4 as owner_column,
       has_table_privilege(c.oid, 'select') as readable,
       -- Texts of expressions are not given while somebody else has their table to himself.
       c.oid = any (array(select l.relation from pg_locks l
                           where l.mode = 'AccessExclusiveLock' and l.granted and l.relation is not null
                             and l.database = (select oid from pg_database where datname = current_database()))) as locked
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
  left join pg_depend xd on xd.classid = 'pg_class'::regclass and xd.objid = c.oid and xd.objsubid = 0
                        and xd.refclassid = 'pg_extension'::regclass and xd.deptype = 'e'
  left join pg_extension x on x.oid = xd.refobjid
  left join (select inhrelid, array_agg(inhparent order by inhseqno) as parents
               from pg_inherits group by inhrelid) p on p.inhrelid = c.oid
  left join pg_foreign_table f on f.ftrelid = c.oid
  left join pg_foreign_server s on s.oid = f.ftserver
  left join pg_sequence q on q.seqrelid = c.oid
  left join pg_depend o on c.relkind = 'S' and o.classid = 'pg_class'::regclass and o.objid = c.oid
                       and o.refclassid = 'pg_class'::regclass and o.deptype in ('a', 'i')
  left join pg_am am on am.oid = c.relam
  left join pg_tablespace ts on ts.oid = c.reltablespace
  left join pg_type ot on ot.oid = c.reloftype
  left join pg_namespace tn on tn.oid = ot.typnamespace
  left join pg_index k on k.indrelid = c.oid and k.indisclustered
  left join pg_class ci on ci.oid = k.indexrelid
 where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
   and c.relpersistence <> 't'
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
