-- Holdfast, version 3: the inbox. ${schema} is replaced by the schema's name.
-- Released migrations are never changed. Nobody waits for the locks that this takes.

create table ${schema}.inbox_consumer (
  name         text primary key,
  retention_ms bigint not null check (retention_ms >= 1000)
);

-- Of three segments one is written to, the one before is looked at as well, and the one after is
-- emptied whole. See decision 7 for settled.
create table ${schema}.inbox_ring (
  only_row   boolean primary key default true check (only_row),
  current    smallint not null default 0 check (current between 0 and 2),
  turn       bigint not null default 0,
  settled    xid8,
  -- Since when nobody writes to the segment before any more; its ids age from then on.
  closed_at  timestamptz default clock_timestamp()
);
insert into ${schema}.inbox_ring (settled) values (pg_current_xact_id());

-- The ring's turn once more, for those whose snapshot may be older: a sequence shows its last value
-- to everybody.
create sequence ${schema}.inbox_turn as bigint minvalue 0 start 0;

-- What was received. Never updated; what came of it is beside it.
create table ${schema}.inbox_0 (
  consumer     text not null,
  message_id   text not null,
  fingerprint  bytea,
  operation_id text,
  received_at  timestamptz not null default clock_timestamp(),
  primary key (message_id, consumer)
);
create table ${schema}.inbox_1 (like ${schema}.inbox_0 including all);
create table ${schema}.inbox_2 (like ${schema}.inbox_0 including all);
create view ${schema}.inbox as
  select * from ${schema}.inbox_0
  union all select * from ${schema}.inbox_1
  union all select * from ${schema}.inbox_2;

create table ${schema}.inbox_reply_0 (
  consumer     text not null,
  message_id   text not null,
  content_type text not null,
  body         bytea not null,
  primary key (message_id, consumer)
);
create table ${schema}.inbox_reply_1 (like ${schema}.inbox_reply_0 including all);
create table ${schema}.inbox_reply_2 (like ${schema}.inbox_reply_0 including all);
create view ${schema}.inbox_reply as
  select * from ${schema}.inbox_reply_0
  union all select * from ${schema}.inbox_reply_1
  union all select * from ${schema}.inbox_reply_2;

