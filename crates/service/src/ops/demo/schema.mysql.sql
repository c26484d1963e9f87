-- A shop that grew: every flaw below is one that real shops have.
create table categories (
  id int auto_increment primary key,
  name varchar(100) not null,
  parent_id int,
  foreign key (parent_id) references categories (id)
);

create table customers (
  id int auto_increment primary key,
  email varchar(150) not null,
  full_name varchar(100) not null,
  phone1 varchar(30),
  phone2 varchar(30),
  phone3 varchar(30),
  city varchar(60),
  country char(2) not null,
  newsletter tinyint(1),
  deleted_at varchar(20),
  unique key customers_email_key (email, deleted_at),
  key customers_city_idx (city),
  key customers_city_country_idx (city, country),
  key customers_newsletter_idx (newsletter)
);

create table products (
  id int auto_increment primary key,
  sku varchar(20) not null,
  name varchar(100) not null,
  category_id int,
  price float not null,
  tags varchar(200),
  weight_g int,
  status varchar(20) not null default 'active',
  unique key sku (sku),
  key products_sku_idx (sku),
  foreign key (category_id) references categories (id)
);

create table product_attributes (
  id int auto_increment primary key,
  product_id int not null,
  attribute varchar(60) not null,
  value text,
  foreign key (product_id) references products (id)
);

create table orders (
  id int auto_increment primary key,
  customer_id int not null,
  status varchar(20) not null,
  ordered_on varchar(20) not null,
  total double not null,
  currency char(3) not null default 'EUR',
  ship_street varchar(100),
  ship_city varchar(60),
  key orders_status_idx (status),
  foreign key (customer_id) references customers (id)
);

-- The old import wrote into a table without transactions, and it stayed.
create table order_items (
  id int auto_increment primary key,
  order_id int not null,
  product_id int not null,
  quantity int not null,
  unit_price double not null
) engine=MyISAM;

create table payments (
  id int auto_increment primary key,
  order_id int not null,
  provider varchar(20) not null,
  amount double not null,
  paid_at varchar(20)
);

create table reviews (
  id int auto_increment primary key,
  product_id int not null,
  customer_id int,
  rating int not null,
  body text,
  foreign key (product_id) references products (id) on delete cascade,
  foreign key (customer_id) references customers (id)
) default charset=latin1;

create table inventory (
  product_id int primary key,
  warehouse varchar(20) not null,
  on_hand int not null,
  foreign key (product_id) references products (id)
);

create table comments (
  id int auto_increment primary key,
  commentable_type varchar(20) not null,
  commentable_id int not null,
  body text not null
);

create table audit_log (
  at varchar(20) not null,
  actor varchar(60),
  what varchar(200) not null
);

create table coupons (
  code varchar(20) primary key,
  percent float not null,
  valid_until varchar(20)
);

create view open_orders as
  select o.id, o.customer_id, o.total from orders o where o.status <> 'closed';
