-- Holdfast, version 1: the outbox. ${schema} is replaced by the schema's name.
-- Released migrations are never changed.

create schema if not exists ${schema};

create table ${schema}.schema_version (
  version    integer primary key check (version >= 1),
  name       text not null,
  applied_at timestamptz not null default clock_timestamp()
);

-- The clock that decides ownership and expiry. Tests replace it to move time.
create function ${schema}.now() returns timestamptz
language sql stable as $$ select clock_timestamp() $$;

-- Which store this is, and its settings; one row.
create table ${schema}.store (
  only_row          boolean primary key default true check (only_row),
  store_id          uuid not null default gen_random_uuid(),
  retention_ms      bigint not null default 3600000 check (retention_ms >= 0),
  dedupe_window_ms  bigint not null default 86400000 check (dedupe_window_ms >= 1000),
  max_payload_bytes integer not null default 1000000
                    check (max_payload_bytes between 1 and 16777216)
);
insert into ${schema}.store default values;

-- Rings of tables of which one is written to and the next is emptied whole.
create table ${schema}.ring (
  name       text primary key check (name in ('message', 'dedupe', 'attempt')),
  current    smallint not null default 0 check (current between 0 and 2),
  rotated_at timestamptz not null default clock_timestamp()
);
insert into ${schema}.ring (name) values ('message'), ('dedupe'), ('attempt');

-- Drawn after the key's lock is held; cache 1, so that the order of drawing is the order of values.
create sequence ${schema}.message_position as bigint cache 1;

create table ${schema}.message_0 (
  position     bigint primary key default nextval('${schema}.message_position'),
  xid          xid8 not null default pg_current_xact_id(),
  kind         smallint not null default 0 check (kind in (0, 1, 2)), -- message, park, unpark
  id           uuid not null,
  topic        text not null,
  key          text,
  type         text not null,
  content_type text not null,
  payload      bytea,
  headers      jsonb,
  operation_id text,
  recorded_at  timestamptz not null default clock_timestamp()
);
create index message_0_xid on ${schema}.message_0 (xid);
create table ${schema}.message_1 (like ${schema}.message_0 including defaults including constraints);
alter table ${schema}.message_1 add primary key (position);
create index message_1_xid on ${schema}.message_1 (xid);
create table ${schema}.message_2 (like ${schema}.message_0 including defaults including constraints);
alter table ${schema}.message_2 add primary key (position);
create index message_2_xid on ${schema}.message_2 (xid);

-- Always all segments: nobody can know which one a writer still hits.
create view ${schema}.message as
  select * from ${schema}.message_0
  union all select * from ${schema}.message_1
  union all select * from ${schema}.message_2;

create table ${schema}.dedupe_0 (
  topic text not null, dedupe_key text not null, message_id uuid not null,
  primary key (dedupe_key, topic)
);
create table ${schema}.dedupe_1 (like ${schema}.dedupe_0 including all);
create table ${schema}.dedupe_2 (like ${schema}.dedupe_0 including all);

-- The row by which a lost reply to a commit is resolved. The segment follows from the time in the
-- attempt, so that the one who asks looks where the one who committed wrote.
create table ${schema}.attempt_0 (
  attempt_id   uuid primary key,
  committed    boolean not null, -- false: somebody asked first, and it can never commit
  operation_id text
);
create table ${schema}.attempt_1 (like ${schema}.attempt_0 including all);
create table ${schema}.attempt_2 (like ${schema}.attempt_0 including all);

-- Messages that are not due yet; moved into the log by a transaction when they are.
create table ${schema}.delayed (
  id           uuid primary key,
  due_at       timestamptz not null,
  topic        text not null,
  key          text,
  type         text not null,
  content_type text not null,
  payload      bytea,
  headers      jsonb,
  operation_id text
);
create index delayed_due on ${schema}.delayed (due_at);

create table ${schema}.lease (
  name       text primary key,
  owner      text,
  epoch      bigint not null default 0 check (epoch >= 0),
  expires_at timestamptz not null
);

create table ${schema}.channel (
  name       text primary key,
  state      text not null default 'RUNNING' check (state in ('RUNNING', 'PAUSED', 'STOPPED')),
  reason     text,
  created_at timestamptz not null default clock_timestamp()
);

create table ${schema}.route (
  channel      text not null references ${schema}.channel,
  pattern      text not null,
  like_pattern text not null,
  -- Set when the route is being closed: no longer accepted, still delivered.
  closing      xid8,
  -- Set later, by a transaction that began when the closing had been seen: whoever published under
  -- the open route has a lower transaction id.
  horizon      xid8,
  primary key (channel, pattern)
);

