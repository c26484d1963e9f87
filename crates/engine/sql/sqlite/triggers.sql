-- Triggers with their whole definitions.
SELECT name, tbl_name AS on_table, sql AS definition
FROM sqlite_schema
WHERE type = 'trigger'
ORDER BY name
