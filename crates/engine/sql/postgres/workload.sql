select s.query as text,
       pg_get_userbyid(s.userid) as "user",
       s.calls,
       {pg_stat_statements.total_exec_time ? s.total_exec_time : s.total_time} as total_ms,
       {pg_stat_statements.mean_exec_time ? s.mean_exec_time : s.mean_time} as mean_ms,
       {pg_stat_statements.max_exec_time ? s.max_exec_time : s.max_time} as max_ms,
       s.rows,
       s.shared_blks_read as blocks_read,
       s.shared_blks_hit as blocks_hit,
       s.temp_blks_written,
       {pg_stat_statements.wal_bytes ? s.wal_bytes::int8 : null::int8} as wal_bytes,
       {pg_stat_statements_info.dealloc ? i.dealloc : null::int8} as evicted,
       {pg_stat_statements_info.stats_reset ? extract(epoch from i.stats_reset)::float8 : null::float8} as since
  from (select * from {server.statements_schema}.pg_stat_statements
         where dbid = (select oid from pg_database where datname = current_database())
         order by {pg_stat_statements.total_exec_time ? total_exec_time : total_time} desc
         limit 500) s
  {pg_stat_statements_info.dealloc ? cross join {server.statements_schema}.pg_stat_statements_info i : }
 order by {pg_stat_statements.total_exec_time ? s.total_exec_time : s.total_time} desc, s.queryid
