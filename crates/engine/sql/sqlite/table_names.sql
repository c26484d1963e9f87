-- The names of all tables.
SELECT name FROM main.sqlite_schema WHERE type = 'table' ORDER BY name
