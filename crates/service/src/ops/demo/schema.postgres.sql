-- A shop that grew: every flaw below is one that real shops have.
create extension if not exists pg_stat_statements;

create table categories (
  id serial primary key,
  name text not null,
  parent_id integer references categories (id)
);

create table customers (
  id serial primary key,
  email text not null,
  full_name text not null,
  phone1 text,
  phone2 text,
  phone3 text,
  city text,
  country char(2) not null,
  newsletter integer,
  deleted_at text
);
create unique index customers_email_key on customers (email, deleted_at);
create index customers_city_idx on customers (city);
create index customers_city_country_idx on customers (city, country);
create index customers_newsletter_idx on customers (newsletter);

create table products (
  id serial primary key,
  sku varchar(20) not null unique,
  name text not null,
  category_id integer references categories (id),
  price double precision not null,
  tags text,
  weight_g integer,
  status text not null default 'active'
);
create index products_sku_idx on products (sku);

create table product_attributes (
  id serial primary key,
  product_id integer not null references products (id),
  attribute text not null,
  value text
);

create table orders (
  id serial primary key,
  customer_id integer not null references customers (id),
  status text not null,
  ordered_on text not null,
  total double precision not null,
  currency char(3) not null default 'EUR',
  ship_street text,
  ship_city text,
  changed_at timestamp default now()
);
create index orders_customer_idx on orders (customer_id);
create index orders_status_idx on orders (status);

-- The index on order_id was dropped during an import and never came back.
create table order_items (
  id serial primary key,
  order_id integer not null,
  product_id integer not null references products (id),
  quantity integer not null,
  unit_price double precision not null
);

create table payments (
  id serial primary key,
  order_id integer not null,
  provider text not null,
  amount double precision not null,
  paid_at text,
  response json
);

create table reviews (
  id serial primary key,
  product_id integer not null references products (id) on delete cascade,
  customer_id integer references customers (id),
  rating integer not null,
  body text
);

create table inventory (
  product_id integer primary key references products (id),
  warehouse text not null,
  on_hand integer not null
);

create table comments (
  id serial primary key,
  commentable_type text not null,
  commentable_id integer not null,
  body text not null
);

create table audit_log (
  at text not null,
  actor text,
  what text not null
);

create table coupons (
  code text primary key,
  percent real not null,
  valid_until text
);

create view open_orders as
  select o.id, o.customer_id, o.total from orders o where o.status <> 'closed';

-- Support staff see their own customers; the condition was loosened for a test and stayed.
create table support_notes (
  id serial primary key,
  customer_id integer not null references customers (id),
  note text not null
);
create index support_notes_customer_idx on support_notes (customer_id);
alter table support_notes enable row level security;
create policy support_notes_all on support_notes using (true or customer_id = 0);

create function order_total(order_number integer) returns double precision
  language sql security definer
  as 'select sum(quantity * unit_price) from order_items where order_id = order_number';

-- Ticket numbers began where the old system ended.
create table tickets (
  id serial primary key,
  subject text not null
);
select setval('tickets_id_seq', 2040000000);
