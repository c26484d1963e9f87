SELECT User AS user, Host AS host, Role AS role, '' AS role_host, Admin_option AS admin
FROM mysql.roles_mapping
ORDER BY User, Host, Role
