select c.oid,
       n.nspname as schema,
       c.relname as name,
       -- Before 14 a table that was never counted says 0 rows in 0 pages, as an empty one does.
       case when c.reltuples > 0 or c.relpages > 0 then c.reltuples::float8 end as rows,
       case when c.relkind in ('p', 'f') then null
            when c.relpages > 0 then c.relpages::int8 * {server.block_size}
            {allowed.locks ? else pg_relation_size(c.oid) : } end as table_bytes,
       case when c.reltoastrelid <> 0 then t.relpages::int8 * {server.block_size} end as toast_bytes,
       x.pages * {server.block_size} as index_bytes,
       s.n_live_tup, s.n_dead_tup, s.n_mod_since_analyze,
       s.n_tup_ins, s.n_tup_upd, s.n_tup_hot_upd, s.n_tup_del,
       s.seq_scan, s.seq_tup_read, s.idx_scan,
       extract(epoch from greatest(s.last_vacuum, s.last_autovacuum))::float8 as last_vacuum,
       extract(epoch from greatest(s.last_analyze, s.last_autoanalyze))::float8 as last_analyze,
       case when c.relfrozenxid <> '0'::xid then
           greatest(age(c.relfrozenxid), case when t.relfrozenxid <> '0'::xid then age(t.relfrozenxid) end) end as xid_age,
       case when c.relminmxid <> '0'::xid then
           greatest(mxid_age(c.relminmxid), case when t.relminmxid <> '0'::xid then mxid_age(t.relminmxid) end) end as multixact_age
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_class t on t.oid = c.reltoastrelid
  left join (select i.indrelid, sum(ic.relpages)::int8 as pages
               from pg_index i join pg_class ic on ic.oid = i.indexrelid group by i.indrelid) x on x.indrelid = c.oid
  left join pg_stat_all_tables s on s.relid = c.oid
 where c.relkind in ('r', 'p', 'm', 'f') and c.relpersistence <> 't'
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
