select c.oid,
       c.reltuples::float8 as rows,
       c.relpages as pages,
       coalesce((select option_value::int4 from pg_options_to_table(c.reloptions)
                  where option_name = 'fillfactor'), 100) as fillfactor,
       k.lengths, k.alignments, k.widths, k.null_fractions
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join lateral (select array_agg(a.attlen order by a.attnum) as lengths,
                       array_agg(a.attalign order by a.attnum) as alignments,
                       array_agg(s.avg_width order by a.attnum) as widths,
                       array_agg(case when a.attisdropped then 1 else s.null_frac end order by a.attnum) as null_fractions
                  from pg_attribute a
                  left join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname
                                      and s.attname = a.attname and not s.inherited
                 where a.attrelid = c.oid and a.attnum > 0) k on true
 where c.relkind in ('r', 'm') and c.relpersistence <> 't' and c.relpages >= 100 and c.reltuples > 0
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by c.relpages desc
 limit 2000
