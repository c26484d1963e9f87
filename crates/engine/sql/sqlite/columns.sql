-- Columns of one table or view, generated ones included.
SELECT name, type, "notnull" AS not_null, dflt_value AS default_value, pk, hidden
FROM pragma_table_xinfo(?1)
ORDER BY cid
