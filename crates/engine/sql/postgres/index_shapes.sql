select c.oid,
       c.reltuples::float8 as rows,
       c.relpages as pages,
       coalesce((select option_value::int4 from pg_options_to_table(c.reloptions)
                  where option_name = 'fillfactor'), 90) as fillfactor,
       i.indisunique as "unique",
       k.lengths, k.alignments, k.widths, k.null_fractions, k.distinct, k.merges,
       {pg_index.indnkeyatts ? i.indnkeyatts = i.indnatts : true}
           and coalesce((select option_value::bool from pg_options_to_table(c.reloptions)
                          where option_name = 'deduplicate_items'), true) as deduplicates
  from pg_index i
  join pg_class c on c.oid = i.indexrelid and c.relam = (select oid from pg_am where amname = 'btree')
  join pg_class r on r.oid = i.indrelid
  join pg_namespace n on n.oid = r.relnamespace
  join lateral (select array_agg(a.attlen order by p.position) as lengths,
                       array_agg(a.attalign order by p.position) as alignments,
                       array_agg(s.avg_width order by p.position) as widths,
                       array_agg(s.null_frac order by p.position) as null_fractions,
                       array_agg(s.n_distinct order by p.position) as distinct,
                       -- Types whose equal values may differ in bytes are never merged.
                       bool_and(a.atttypid not in ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype,
                                                   'jsonb'::regtype)) as merges
                  from unnest(i.indkey::int2[]) with ordinality p (number, position)
                  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.number
                  left join pg_stats s on s.schemaname = n.nspname and s.tablename = r.relname
                                      and s.attname = a.attname and not s.inherited) k on true
 where i.indisvalid and c.relkind = 'i' and c.relpersistence <> 't' and c.relpages >= 100 and c.reltuples > 0
   and i.indexprs is null and i.indpred is null
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by c.relpages desc
 limit 2000
