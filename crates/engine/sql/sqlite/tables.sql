-- Tables and views with their definitions. SQLite's own tables are left out.
SELECT l.name, l.type, l.wr AS without_rowid, l.strict, s.sql AS definition
FROM pragma_table_list AS l
LEFT JOIN sqlite_schema AS s ON s.name = l.name AND s.type IN ('table', 'view')
WHERE l.schema = 'main' AND substr(l.name, 1, 7) <> 'sqlite_'
ORDER BY l.name
