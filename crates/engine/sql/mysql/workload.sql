SELECT DIGEST AS digest, DIGEST_TEXT AS digest_text, COUNT_STAR AS calls, SUM_TIMER_WAIT AS total_ps,
       MAX_TIMER_WAIT AS max_ps, SUM_ROWS_SENT AS rows_sent, SUM_ROWS_AFFECTED AS rows_affected,
       SUM_ROWS_EXAMINED AS rows_examined, SUM_CREATED_TMP_DISK_TABLES AS disk_temp_tables,
       SUM_NO_INDEX_USED AS no_index_used, UNIX_TIMESTAMP(FIRST_SEEN) AS first_seen
FROM performance_schema.events_statements_summary_by_digest
WHERE DIGEST_TEXT IS NOT NULL AND {scope:SCHEMA_NAME} AND DIGEST_TEXT NOT LIKE 'WITH `dbwright` AS %'
  AND LOWER(DIGEST_TEXT) NOT LIKE '%information_schema%' AND LOWER(DIGEST_TEXT) NOT LIKE '%performance_schema%'
ORDER BY SUM_TIMER_WAIT DESC
LIMIT 1000
