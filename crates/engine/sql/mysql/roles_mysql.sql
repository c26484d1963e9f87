SELECT User AS user, Host AS host, plugin, COALESCE(authentication_string, '') <> '' AS has_hash,
       Super_priv AS super_priv, Grant_priv AS grant_priv, Create_user_priv AS create_user_priv,
       Create_priv AS create_priv, Drop_priv AS drop_priv, File_priv AS file_priv, Shutdown_priv AS shutdown_priv,
       Repl_slave_priv AS repl_slave_priv, {user.account_locked}, {user.is_role},
       max_user_connections
FROM mysql.user
ORDER BY User, Host