-- What one segment knows of a message. Touches no other: the oldest is emptied meanwhile.
create function ${schema}.received(p_segment integer, p_consumer text, p_id text)
returns table (fingerprint bytea, operation_id text, content_type text, body bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if p_segment = 0 then
    return query
      select i.fingerprint, i.operation_id, r.content_type, r.body
      from ${schema}.inbox_0 i left join ${schema}.inbox_reply_0 r
        on r.message_id = i.message_id and r.consumer = i.consumer
      where i.message_id = p_id and i.consumer = p_consumer;
  elsif p_segment = 1 then
    return query
      select i.fingerprint, i.operation_id, r.content_type, r.body
      from ${schema}.inbox_1 i left join ${schema}.inbox_reply_1 r
        on r.message_id = i.message_id and r.consumer = i.consumer
      where i.message_id = p_id and i.consumer = p_consumer;
  else
    return query
      select i.fingerprint, i.operation_id, r.content_type, r.body
      from ${schema}.inbox_2 i left join ${schema}.inbox_reply_2 r
        on r.message_id = i.message_id and r.consumer = i.consumer
      where i.message_id = p_id and i.consumer = p_consumer;
  end if;
end $$;

-- Writes an id into one segment; false when it is there. Waits for whoever is writing it.
create function ${schema}.remember_received(
  p_segment integer, p_consumer text, p_id text, p_fingerprint bytea, p_operation text
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  written integer;
begin
  if p_segment = 0 then
    insert into ${schema}.inbox_0 (consumer, message_id, fingerprint, operation_id)
    values (p_consumer, p_id, p_fingerprint, p_operation) on conflict do nothing;
  elsif p_segment = 1 then
    insert into ${schema}.inbox_1 (consumer, message_id, fingerprint, operation_id)
    values (p_consumer, p_id, p_fingerprint, p_operation) on conflict do nothing;
  else
    insert into ${schema}.inbox_2 (consumer, message_id, fingerprint, operation_id)
    values (p_consumer, p_id, p_fingerprint, p_operation) on conflict do nothing;
  end if;
  get diagnostics written = row_count;
  return written > 0;
end $$;

-- Lets one transaction in for each id. The others wait for it, and get what it left; with p_wait false
-- they get no row at once while one that came with p_wait false as well has the id in its hands.
create function ${schema}.receive(
  p_consumer text, p_id text, p_fingerprint bytea, p_operation text, p_idle_ms integer,
  p_wait boolean default true
) returns table (
  first boolean, segment integer, fingerprint bytea, operation_id text, content_type text,
  body bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  ring ${schema}.inbox_ring;
  previous integer;
begin
  if p_idle_ms is not null then
    -- Not longer than the session's own.
    perform set_config('idle_in_transaction_session_timeout', least(p_idle_ms, nullif((extract(
      epoch from current_setting('idle_in_transaction_session_timeout')::interval) * 1000)::integer,
      0))::text, true);
  end if;
  -- A look first: a repeated message then costs neither a transaction id nor a forced write.
  select * into ring from ${schema}.inbox_ring;
  previous := (ring.current + 2) % 3;
  first := not exists (select from ${schema}.received(ring.current, p_consumer, p_id))
    and not exists (select from ${schema}.received(previous, p_consumer, p_id));
  -- The lock says that somebody is at it, and nothing more: the index decides. A hash in common with
  -- another id makes one of the two come again.
  if first and not p_wait and not pg_try_advisory_xact_lock(
      hashtextextended(p_id, hashtextextended(p_consumer, hashtextextended('${schema}', 0)))) then
    return;
  end if;
  if first then
    -- The transaction id before the ring: whoever sees an old ring is older than what settles it.
    perform pg_current_xact_id();
    select * into ring from ${schema}.inbox_ring;
    if current_setting('transaction_isolation') in ('repeatable read', 'serializable')
       and ring.turn <> (select last_value from ${schema}.inbox_turn) then
      raise exception using errcode = '40001',
        message = 'The inbox has turned since this transaction''s snapshot.';
    end if;
    previous := (ring.current + 2) % 3;
    if ring.settled is null or pg_snapshot_xmin(pg_current_snapshot()) <= ring.settled then
      -- Somebody may still be writing there.
      first := ${schema}.remember_received(previous, p_consumer, p_id, p_fingerprint, p_operation);
    else
      first := not exists (select from ${schema}.received(previous, p_consumer, p_id));
    end if;
    first := first and ${schema}.remember_received(
      ring.current, p_consumer, p_id, p_fingerprint, p_operation);
    if first then
      segment := ring.current;
      return next;
      return;
    end if;
  end if;
  -- Who came first may have seen a later turn, and has its reply there.
  select * into ring from ${schema}.inbox_ring;
  segment := ring.current;
  return query
    select false, receive.segment, r.fingerprint, r.operation_id, r.content_type, r.body
    from ${schema}.received(receive.segment, p_consumer, p_id) r;
  if not found then
    segment := (ring.current + 2) % 3;
    return query
      select false, receive.segment, r.fingerprint, r.operation_id, r.content_type, r.body
      from ${schema}.received(receive.segment, p_consumer, p_id) r;
  end if;
  if not found then
    raise exception using errcode = '40001',
      message = 'A message was received by a transaction that this one does not see.';
  end if;
end $$;

-- Keeps the reply in the segment of the id, in the same transaction, as long as which the segment
-- stays.
create function ${schema}.keep_reply(
  p_segment integer, p_consumer text, p_id text, p_content_type text, p_body bytea
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if p_segment = 0 then
    insert into ${schema}.inbox_reply_0 values (p_consumer, p_id, p_content_type, p_body);
  elsif p_segment = 1 then
    insert into ${schema}.inbox_reply_1 values (p_consumer, p_id, p_content_type, p_body);
  else
    insert into ${schema}.inbox_reply_2 values (p_consumer, p_id, p_content_type, p_body);
  end if;
end $$;

insert into ${schema}.schema_version (version, name) values (3, 'inbox');
