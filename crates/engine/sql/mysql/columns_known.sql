SELECT TABLE_NAME AS view_name, COLUMN_NAME AS column_name
FROM information_schema.COLUMNS
WHERE (TABLE_SCHEMA = 'information_schema'
       AND TABLE_NAME IN ('TABLES', 'COLUMNS', 'STATISTICS', 'TABLE_CONSTRAINTS', 'CHECK_CONSTRAINTS', 'VIEWS',
                          'INNODB_LOCK_WAITS', 'PARTITIONS'))
   OR (TABLE_SCHEMA = 'performance_schema'
       AND TABLE_NAME IN ('events_statements_summary_by_digest', 'table_io_waits_summary_by_index_usage',
                          'data_lock_waits'))
   OR (TABLE_SCHEMA = 'mysql' AND TABLE_NAME IN ('user', 'global_priv'))
