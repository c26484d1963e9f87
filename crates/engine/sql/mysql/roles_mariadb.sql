SELECT User AS user, Host AS host, JSON_VALUE(Priv, '$.plugin') AS plugin,
       COALESCE(JSON_VALUE(Priv, '$.authentication_string'), '') <> '' AS has_hash,
       JSON_VALUE(Priv, '$.access') AS access, COALESCE(JSON_VALUE(Priv, '$.is_role'), 'false') AS is_role,
       COALESCE(JSON_VALUE(Priv, '$.account_locked'), 'false') AS account_locked,
       JSON_EXTRACT(Priv, '$.auth_or[0]') IS NOT NULL AS alternatives, JSON_VALUE(Priv, '$.max_user_connections') AS max_user_connections
FROM mysql.global_priv
ORDER BY User, Host
