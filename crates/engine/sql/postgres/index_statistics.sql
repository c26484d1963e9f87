select c.oid,
       n.nspname as schema,
       r.relname as relation,
       c.relname as name,
       case when c.relkind = 'i' then
           case when c.relpages > 0 then c.relpages::int8 * {server.block_size}
                {allowed.locks ? else pg_relation_size(c.oid) : } end end as bytes,
       -- The index of a partitioned table is never scanned itself.
       case when c.relkind = 'i' then pg_stat_get_numscans(c.oid) end as idx_scan,
       {pg_stat_all_indexes.last_idx_scan ? extract(epoch from pg_stat_get_lastscan(c.oid))::float8 : null::float8} as last_scan
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_class r on r.oid = i.indrelid
  join pg_namespace n on n.oid = r.relnamespace
 where i.indislive and c.relpersistence <> 't'
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
