-- A shop that grew: every flaw below is one that real shops have.
pragma journal_mode = delete;

create table categories (
  id integer primary key,
  name text not null,
  parent_id integer references categories (id)
);

create table customers (
  id integer primary key,
  email text not null,
  full_name text not null,
  phone1 text,
  phone2 text,
  phone3 text,
  city text,
  country char(2) not null,
  newsletter boolean,
  deleted_at text
);
create unique index customers_email_key on customers (email, deleted_at);
create index customers_city_idx on customers (city);
create index customers_city_country_idx on customers (city, country);
create index customers_newsletter_idx on customers (newsletter);

create table products (
  id integer primary key,
  sku varchar(20) not null unique,
  name text not null,
  category_id integer references categories (id),
  price float not null,
  tags text,
  weight_g integer,
  status text not null default 'active'
);
create index products_sku_idx on products (sku);

-- Attributes as rows: quick to add, slow and untyped to read.
create table product_attributes (
  id integer primary key,
  product_id integer not null references products (id),
  attribute text not null,
  value text
);

create table orders (
  id integer primary key,
  customer_id integer not null references customers (id),
  status text not null,
  ordered_on text not null,
  total float not null,
  currency char(3) not null default 'EUR',
  ship_street text,
  ship_city text
);
create index orders_customer_idx on orders (customer_id);
create index orders_status_idx on orders (status);

-- The index on order_id was dropped during an import and never came back.
create table order_items (
  id integer primary key,
  order_id integer not null references orders (id),
  product_id integer not null references products (id),
  quantity int not null,
  unit_price float not null
);

create table payments (
  id integer primary key,
  order_id integer not null,
  provider text not null,
  amount float not null,
  paid_at text
);

create table reviews (
  id integer primary key,
  product_id integer not null references products (id) on delete cascade,
  customer_id integer references customers (id),
  rating integer not null,
  body text
);

create table inventory (
  product_id int primary key references products (id),
  warehouse text not null,
  on_hand integer not null
);

create table comments (
  id integer primary key,
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
  select o.id, o.customer_id, o.total from orders o where o.status <> "closed";
