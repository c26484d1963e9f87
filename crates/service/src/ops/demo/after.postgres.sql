-- Imported without a check; the orphans were never cleaned up.
alter table order_items add constraint order_items_order_id_fkey
  foreign key (order_id) references orders (id) not valid;

-- Rows were loaded with their numbers; the sequences go on behind them, except where somebody forgot.
select setval(pg_get_serial_sequence(t, 'id'), 1000000)
  from unnest(array['categories', 'comments', 'customers', 'order_items', 'orders', 'payments', 'product_attributes', 'products']) t;
analyze;
