select name, setting as value, unit, source, boot_val as boot_value, context, pending_restart
  from pg_settings
