-- The names of the columns of a table.
SELECT name FROM pragma_table_xinfo(?1, 'main')
