-- What our own transaction set is told as it holds for others.
select name,
       case when source = 'session' then reset_val else setting end as value,
       unit,
       case when source <> 'session' then source
            when reset_val = boot_val then 'default' else 'configuration file' end as source,
       boot_val as boot_value, context, pending_restart
  from pg_settings
