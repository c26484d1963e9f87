SELECT VERSION() AS version, @@version_comment AS version_comment, DATABASE() AS db, CURRENT_USER() AS account,
       USER() AS login
