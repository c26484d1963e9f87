-- Foreign keys of one table, one row per column. SQLite numbers them backwards.
SELECT id, "table" AS parent, "from" AS child_column, "to" AS parent_column, on_update, on_delete
FROM pragma_foreign_key_list(?1)
ORDER BY id DESC, seq
