select d.datname as name,
       d.datname = current_database() as current,
       d.datallowconn as allows_connections,
       age(d.datfrozenxid) as xid_age,
       mxid_age(d.datminmxid) as multixact_age,
       -- Looking at every file of a large database takes long, so that its own pages are counted from the catalog.
       case when d.datname = current_database() then
           (select sum(relpages::int8) * {server.block_size} from pg_class where relkind in ('r', 'm', 'i', 't'))::int8
       {allowed.locks ? when has_database_privilege(d.oid, 'connect') then pg_database_size(d.oid) : } end as bytes,
       s.xact_commit as commits,
       s.xact_rollback as rollbacks,
       s.deadlocks,
       s.temp_files,
       s.temp_bytes,
       s.conflicts,
       s.blks_hit as blocks_hit,
       s.blks_read as blocks_read,
       {pg_stat_database.checksum_failures ? s.checksum_failures : null::int8} as checksum_failures,
       {pg_database.datcollversion ? d.datcollversion : null::text} as recorded_collation,
       {pg_database.datcollversion ? pg_database_collation_actual_version(d.oid) : null::text} as actual_collation
  from pg_database d
  left join pg_stat_database s on s.datid = d.oid
