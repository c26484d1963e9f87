SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, COLUMN_NAME AS column_name,
       COLUMN_TYPE AS column_type, IS_NULLABLE AS is_nullable, COLUMN_DEFAULT AS column_default, EXTRA AS extra,
       COLLATION_NAME AS collation_name, COLUMN_COMMENT AS column_comment,
       {COLUMNS.GENERATION_EXPRESSION}
FROM information_schema.COLUMNS
WHERE {scope:TABLE_SCHEMA}
ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
