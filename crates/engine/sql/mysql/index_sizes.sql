SELECT database_name AS table_schema, table_name, index_name, stat_value * @@innodb_page_size AS bytes
FROM mysql.innodb_index_stats
WHERE {scope:database_name} AND stat_name = 'size'
ORDER BY database_name, table_name, index_name
