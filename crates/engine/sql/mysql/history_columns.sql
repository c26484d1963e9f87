-- The columns of the tables that may be histories of migration tools.
SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, COLUMN_NAME AS column_name, DATA_TYPE AS data_type
FROM information_schema.COLUMNS
WHERE {scope:TABLE_SCHEMA} AND LOWER(TABLE_NAME) IN ({tables})
ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
