-- How this SQLite was built.
SELECT compile_options AS option
FROM pragma_compile_options
ORDER BY 1