-- The database's copy of each channel's progress: trails the target's by about a second.
create table ${schema}.progress (
  channel       text primary key references ${schema}.channel,
  from_snapshot pg_snapshot not null,
  to_snapshot   pg_snapshot,
  position      bigint not null default 0,
  replayed      bigint not null default 0,
  record        text,
  era           integer not null default 1 check (era >= 1),
  system        text not null,
  -- How often it was copied: a clone, or a database that has lost commits, is behind.
  copies        bigint not null default 0,
  updated_at    timestamptz not null default clock_timestamp(),
  check (to_snapshot is not null or (position = 0 and replayed = 0))
);

create table ${schema}.parked_lane (
  channel     text not null references ${schema}.channel,
  lane        text not null check (lane ~ '^[kp]:'),
  parked_from bigint not null, -- messages of the lane from this position on are held back
  release_at  bigint,          -- the control row that is to release all of it
  released_at bigint,          -- the control row that released what lies before parked_from
  reason      text not null,
  parked_at   timestamptz not null default clock_timestamp(),
  primary key (channel, lane)
);

create table ${schema}.parked_message (
  channel      text not null references ${schema}.channel,
  position     bigint not null,
  lane         text not null,
  id           uuid not null,
  topic        text not null,
  key          text,
  type         text not null,
  content_type text not null,
  payload      bytea,
  headers      jsonb,
  operation_id text,
  recorded_at  timestamptz not null,
  parked_at    timestamptz not null default clock_timestamp(),
  primary key (channel, position)
);
create index parked_message_lane on ${schema}.parked_message (channel, lane, position);

-- An operator's decision not to send a parked message; the message stays readable.
create table ${schema}.parked_skip (
  channel  text not null,
  position bigint not null,
  primary key (channel, position),
  foreign key (channel, position) references ${schema}.parked_message
);

create table ${schema}.audit (
  at       timestamptz not null default clock_timestamp(),
  actor    text not null,
  action   text not null,
  channel  text,
  lane     text,
  position bigint,
  detail   text
);

