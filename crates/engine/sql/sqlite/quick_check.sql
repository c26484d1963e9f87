-- Complaints about the structure of the file; `ok` when there is none.
SELECT quick_check AS complaint
FROM pragma_quick_check(100)
