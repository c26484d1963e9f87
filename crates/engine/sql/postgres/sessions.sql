select a.pid as id,
       a.usename as "user",
       a.datname as database,
       a.application_name as application,
       a.backend_type as backend,
       a.state,
       extract(epoch from clock_timestamp() - a.xact_start)::float8 as transaction_seconds,
       extract(epoch from clock_timestamp() - a.query_start)::float8 as statement_seconds,
       extract(epoch from clock_timestamp() - a.state_change)::float8 as state_seconds,
       a.wait_event_type || ':' || a.wait_event as wait,
       case when a.wait_event_type = 'Lock' then pg_blocking_pids(a.pid) end as blocked_by,
       greatest(age(a.backend_xmin), age(a.backend_xid)) as horizon_age,
       l.ssl as encrypted,
       a.client_port is not null and a.client_port <> -1 as remote,
       a.query as statement,
       w.schema as waits_in_schema,
       w.relation as waits_for_relation,
       w.seconds as waits_seconds
  from pg_stat_activity a
  left join pg_stat_ssl l on l.pid = a.pid
  left join lateral (
      select n.nspname as schema, c.relname as relation,
             {pg_locks.waitstart ? extract(epoch from clock_timestamp() - k.waitstart)::float8 : null::float8} as seconds
        from pg_locks k
        left join pg_class c on c.oid = k.relation
             and k.database in (0, (select oid from pg_database where datname = current_database()))
        left join pg_namespace n on n.oid = c.relnamespace
       where k.pid = a.pid and not k.granted
       limit 1) w on a.wait_event_type = 'Lock'
 where a.pid <> pg_backend_pid()
