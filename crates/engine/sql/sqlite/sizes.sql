-- Bytes of every b-tree, by the name of its table or index.
SELECT name, pgsize AS bytes
FROM dbstat
WHERE aggregate = TRUE
ORDER BY name
