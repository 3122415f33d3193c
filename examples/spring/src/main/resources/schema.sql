create table if not exists shop_order (id text primary key, cents bigint not null);
