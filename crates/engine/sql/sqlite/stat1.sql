-- What ANALYZE counted. The first number is rows, the second rows per distinct value of the leading part.
SELECT tbl AS on_table, idx AS on_index, stat
FROM sqlite_stat1
ORDER BY tbl, idx
