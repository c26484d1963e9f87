-- Rows of one table without a parent.
SELECT rowid AS row_id, parent, fkid AS id
FROM pragma_foreign_key_check(?1)
