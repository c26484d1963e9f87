with tree as (
    select to_regclass($table)::oid as relid
    union
    select relid::oid from pg_partition_tree(to_regclass($table))
)
select (select count(*) from pg_stat_replication where coalesce(state, '') <> 'backup') as replicas,
       (select count(*) from pg_stat_replication where state is null) as hidden_replicas,
       (select extract(epoch from max(replay_lag))::float8 from pg_stat_replication) as lag,
       (select min(pg_wal_lsn_diff(replay_lsn, '0/0'))::int8 from pg_stat_replication
         where state <> 'backup') as replica_position,
       case when not pg_is_in_recovery()
            then pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8 end as log_position,
       (select sum(n_live_tup)::int8 from pg_stat_all_tables where relid in (select relid from tree)) as live,
       (select sum(n_dead_tup)::int8 from pg_stat_all_tables where relid in (select relid from tree)) as dead,
       (select count(*) from pg_stat_progress_vacuum
         where datname = current_database() and relid in (select relid from tree)) as vacuums,
       (select count(*) from pg_stat_progress_vacuum
         where datname = current_database() and relid is null) as hidden_vacuums,
       (select count(distinct w.pid) from pg_locks w
         where not w.granted
           and (w.relation in (select relid from tree)
                or w.locktype = 'transactionid'
                   and exists (select from pg_locks h
                                where h.pid = w.pid and h.granted and h.relation in (select relid from tree)))
       ) as waiting