-- Locks the keys, then draws the positions. 1,024 stripes of a class of our own, in sorted order;
-- the lock is held until the transaction is over and its rows are visible.
create function ${schema}.lock_keys(p_keys text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock(1213156420, stripe)
  from (select distinct hashtext(k) & 1023 as stripe
        from unnest(p_keys) as k where k is not null order by 1) as stripes;
end $$;

-- Writes rows into the current segment, whose keys are locked already.
create function ${schema}.append(
  p_kind smallint, p_ids uuid[], p_topics text[], p_keys text[], p_types text[],
  p_content_types text[], p_payloads bytea[], p_headers jsonb[], p_operation text
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  segment smallint;
  last_position bigint;
begin
  select current into segment from ${schema}.ring where name = 'message';
  if segment = 0 then
    insert into ${schema}.message_0
      (kind, id, topic, key, type, content_type, payload, headers, operation_id)
    select p_kind, m.id, m.topic, m.key, m.type, m.content_type, m.payload, m.headers, p_operation
    from unnest(p_ids, p_topics, p_keys, p_types, p_content_types, p_payloads, p_headers)
      with ordinality as m(id, topic, key, type, content_type, payload, headers, n) order by m.n;
  elsif segment = 1 then
    insert into ${schema}.message_1
      (kind, id, topic, key, type, content_type, payload, headers, operation_id)
    select p_kind, m.id, m.topic, m.key, m.type, m.content_type, m.payload, m.headers, p_operation
    from unnest(p_ids, p_topics, p_keys, p_types, p_content_types, p_payloads, p_headers)
      with ordinality as m(id, topic, key, type, content_type, payload, headers, n) order by m.n;
  else
    insert into ${schema}.message_2
      (kind, id, topic, key, type, content_type, payload, headers, operation_id)
    select p_kind, m.id, m.topic, m.key, m.type, m.content_type, m.payload, m.headers, p_operation
    from unnest(p_ids, p_topics, p_keys, p_types, p_content_types, p_payloads, p_headers)
      with ordinality as m(id, topic, key, type, content_type, payload, headers, n) order by m.n;
  end if;
  return currval('${schema}.message_position');
end $$;

-- Remembers a dedupe key; false when it was known. The advisory lock makes up for the unique index
-- being blind across segments; under REPEATABLE READ the share lock on the ring turns a rotation
-- since the snapshot into a serialization failure.
create function ${schema}.remember(p_topic text, p_dedupe_key text, p_id uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  segment smallint;
  written integer;
begin
  perform pg_advisory_xact_lock(1213156421, hashtext(p_topic || ' ' || p_dedupe_key) & 1023);
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    select current into segment from ${schema}.ring where name = 'dedupe' for share;
  else
    select current into segment from ${schema}.ring where name = 'dedupe';
  end if;
  if exists (select from ${schema}.dedupe_0 d where d.dedupe_key = p_dedupe_key and d.topic = p_topic)
    or exists (select from ${schema}.dedupe_1 d where d.dedupe_key = p_dedupe_key and d.topic = p_topic)
    or exists (select from ${schema}.dedupe_2 d where d.dedupe_key = p_dedupe_key and d.topic = p_topic)
  then
    return false;
  end if;
  if segment = 0 then
    insert into ${schema}.dedupe_0 values (p_topic, p_dedupe_key, p_id) on conflict do nothing;
  elsif segment = 1 then
    insert into ${schema}.dedupe_1 values (p_topic, p_dedupe_key, p_id) on conflict do nothing;
  else
    insert into ${schema}.dedupe_2 values (p_topic, p_dedupe_key, p_id) on conflict do nothing;
  end if;
  get diagnostics written = row_count;
  return written > 0;
end $$;

-- Records messages in the caller's transaction; see the manual for the meaning of each array. Most
-- transactions have one message, for which queries are what costs: there are two, and otherwise
-- expressions, which plpgsql evaluates without one.
create function ${schema}.publish_all(
  p_ids uuid[], p_topics text[], p_keys text[], p_types text[], p_content_types text[],
  p_payloads bytea[], p_headers text[], p_due timestamptz[], p_dedupe_keys text[], p_operation text
) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  ours xid8;
  unrouted text;
  bound integer;
  segment smallint;
  largest integer;
  n integer;
  kept integer[];
  order_by_key integer[];
begin
  -- The transaction id first: a route that is closed later knows then that we may use it.
  ours := pg_current_xact_id();
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    -- Our snapshot may be older than that: a route closed since is a serialization failure.
    perform from ${schema}.route r
    where exists (select from unnest(p_topics) t where t like r.like_pattern) for share;
  end if;
  if cardinality(p_ids) = 1 then
    select s.max_payload_bytes, g.current,
           case when not exists (select from ${schema}.route r
                                 where r.closing is null and p_topics[1] like r.like_pattern)
                then p_topics[1] end
      into bound, segment, unrouted
    from ${schema}.store s, ${schema}.ring g where g.name = 'message';
    largest := octet_length(p_payloads[1]);
  else
    select t.topic into unrouted
    from (select distinct unnest(p_topics) as topic) t
    where not exists (
      select from ${schema}.route r where r.closing is null and t.topic like r.like_pattern)
    limit 1;
    select s.max_payload_bytes into bound from ${schema}.store s;
    select max(octet_length(p)) into largest from unnest(p_payloads) as p;
  end if;
  if unrouted is not null then
    raise exception using errcode = 'HF001',
      message = format('No channel takes the topic "%s", so nothing was recorded.', unrouted),
      hint = 'Configure a channel whose topics match it, and start it once.';
  end if;
  if largest > bound then
    raise exception using errcode = 'HF002',
      message = format('A payload has %s bytes, over the store''s bound of %s, so nothing was recorded.',
                       largest, bound),
      hint = 'Store it elsewhere and publish a reference, or raise max_payload_bytes.';
  end if;

  if p_due is null and p_dedupe_keys is null then
    if cardinality(p_ids) > 1 then
      perform ${schema}.lock_keys(p_keys);
      perform ${schema}.append(0::smallint, p_ids, p_topics, p_keys, p_types, p_content_types,
                               p_payloads, p_headers::jsonb[], p_operation);
    elsif cardinality(p_ids) = 1 then
      if p_keys[1] is not null then
        -- As lock_keys does.
        perform pg_advisory_xact_lock(1213156420, hashtext(p_keys[1]) & 1023);
      end if;
      -- As append does.
      if segment = 0 then
        insert into ${schema}.message_0
          (id, topic, key, type, content_type, payload, headers, operation_id)
        values (p_ids[1], p_topics[1], p_keys[1], p_types[1], p_content_types[1], p_payloads[1],
                p_headers[1]::jsonb, p_operation);
      elsif segment = 1 then
        insert into ${schema}.message_1
          (id, topic, key, type, content_type, payload, headers, operation_id)
        values (p_ids[1], p_topics[1], p_keys[1], p_types[1], p_content_types[1], p_payloads[1],
                p_headers[1]::jsonb, p_operation);
      else
        insert into ${schema}.message_2
          (id, topic, key, type, content_type, payload, headers, operation_id)
        values (p_ids[1], p_topics[1], p_keys[1], p_types[1], p_content_types[1], p_payloads[1],
                p_headers[1]::jsonb, p_operation);
      end if;
    end if;
    return cardinality(p_ids);
  end if;

  -- Dedupe keys are locked in sorted order, like message keys, and before them.
  select array_agg(i order by hashtext(p_topics[i] || ' ' || p_dedupe_keys[i]) & 1023, i)
    into order_by_key
  from generate_subscripts(p_ids, 1) as i where p_dedupe_keys[i] is not null;
  kept := array(select generate_subscripts(p_ids, 1));
  if order_by_key is not null then
    foreach n in array order_by_key loop
      if not ${schema}.remember(p_topics[n], p_dedupe_keys[n], p_ids[n]) then
        kept := array_remove(kept, n);
      end if;
    end loop;
  end if;

  insert into ${schema}.delayed
    (id, due_at, topic, key, type, content_type, payload, headers, operation_id)
  select p_ids[i], p_due[i], p_topics[i], p_keys[i], p_types[i], p_content_types[i],
         p_payloads[i], p_headers[i]::jsonb, p_operation
  from unnest(kept) as i where p_due[i] > ${schema}.now();

  kept := array(select i from unnest(kept) as i
                where p_due[i] is null or p_due[i] <= ${schema}.now() order by i);
  -- now() may have moved between the two statements: what was delayed stays delayed.
  kept := array(select i from unnest(kept) as i
                where not exists (select from ${schema}.delayed d where d.id = p_ids[i]) order by i);
  if cardinality(kept) > 0 then
    perform ${schema}.lock_keys(array(select p_keys[i] from unnest(kept) as i));
    perform ${schema}.append(0::smallint,
      array(select p_ids[i] from unnest(kept) with ordinality as k(i, o) order by o),
      array(select p_topics[i] from unnest(kept) with ordinality as k(i, o) order by o),
      array(select p_keys[i] from unnest(kept) with ordinality as k(i, o) order by o),
      array(select p_types[i] from unnest(kept) with ordinality as k(i, o) order by o),
      array(select p_content_types[i] from unnest(kept) with ordinality as k(i, o) order by o),
      array(select p_payloads[i] from unnest(kept) with ordinality as k(i, o) order by o),
      array(select p_headers[i]::jsonb from unnest(kept) with ordinality as k(i, o) order by o),
      p_operation);
  end if;
  return cardinality(p_ids);
end $$;

-- For triggers and programs in any language: one message in the current transaction.
create function ${schema}.publish(
  topic text, key text, payload jsonb, type text default null, headers jsonb default null,
  deliver_at timestamptz default null, dedupe_key text default null,
  id uuid default gen_random_uuid(), operation_id text default null
) returns uuid
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  return ${schema}.publish_bytes(topic, key, convert_to(payload::text, 'UTF8'), 'application/json',
                                 type, headers, deliver_at, dedupe_key, id, operation_id);
end $$;

create function ${schema}.publish_bytes(
  topic text, key text, payload bytea, content_type text default 'application/octet-stream',
  type text default null, headers jsonb default null,
  deliver_at timestamptz default null, dedupe_key text default null,
  id uuid default gen_random_uuid(), operation_id text default null
) returns uuid
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- A bounded repetition in the expression would cost 57 us a call.
  if topic is null or topic = '' or length(topic) > 249 or topic ~ '[^A-Za-z0-9._-]' then
    raise exception using errcode = 'HF002',
      message = format('The topic %s is not 1 to 249 of the characters A-Z a-z 0-9 . _ - so nothing was recorded.',
                       quote_nullable(left(topic, 300)));
  end if;
  if key = '' or length(key) > 512 then
    raise exception using errcode = 'HF002',
      message = format('The key has %s characters, and must have 1 to 512, so nothing was recorded.',
                       length(key));
  end if;
  if length(type) > 255 or length(content_type) > 255 or length(dedupe_key) > 512
     or octet_length(headers::text) > 16384 then
    raise exception using errcode = 'HF002',
      message = 'The type, content type, dedupe key or headers are over their bounds (255, 255, 512 characters; 16384 bytes), so nothing was recorded.';
  end if;
  if headers is not null and (jsonb_typeof(headers) <> 'object'
     or exists (select from jsonb_each(headers) as h where jsonb_typeof(h.value) <> 'string')) then
    raise exception using errcode = 'HF002',
      message = 'The headers are not a JSON object of strings, so nothing was recorded.';
  end if;
  perform ${schema}.publish_all(
    array[id], array[topic], array[key], array[coalesce(type, topic)], array[content_type],
    array[payload], array[headers::text],
    case when deliver_at is null then null else array[deliver_at] end,
    case when dedupe_key is null then null else array[dedupe_key] end, operation_id);
  return id;
end $$;

-- Writes the attempt's row, unless the transaction has changed nothing.
create function ${schema}.record_attempt(
  p_segment smallint, p_attempt uuid, p_operation text, p_committed boolean
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if p_committed and pg_current_xact_id_if_assigned() is null then
    return;
  end if;
  if p_segment = 0 then
    insert into ${schema}.attempt_0 values (p_attempt, p_committed, p_operation);
  elsif p_segment = 1 then
    insert into ${schema}.attempt_1 values (p_attempt, p_committed, p_operation);
  else
    insert into ${schema}.attempt_2 values (p_attempt, p_committed, p_operation);
  end if;
end $$;

-- The same two in one call: what Holdfast sends together with the commit.
create function ${schema}.publish_and_record(
  p_ids uuid[], p_topics text[], p_keys text[], p_types text[], p_content_types text[],
  p_payloads bytea[], p_headers text[], p_due timestamptz[], p_dedupe_keys text[], p_operation text,
  p_segment smallint, p_attempt uuid
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  published integer;
begin
  published := ${schema}.publish_all(p_ids, p_topics, p_keys, p_types, p_content_types, p_payloads,
                                     p_headers, p_due, p_dedupe_keys, p_operation);
  -- As record_attempt does; publishing has changed something.
  if p_segment = 0 then
    insert into ${schema}.attempt_0 values (p_attempt, true, p_operation);
  elsif p_segment = 1 then
    insert into ${schema}.attempt_1 values (p_attempt, true, p_operation);
  else
    insert into ${schema}.attempt_2 values (p_attempt, true, p_operation);
  end if;
end $$;

-- Moves delayed messages that are due into the log, oldest first. A key that somebody holds is left
-- for the next time, so that it delays neither other keys' messages nor the renewal of the lease
-- under which this runs. A few are waited for: a busy key's lock is never simply free. The longer
-- messages are overdue the longer, up to half a second each, since behind many publishers, or slow
-- ones, a moment is never enough.
create function ${schema}.move_due(p_limit integer) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  timeout_before text := current_setting('lock_timeout');
  free integer[];
  busy integer[];
  stripe integer;
  due ${schema}.delayed[];
  m ${schema}.delayed;
begin
  -- One answer for a stripe, so that a key's messages are moved in their order or not at all.
  select array_agg(t.s) filter (where t.is_free),
         array_agg(t.s order by random()) filter (where not t.is_free)
    into free, busy
  from (select stripes.s, pg_try_advisory_xact_lock(1213156420, stripes.s) as is_free
        from (select distinct hashtext(d.key) & 1023 as s
              from (select x.key from ${schema}.delayed x where x.due_at <= ${schema}.now()
                    order by x.due_at, x.id limit 10 * p_limit) d
              where d.key is not null) stripes) t;
  perform set_config('lock_timeout', (select least(500, 50 + extract(epoch from
      ${schema}.now() - coalesce(min(x.due_at), ${schema}.now())) * 50)::integer
    from ${schema}.delayed x where x.due_at <= ${schema}.now()) || 'ms', true);
  foreach stripe in array coalesce(busy[1:3], '{}') loop
    begin
      perform pg_advisory_xact_lock(1213156420, stripe);
      free := free || stripe;
    exception when lock_not_available then
      null; -- the next time
    end;
  end loop;
  perform set_config('lock_timeout', timeout_before, true);

  due := array(select d from ${schema}.delayed d
               where d.due_at <= ${schema}.now()
                 and (d.key is null or hashtext(d.key) & 1023 = any (free))
               order by d.due_at, d.id limit p_limit for update skip locked);
  foreach m in array due loop
    perform ${schema}.append(0::smallint, array[m.id], array[m.topic], array[m.key], array[m.type],
      array[m.content_type], array[m.payload], array[m.headers], m.operation_id);
  end loop;
  delete from ${schema}.delayed where id in (select (d).id from unnest(due) as d);
  -- A route that was closed meanwhile has to outlast these, too: its horizon is set anew.
  update ${schema}.route r set horizon = null
  where r.closing is not null
    and exists (select from unnest(due) as d where (d).topic like r.like_pattern);
  return cardinality(due);
end $$;

insert into ${schema}.schema_version (version, name) values (1, 'outbox');
