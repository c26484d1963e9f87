SELECT ROUTINE_SCHEMA AS routine_schema, ROUTINE_NAME AS routine_name, ROUTINE_TYPE AS routine_type,
       SPECIFIC_NAME AS specific_name, ROUTINE_BODY AS routine_body, ROUTINE_DEFINITION AS routine_definition,
       EXTERNAL_LANGUAGE AS external_language, IS_DETERMINISTIC AS is_deterministic, SECURITY_TYPE AS security_type,
       DEFINER AS definer
FROM information_schema.ROUTINES
WHERE {scope:ROUTINE_SCHEMA}
ORDER BY ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE
