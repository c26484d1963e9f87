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
       s.seq_scan, s.seq_tup_read,
       case when c.relkind <> 'f' then x.scans end as idx_scan,
       extract(epoch from s.last_vacuum)::float8 as last_vacuum,
       extract(epoch from s.last_analyze)::float8 as last_analyze,
       case when c.relfrozenxid <> '0'::xid then
           greatest(age(c.relfrozenxid), case when t.relfrozenxid <> '0'::xid then age(t.relfrozenxid) end) end as xid_age,
       case when c.relminmxid <> '0'::xid then
           greatest(mxid_age(c.relminmxid), case when t.relminmxid <> '0'::xid then mxid_age(t.relminmxid) end) end as multixact_age
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_class t on t.oid = c.reltoastrelid
  left join (select i.indrelid, sum(ic.relpages)::int8 as pages, sum(pg_stat_get_numscans(i.indexrelid))::int8 as scans
               from pg_index i join pg_class ic on ic.oid = i.indexrelid
               join pg_namespace n on n.oid = ic.relnamespace
              where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
              group by i.indrelid) x on x.indrelid = c.oid
  -- What the view of counters shows, without its grouping by every table and index of the database.
  left join lateral (select pg_stat_get_live_tuples(c.oid) as n_live_tup,
                            pg_stat_get_dead_tuples(c.oid) as n_dead_tup,
                            pg_stat_get_mod_since_analyze(c.oid) as n_mod_since_analyze,
                            pg_stat_get_tuples_inserted(c.oid) as n_tup_ins,
                            pg_stat_get_tuples_updated(c.oid) as n_tup_upd,
                            pg_stat_get_tuples_hot_updated(c.oid) as n_tup_hot_upd,
                            pg_stat_get_tuples_deleted(c.oid) as n_tup_del,
                            pg_stat_get_numscans(c.oid) as seq_scan,
                            pg_stat_get_tuples_returned(c.oid) as seq_tup_read,
                            greatest(pg_stat_get_last_vacuum_time(c.oid),
                                     pg_stat_get_last_autovacuum_time(c.oid)) as last_vacuum,
                            greatest(pg_stat_get_last_analyze_time(c.oid),
                                     pg_stat_get_last_autoanalyze_time(c.oid)) as last_analyze) s
         on c.relkind <> 'f'
 where c.relkind in ('r', 'p', 'm', 'f') and c.relpersistence <> 't'
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
