-- Imported without a check; the orphans were never cleaned up.
alter table order_items add constraint order_items_order_id_fkey
  foreign key (order_id) references orders (id) not valid;
analyze;
