SELECT OBJECT_SCHEMA AS table_schema, OBJECT_NAME AS table_name, INDEX_NAME AS index_name, COUNT_READ AS scans
FROM performance_schema.table_io_waits_summary_by_index_usage
WHERE {scope:OBJECT_SCHEMA} AND INDEX_NAME IS NOT NULL
ORDER BY OBJECT_SCHEMA, OBJECT_NAME, INDEX_NAME
