select s.schemaname as schema,
       s.tablename as relation,
       s.attname as column,
       s.null_frac as null_fraction,
       s.n_distinct as distinct,
       s.avg_width as width,
       s.correlation,
       s.most_common_freqs as frequencies,
       case when s.n_distinct between 2 and 50 then s.most_common_vals::text::text[] end as values
  from pg_stats s
 where s.schemaname !~ '^pg_' and s.schemaname <> 'information_schema'
   {pg_stats.inherited ? and (not s.inherited or not exists (
       select from pg_class c
        where c.relname = s.tablename and c.relnamespace = (select oid from pg_namespace where nspname = s.schemaname)
          and c.relkind <> 'p')) : }
