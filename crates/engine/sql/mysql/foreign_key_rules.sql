SELECT CONSTRAINT_SCHEMA AS table_schema, TABLE_NAME AS table_name, CONSTRAINT_NAME AS constraint_name,
       DELETE_RULE AS delete_rule, UPDATE_RULE AS update_rule
FROM information_schema.REFERENTIAL_CONSTRAINTS
WHERE {scope:CONSTRAINT_SCHEMA}
