-- Holdfast, version 4: consumers of a log, whose offsets are kept here. ${schema} is replaced by the
-- schema's name. Released migrations are never changed.

create table ${schema}.log_consumer (
  name   text primary key check (length(name) between 1 and 200),
  state  text not null default 'RUNNING' check (state in ('RUNNING', 'PAUSED')),
  reason text
);

-- The topics that a consumer has begun to read, and which of that name they were.
create table ${schema}.log_topic (
  consumer text not null references ${schema}.log_consumer,
  topic    text not null,
  topic_id uuid not null,
  primary key (consumer, topic)
);

-- Moved by compare-and-set in the transaction of the effects. Few rows, and narrow ones.
create table ${schema}.log_offset (
  consumer     text not null,
  topic        text not null,
  partition_no integer not null check (partition_no >= 0),
  next_offset  bigint not null check (next_offset >= 0),
  leader_epoch integer,          -- of the record before it
  stopped      text,             -- why; null while it is read
  moved_at     timestamptz not null default clock_timestamp(),
  primary key (consumer, topic, partition_no),
  foreign key (consumer, topic) references ${schema}.log_topic
) with (fillfactor = 50);

-- Keys whose records are held back: one could not be handled, and the later ones wait behind it.
create table ${schema}.log_lane (
  consumer     text not null references ${schema}.log_consumer,
  topic        text not null,
  topic_id     uuid not null,
  partition_no integer not null,
  lane         text not null,
  reason       text not null,
  releasing    boolean not null default false, -- an operator wants them handled again, in order
  parked_at    timestamptz not null default clock_timestamp(),
  primary key (consumer, topic_id, partition_no, lane)
);

create table ${schema}.log_parked (
  consumer      text not null,
  topic_id      uuid not null,
  partition_no  integer not null,
  record_offset bigint not null,
  lane          text not null,
  leader_epoch  integer,
  created_ms    bigint not null,
  key           bytea,
  value         bytea,
  header_names  text[] not null,
  header_values bytea[] not null,
  parked_at     timestamptz not null default clock_timestamp(),
  primary key (consumer, topic_id, partition_no, record_offset),
  foreign key (consumer, topic_id, partition_no, lane) references ${schema}.log_lane
);
create index log_parked_lane
  on ${schema}.log_parked (consumer, topic_id, partition_no, lane, record_offset);

-- Moves offsets on from where the caller believes them to be, and returns how many were there. The
-- first statement of a transaction: whoever is behind waits here for the one before, and finds out.
create function ${schema}.move_offsets(
  p_consumer text, p_topics text[], p_topic_ids uuid[], p_partitions integer[], p_from bigint[],
  p_to bigint[], p_epochs integer[], p_idle_ms integer
) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  moved integer;
begin
  -- Not longer than the session's own.
  perform set_config('idle_in_transaction_session_timeout', least(p_idle_ms, nullif((extract(
    epoch from current_setting('idle_in_transaction_session_timeout')::interval) * 1000)::integer,
    0))::text, true);
  -- In one order, so that two that believe to own the same partitions do not meet in a deadlock.
  perform from ${schema}.log_offset o
  join unnest(p_topics, p_partitions) as u(topic, partition_no)
    on o.topic = u.topic and o.partition_no = u.partition_no
  where o.consumer = p_consumer
  order by o.topic, o.partition_no for no key update of o;
  update ${schema}.log_offset o
  set next_offset = u.next, leader_epoch = coalesce(u.epoch, o.leader_epoch),
      moved_at = clock_timestamp()
  from unnest(p_topics, p_topic_ids, p_partitions, p_from, p_to, p_epochs)
    as u(topic, topic_id, partition_no, expected, next, epoch)
  join ${schema}.log_topic t on t.topic = u.topic and t.topic_id = u.topic_id
  where t.consumer = p_consumer and o.consumer = p_consumer and o.topic = u.topic
    and o.partition_no = u.partition_no and o.next_offset = u.expected and o.stopped is null;
  get diagnostics moved = row_count;
  return moved;
end $$;

-- As receive, for many at once and without replies: tells of each what it is, in the order of the
-- ids. Of two alike in one call the second is repeated.
create function ${schema}.receive_all(
  p_consumer text, p_ids text[], p_fingerprints bytea[], p_operations text[]
) returns table (first boolean, mismatch boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  ring ${schema}.inbox_ring;
  previous integer;
  remember constant text := 'with written as (
      insert into ${schema}.inbox_%s (consumer, message_id, fingerprint, operation_id)
      select $1, u.id, u.fingerprint, u.operation
      from unnest($2, $3, $4) with ordinality as u(id, fingerprint, operation, n)
      where u.n = any ($5) order by u.id, u.n
      on conflict do nothing returning message_id)
    select array(select min(u.n) from written w
                 join unnest($2) with ordinality as u(id, n) on u.id = w.message_id
                 where u.n = any ($5) group by u.id)';
  news bigint[] := array(select generate_subscripts(p_ids, 1));
begin
  perform pg_current_xact_id();
  select * into ring from ${schema}.inbox_ring;
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable')
     and ring.turn <> (select last_value from ${schema}.inbox_turn) then
    raise exception using errcode = '40001',
      message = 'The inbox has turned since this transaction''s snapshot.';
  end if;
  previous := (ring.current + 2) % 3;
  if ring.settled is null or pg_snapshot_xmin(pg_current_snapshot()) <= ring.settled then
    execute format(remember, previous)
      into news using p_consumer, p_ids, p_fingerprints, p_operations, news;
  else
    -- One by one, by the key: joined to a segment that was never analyzed, it would be read whole.
    execute format('select array(
        select u.n from unnest($2) with ordinality as u(id, n)
        where (select true from ${schema}.inbox_%s i
               where i.message_id = u.id and i.consumer = $1) is null)', previous)
      into news using p_consumer, p_ids;
  end if;
  execute format(remember, ring.current)
    into news using p_consumer, p_ids, p_fingerprints, p_operations, news;
  -- Whoever was first is committed, or this very call's, and may have seen a later turn.
  select * into ring from ${schema}.inbox_ring;
  previous := (ring.current + 2) % 3;
  return query execute format('
    select u.n = any ($4), u.n <> all ($4) and u.fingerprint is not null and exists (
        select from (select * from ${schema}.inbox_%s union all select * from ${schema}.inbox_%s) i
        where i.message_id = u.id and i.consumer = $1 and i.fingerprint <> u.fingerprint)
    from unnest($2, $3) with ordinality as u(id, fingerprint, n) order by u.n',
    ring.current, previous) using p_consumer, p_ids, p_fingerprints, news;
end $$;

-- Where the roles were made before this version; roles.sql grants the same to new ones.
do $$
begin
  if exists (select from pg_roles where rolname = 'holdfast_writer') then
    grant select, insert, update, delete on ${schema}.log_consumer, ${schema}.log_topic,
      ${schema}.log_offset, ${schema}.log_lane, ${schema}.log_parked to holdfast_writer;
  end if;
  if exists (select from pg_roles where rolname = 'holdfast_admin') then
    grant select, insert, update, delete on ${schema}.log_consumer, ${schema}.log_topic,
      ${schema}.log_offset, ${schema}.log_lane, ${schema}.log_parked to holdfast_admin;
  end if;
end $$;

insert into ${schema}.schema_version (version, name) values (4, 'consumer');
