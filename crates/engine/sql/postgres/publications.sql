-- One row for each table of a publication, and one for a publication without any.
select p.pubname as name,
       p.puballtables as all_tables,
       p.pubinsert as inserts,
       p.pubupdate as updates,
       p.pubdelete as deletes,
       p.pubtruncate as truncates,
       p.pubviaroot as via_root,
       {pg_publication_namespace.pnnspid ? (select array_agg(s.nspname order by s.nspname)
          from pg_publication_namespace i join pg_namespace s on s.oid = i.pnnspid
         where i.pnpubid = p.oid) : null::text[]} as schemas,
       n.nspname as schema,
       c.relname as relation,
       {pg_publication_rel.prattrs ? (select array_agg(a.attname order by a.attnum)
          from pg_attribute a where a.attrelid = r.prrelid and a.attnum = any (r.prattrs::int2[])) : null::text[]} as columns,
       {pg_publication_rel.prqual ? case when {allowed.locks ? true : r.prrelid <> all (array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.relation is not null))}
            then pg_get_expr(r.prqual, r.prrelid) end : null::text} as filter
  from pg_publication p
  left join pg_publication_rel r on r.prpubid = p.oid
  left join pg_class c on c.oid = r.prrelid
  left join pg_namespace n on n.oid = c.relnamespace
