-- Key parts of one index. An expression has no name.
SELECT cid, name, "desc" AS descending, coll AS collation
FROM pragma_index_xinfo(?1)
WHERE "key" = 1
ORDER BY seqno
