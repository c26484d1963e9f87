SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, VIEW_DEFINITION AS view_definition,
       CHECK_OPTION AS check_option, DEFINER AS definer, SECURITY_TYPE AS security_type, {VIEWS.ALGORITHM}
FROM information_schema.VIEWS
WHERE {scope:TABLE_SCHEMA}
ORDER BY TABLE_SCHEMA, TABLE_NAME
