-- Whether one of SQLite's own tables is there.
SELECT count(*) AS found
FROM sqlite_schema
WHERE type = 'table' AND name = ?1
