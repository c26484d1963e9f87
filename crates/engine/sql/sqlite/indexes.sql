-- Indexes of one table and the statements that made them; those behind constraints have none.
SELECT l.name, l."unique" AS is_unique, l.origin, l.partial, s.sql AS definition
FROM pragma_index_list(?1) AS l
LEFT JOIN sqlite_schema AS s ON s.name = l.name AND s.type = 'index'
ORDER BY l.name
