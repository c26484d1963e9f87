-- The largest key that AUTOINCREMENT ever gave.
SELECT name, seq
FROM sqlite_sequence
ORDER BY name
