select line_number as line,
       {pg_hba_file_rules.file_name ? file_name : null::text} as file,
       type as connection, database as databases, user_name as users, address, netmask,
       auth_method as method, options, error
  from pg_hba_file_rules
 order by {pg_hba_file_rules.rule_number ? rule_number nulls last, : } line_number
