SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, TABLE_TYPE AS table_type, ENGINE AS engine,
       TABLE_COLLATION AS table_collation, CREATE_OPTIONS AS create_options, TABLE_COMMENT AS table_comment
FROM information_schema.TABLES
WHERE {scope:TABLE_SCHEMA}
ORDER BY TABLE_SCHEMA, TABLE_NAME
