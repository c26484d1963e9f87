select p.pubname as name,
       p.puballtables as all_tables,
       p.pubupdate or p.pubdelete as updates_or_deletes,
       t.schemas,
       t.tables
  from pg_publication p
  left join (select pubname, array_agg(schemaname order by schemaname, tablename) as schemas,
                    array_agg(tablename order by schemaname, tablename) as tables
               from pg_publication_tables group by pubname) t on t.pubname = p.pubname
