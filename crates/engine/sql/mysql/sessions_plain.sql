SELECT ID AS id, USER AS user, HOST AS host, DB AS db, COMMAND AS command, TIME AS time, STATE AS state, INFO AS info
FROM information_schema.PROCESSLIST
WHERE ID <> CONNECTION_ID()
ORDER BY ID
