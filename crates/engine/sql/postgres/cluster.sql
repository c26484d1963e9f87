select {fact.counters ? (select extract(epoch from stats_reset)::float8 from pg_stat_database
                          where datname = current_database()) : null::float8} as counters_since,
       {fact.counters ? extract(epoch from pg_postmaster_start_time())::float8 : null::float8} as started,
       {fact.counters ? (select count(*) from pg_stat_get_wal_senders()) : 0::int8} as standbys,
       {fact.replication ? pg_is_in_recovery() : false} as standby,
       {fact.replication ? extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 : null::float8}
           as replay_delay_seconds,
       {fact.replication ? pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::int8 : null::int8}
           as replay_delay_bytes,
       {fact.replication ? case when pg_is_in_recovery() then pg_is_wal_replay_paused() end : null::bool} as replay_paused,
       {fact.replication ? case when pg_is_in_recovery() then
           exists (select from pg_stat_wal_receiver where pid is not null) end : null::bool} as receiver_running,
       {fact.replication ? (
           select json_agg(r order by r.name, r.pid)::text
             from (select pid, application_name as name, state, sync_state,
                          pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn()
                                               else pg_current_wal_lsn() end, replay_lsn)::int8 as replay_delay_bytes,
                          extract(epoch from replay_lag)::float8 as replay_delay_seconds
                     from pg_stat_replication) r) : null::text} as senders,
       {fact.slots ? (
           select json_agg(r order by r.name)::text
             from (select slot_name as name, slot_type as kind, active,
                          pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn()
                                               else pg_current_wal_lsn() end, restart_lsn)::int8 as retained_bytes,
                          {pg_replication_slots.wal_status ? wal_status : null::text} as wal_status,
                          age(xmin) as xmin_age,
                          age(catalog_xmin) as catalog_xmin_age,
                          {pg_replication_slots.inactive_since ?
                              extract(epoch from clock_timestamp() - inactive_since)::float8 : null::float8} as inactive_seconds,
                          {pg_replication_slots.invalidation_reason ? invalidation_reason : null::text} as invalidation
                     from pg_replication_slots) r) : null::text} as slots,
       {fact.prepared_transactions ? (
           select json_agg(r order by r.id)::text
             from (select gid as id, owner, database,
                          extract(epoch from clock_timestamp() - prepared)::float8 as age_seconds,
                          age(transaction) as xid_age
                     from pg_prepared_xacts) r) : null::text} as prepared_transactions,
       {fact.archiver ? (
           select json_build_object('archived', archived_count, 'failed', failed_count,
                                    'last_archived', extract(epoch from last_archived_time)::float8,
                                    'last_failed', extract(epoch from last_failed_time)::float8,
                                    'since', extract(epoch from stats_reset)::float8)::text
             from pg_stat_archiver) : null::text} as archiver,
       {fact.checkpointer ? {pg_stat_checkpointer.num_timed ?
           (select json_build_object('timed', num_timed, 'requested', num_requested,
                                     'write_ms', write_time, 'sync_ms', sync_time,
                                     'since', extract(epoch from stats_reset)::float8)::text
              from pg_stat_checkpointer) :
           (select json_build_object('timed', checkpoints_timed, 'requested', checkpoints_req,
                                     'write_ms', checkpoint_write_time, 'sync_ms', checkpoint_sync_time,
                                     'since', extract(epoch from stats_reset)::float8)::text
              from pg_stat_bgwriter)} : null::text} as checkpointer,
       {fact.wal ? {pg_stat_wal.wal_bytes ?
           (select json_build_object('bytes', wal_bytes::int8, 'records', wal_records, 'full_page_images', wal_fpi,
                                     'buffers_full', wal_buffers_full,
                                     'since', extract(epoch from stats_reset)::float8)::text
              from pg_stat_wal) : '{}'} : null::text} as wal,
       {fact.wal ? {allowed.log_directory ? (select sum(size)::int8 from pg_ls_waldir()) : null::int8} : null::int8}
           as log_directory_bytes,
       {fact.server_status ? (
           select json_build_object('shared_locks', (select count(*) from pg_locks
                                                      where not fastpath and mode <> 'SIReadLock'),
                                    'notification_queue', pg_notification_queue_usage(),
                                    'client_fsyncs', f.count,
                                    'client_fsyncs_since', extract(epoch from f.since)::float8)::text
             from {pg_stat_io.fsyncs ?
                  (select sum(fsyncs)::int8 as count, min(stats_reset) as since from pg_stat_io
                    where backend_type = 'client backend' and object = 'relation') f :
                  (select buffers_backend_fsync as count, stats_reset as since from pg_stat_bgwriter) f}) : null::text}
           as status
