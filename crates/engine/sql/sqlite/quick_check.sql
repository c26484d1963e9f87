-- Complaints about the structure of the file; `ok` when there is none. The table-valued form takes no limit.
PRAGMA quick_check(100)
