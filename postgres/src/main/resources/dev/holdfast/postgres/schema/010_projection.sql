-- Holdfast, version 10: projections. ${schema} is replaced by the schema's name. Released migrations
-- are never changed. Waits for nobody.

create table ${schema}.projection (
  name text primary key check (length(name) between 1 and 100),
  live integer not null check (live >= 1)
);

create table ${schema}.projection_version (
  name       text not null references ${schema}.projection,
  version    integer not null check (version >= 1),
  slots      integer not null check (slots between 1 and 64),
  created_at timestamptz not null default clock_timestamp(),
  primary key (name, version)
);

-- How far a slot is: moved in the commit of what the events have led to, by whoever finds it where it
-- was. The generation is raised by whoever changes what is parked.
create table ${schema}.projection_slot (
  name       text not null,
  version    integer not null,
  slot       integer not null,
  checkpoint bigint not null default 0 check (checkpoint >= 0),
  generation bigint not null default 0,
  changed_at timestamptz not null default clock_timestamp(),
  primary key (name, version, slot)
) with (fillfactor = 50);

-- Keys whose events wait in the log, from a position on.
create table ${schema}.projection_parked (
  name     text not null,
  version  integer not null,
  key      text not null,
  slot     integer not null,
  position bigint not null,
  reason   text not null,
  released boolean not null default false, -- to be sent by whoever has the channel
  since    timestamptz not null default clock_timestamp(),
  primary key (name, version, key)
);

-- Where the roles were made before this version; roles.sql grants the same to new ones.
do $$
declare
  a_role text;
begin
  for a_role in select rolname from pg_roles
    where rolname in ('holdfast_writer', 'holdfast_relay', 'holdfast_admin')
  loop
    execute format('grant select, insert, update, delete on ${schema}.projection,
      ${schema}.projection_version, ${schema}.projection_slot, ${schema}.projection_parked to %I',
      a_role);
    execute format('grant select, insert, update on ${schema}.lease to %I', a_role);
  end loop;
end $$;

insert into ${schema}.schema_version (version, name) values (10, 'projection');
