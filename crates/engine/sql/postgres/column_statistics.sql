-- A handful of rows is no sample to conclude from, and lists of values are told of columns with few values only.
{allowed.samples ?
select n.nspname as schema,
       c.relname as relation,
       a.attname as column,
       s.stanullfrac as null_fraction,
       s.stadistinct as distinct,
       s.stawidth as width,
       (case 3 when s.stakind1 then s.stanumbers1 when s.stakind2 then s.stanumbers2 when s.stakind3 then s.stanumbers3
               when s.stakind4 then s.stanumbers4 when s.stakind5 then s.stanumbers5 end)[1] as correlation,
       case when s.stadistinct between 1 and 50 then
           case 1 when s.stakind1 then s.stanumbers1 when s.stakind2 then s.stanumbers2 when s.stakind3 then s.stanumbers3
                  when s.stakind4 then s.stanumbers4 when s.stakind5 then s.stanumbers5 end end as frequencies,
       case when s.stadistinct between 2 and 50 then
           case 1 when s.stakind1 then s.stavalues1::text when s.stakind2 then s.stavalues2::text
                  when s.stakind3 then s.stavalues3::text when s.stakind4 then s.stavalues4::text
                  when s.stakind5 then s.stavalues5::text end::text[] end as values
  from pg_statistic s
  join pg_class c on c.oid = s.starelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = s.starelid and a.attnum = s.staattnum and not a.attisdropped
 where (c.reltuples >= 100 or c.relkind = 'p')
   and (not s.stainherit or c.relkind = 'p')
   and c.relkind in ('r', 'p', 'f', 'm')
   and (not c.relrowsecurity or not row_security_active(c.oid))
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' :
select s.schemaname as schema,
       s.tablename as relation,
       s.attname as column,
       s.null_frac as null_fraction,
       s.n_distinct as distinct,
       s.avg_width as width,
       s.correlation,
       case when s.n_distinct between 1 and 50 then s.most_common_freqs end as frequencies,
       case when s.n_distinct between 2 and 50 then s.most_common_vals::text::text[] end as values
  from pg_stats s
  join pg_namespace n on n.nspname = s.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = s.tablename
 where (c.reltuples >= 100 or c.relkind = 'p')
   and (not s.inherited or c.relkind = 'p')
   and c.relkind in ('r', 'p', 'f', 'm')
   and s.schemaname !~ '^pg_' and s.schemaname <> 'information_schema'}
