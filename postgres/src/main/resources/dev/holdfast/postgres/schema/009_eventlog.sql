-- Holdfast, version 9: the event log. ${schema} is replaced by the schema's name. Released migrations
-- are never changed. Waits for nobody but those who read the view operation_event.

-- Cache 1, or a session could keep positions for later transactions of its own, below what readers
-- have passed. Drawn under the lock of the table event alone: see event_mark.
create sequence ${schema}.event_position as bigint cache 1;

-- Never updated. Versions of a stream are 1, 2, 3 without a gap, and its unique index is the
-- compare-and-set. The bounds of names are append_events': a check of a table is parsed anew by each
-- insert, and four of them were a seventh of an append.
create table ${schema}.event (
  position       bigint primary key default nextval('${schema}.event_position'),
  stream         text collate "C" not null,
  version        bigint not null,
  event_id       uuid not null unique,
  type           text not null,
  schema_version integer not null,
  content_type   text not null,
  data           bytea not null,
  metadata       jsonb,
  operation_id   text not null,
  recorded_at    timestamptz not null, -- never runs backwards in a stream
  unique (stream, version)
);
create index event_operation on ${schema}.event (operation_id);

create table ${schema}.event_tag (
  tag      text collate "C" not null,
  position bigint not null,
  primary key (tag, position)
);
create index event_tag_position on ${schema}.event_tag (position);

-- Events of streams to which nothing more is expected, so that the other table stays small. Each is in
-- one of the two, in every snapshot. A stream's last event stays, for its version.
create table ${schema}.event_archive (
  like ${schema}.event including constraints including indexes
);

create view ${schema}.event_all as
  select * from ${schema}.event
  union all select * from ${schema}.event_archive;

-- Moves the oldest of a stream's events. Holds the readers' mark as long as its transaction is open,
-- so it is for short ones.
create function ${schema}.archive_events(p_stream text, p_through bigint, p_limit integer)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  moved integer;
begin
  with old as materialized (
    select e.position from ${schema}.event e
    where e.stream = p_stream
      and e.version <= least(p_through, (
        select max(l.version) - 1 from ${schema}.event l where l.stream = p_stream))
    order by e.version limit p_limit)
  , gone as (
    delete from ${schema}.event e using old where e.position = old.position returning e.*)
  insert into ${schema}.event_archive select * from gone;
  get diagnostics moved = row_count;
  return moved;
end $$;

-- Locks tags, for the rest of the transaction: shared by those who append events that have them,
-- alone by those who append only if there is no such event. 1,024 stripes of a class of our own, in
-- sorted order.
create function ${schema}.lock_tags(p_shared text[], p_alone text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  stripe integer;
  alone boolean;
begin
  for stripe, alone in
    select hashtext(w.tag) & 1023, bool_or(w.alone)
    from (select unnest(p_shared), false union all select unnest(p_alone), true) as w(tag, alone)
    group by 1 order by 1
  loop
    if alone then
      perform pg_advisory_xact_lock(1213156423, stripe);
    else
      perform pg_advisory_xact_lock_shared(1213156423, stripe);
    end if;
  end loop;
end $$;

-- Lets one after the other append to streams of which any version will do; a queue, without which all
-- of them would try for each version. In sorted order.
create function ${schema}.lock_streams(s_stream text[], s_expected bigint[]) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  select pg_advisory_xact_lock(1213156424, hashes.h)
  from (select distinct hashtext(w.stream) as h
        from unnest(s_stream, s_expected) as w(stream, expected)
        where w.expected is null order by 1) as hashes
$$;

-- What is there of these ids: nothing; all of it, as it would be written (REPEATED); something else
-- under one of them (OTHER); or a part (PARTLY).
create function ${schema}.recorded_events(
  s_stream text[], e_stream integer[], e_id uuid[], e_type text[], e_schema integer[],
  e_content_type text[], e_data bytea[], t_event integer[], t_tag text[]
) returns table (o_answer text, o_stream text, o_version bigint, o_position bigint, o_event uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  return query
  with found as (
    select k.n, e.stream, e.version, e.position, e.event_id,
           e.stream = s_stream[k.s] and e.type = k.type and e.schema_version = k.schema
             and e.content_type = k.content_type and e.data = k.data
             and array(select t.tag from ${schema}.event_tag t where t.position = e.position
                       order by 1)
               = array(select t.tag collate "C" from unnest(t_event, t_tag) as t(n, tag)
                       where t.n = k.n order by 1) as same
    from unnest(e_stream, e_id, e_type, e_schema, e_content_type, e_data) with ordinality
           as k(s, id, type, schema, content_type, data, n)
      -- By the index for each: the planner does not know how few there are.
      cross join lateral (
        select x.* from ${schema}.event_all x where x.event_id = k.id offset 0) as e)
  , summed as (
    select case when not bool_and(f.same) then 'OTHER'
                when count(*) < cardinality(e_id) then 'PARTLY' else 'REPEATED' end as answer
    from found f having count(*) > 0)
  select s.answer, f.stream, f.version, f.position, f.event_id
  from found f, summed s where s.answer <> 'OTHER' or not f.same order by f.n;
end $$;

-- Appends to streams, all or nothing, in the caller's transaction, which can go on in any case.
-- s_expected: how many events a stream has to have; null: any number. e_stream: an index into
-- s_stream. t_event, t_tag: which event has which tag, or null.
-- Answers for each event, in order, APPENDED or REPEATED; or once, and nothing is appended: VERSION
-- (the stream is at o_version), TOO_LARGE (o_version bytes, over the bound o_position), OTHER, PARTLY.
-- Locks in READ COMMITTED: waits for an open transaction that has appended behind the same version,
-- at the unique index, and looks again in a later statement.
create function ${schema}.append_events(
  s_stream text[], s_expected bigint[], e_stream integer[], e_id uuid[], e_type text[],
  e_schema integer[], e_content_type text[], e_data bytea[], e_metadata text[], t_event integer[],
  t_tag text[], p_operation text
) returns table (o_answer text, o_stream text, o_version bigint, o_position bigint, o_event uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  n integer := cardinality(e_id);
  bound integer;
  bounded boolean;
  largest integer;
  v_now timestamptz;
  base bigint[];
  since timestamptz[];
  versions bigint[];
  positions bigint[];
  firsts integer[];
  inserted integer;
  rest integer;
begin
  -- Who decides on what a stream holds believes that it is there.
  perform ${schema}.require_flush();
  select s.max_payload_bytes into bound from ${schema}.store s;
  largest := octet_length(e_data[1]);
  bounded := char_length(s_stream[1]) between 1 and 200 and char_length(e_type[1]) between 1 and 200
    and e_schema[1] >= 1;
  if n > 1 then
    select max(octet_length(d)) into largest from unnest(e_data) as d;
    bounded := not exists (select from unnest(s_stream) as s where char_length(s) not between 1 and 200)
      and not exists (select from unnest(e_type, e_schema) as e(type, schema)
                      where char_length(e.type) not between 1 and 200 or e.schema < 1);
  end if;
  if t_tag is not null then
    bounded := bounded and not exists (
      select from unnest(t_tag) as t where char_length(t) not between 1 and 200);
  end if;
  if not bounded then
    raise exception using errcode = '22023',
      message = 'A stream, a type or a tag has not 1 to 200 characters, or a schema version is below 1: nothing was appended.';
  end if;
  if largest > bound then
    return query select 'TOO_LARGE', null::text, largest::bigint, bound::bigint, null::uuid;
    return;
  end if;
  if t_tag is not null then
    perform ${schema}.lock_tags(t_tag, null);
  end if;
  if n > 1 then
    -- Positions are drawn before the rows are inserted, and never without this lock.
    lock table ${schema}.event in row exclusive mode;
    -- Before any row: who has conflicted in one stream and has rows in another that others wait for
    -- would else meet them here.
    perform ${schema}.lock_streams(s_stream, s_expected);
  end if;

  for attempt in 1 .. 100 loop
    v_now := ${schema}.now();
    if n = 1 then
      -- Where the version is another the row is not made; where somebody else has made it, nothing.
      insert into ${schema}.event (stream, version, event_id, type, schema_version, content_type,
                                   data, metadata, operation_id, recorded_at)
      select s_stream[1], coalesce(l.version, 0) + 1, e_id[1], e_type[1], e_schema[1],
             e_content_type[1], e_data[1], e_metadata[1]::jsonb, p_operation,
             greatest(v_now, l.recorded_at)
      from (select) as one left join lateral (
        select e.version, e.recorded_at from ${schema}.event e
        where e.stream = s_stream[1] order by e.version desc limit 1) as l on true
      where s_expected[1] is null or coalesce(l.version, 0) = s_expected[1]
      on conflict do nothing
      returning array[version], array[position] into versions, positions;
      inserted := case when found then 1 else 0 end;
    else
      select array_agg(coalesce(l.version, 0) order by s.i), array_agg(l.recorded_at order by s.i)
        into base, since
      from unnest(s_stream) with ordinality as s(stream, i) left join lateral (
        select e.version, e.recorded_at from ${schema}.event e
        where e.stream = s.stream order by e.version desc limit 1) as l on true;
      inserted := 0;
      if not exists (select from unnest(base, s_expected) as b(is_at, expected)
                     where b.expected <> b.is_at) then
        select array_agg(r.version order by r.k), array_agg(r.k::integer) filter (where r.first)
          into versions, firsts
        from (select k, base[s] + row_number() over (partition by s order by k) as version,
                     row_number() over (partition by s order by k) = 1 as first
              from unnest(e_stream) with ordinality as u(s, k)) as r;
        positions := array(select nextval('${schema}.event_position')
                           from generate_series(1, n));
        -- The first of each stream, in the order of their names, so that two that append to the
        -- same streams meet in no deadlock. Whoever has a stream's next version has all behind it.
        insert into ${schema}.event (position, stream, version, event_id, type, schema_version,
                                     content_type, data, metadata, operation_id, recorded_at)
        select positions[k], s_stream[e_stream[k]], versions[k], e_id[k], e_type[k], e_schema[k],
               e_content_type[k], e_data[k], e_metadata[k]::jsonb, p_operation,
               greatest(v_now, since[e_stream[k]])
        from unnest(firsts) as k order by s_stream[e_stream[k]] collate "C"
        on conflict do nothing;
        get diagnostics inserted = row_count;
        if inserted = cardinality(s_stream) then
          insert into ${schema}.event (position, stream, version, event_id, type, schema_version,
                                       content_type, data, metadata, operation_id, recorded_at)
          select e.position, s_stream[e.s], e.version, e.id, e.type, e.schema, e.content_type,
                 e.data, e.metadata::jsonb, p_operation, greatest(v_now, since[e.s])
          from unnest(positions, e_stream, versions, e_id, e_type, e_schema, e_content_type, e_data,
                      e_metadata) with ordinality
                 as e(position, s, version, id, type, schema, content_type, data, metadata, k)
          where e.k <> all (firsts) order by e.k
          on conflict do nothing;
          get diagnostics rest = row_count;
          inserted := inserted + rest;
        end if;
        if inserted between 1 and n - 1 then
          -- Of our own, which nobody has seen.
          delete from ${schema}.event e where e.position = any (positions);
        end if;
      end if;
    end if;

    if inserted = n then
      if t_tag is not null then
        insert into ${schema}.event_tag (tag, position)
        select t.tag, positions[t.n] from unnest(t_event, t_tag) as t(n, tag);
      end if;
      return query select 'APPENDED', s_stream[a.s], a.version, a.position, a.id
        from unnest(e_stream, versions, positions, e_id) with ordinality
               as a(s, version, position, id, k) order by a.k;
      return;
    end if;

    -- In later statements, which see what the insert has waited for.
    return query select * from ${schema}.recorded_events(
      s_stream, e_stream, e_id, e_type, e_schema, e_content_type, e_data, t_event, t_tag);
    if found then
      return;
    end if;
    return query
      select 'VERSION', s.stream, s.is_at, null::bigint, null::uuid
      from (select w.stream, w.expected, coalesce((
                     select max(e.version) from ${schema}.event e where e.stream = w.stream), 0)
                     as is_at, w.i
            from unnest(s_stream, s_expected) with ordinality as w(stream, expected, i)) as s
      where s.expected <> s.is_at order by s.i limit 1;
    if found then
      return;
    end if;
    if n = 1 then
      -- Any version will do, and others want the next one as well: from now on one after the other.
      perform ${schema}.lock_streams(s_stream, s_expected);
    end if;
  end loop;
  raise exception using errcode = '40001',
    message = 'Others have appended to the same streams at each of 100 attempts, so nothing was appended; it can be tried again.';
end $$;

-- Appends of one event each, which have nothing to do with each other, in one commit: each as
-- append_events would, which is asked about those that are refused or repeated, or are behind others
-- of the same stream here. Their ids are distinct. t_append, t_tag: which append has which tag.
-- Waits for nobody for long: whoever fails by that appends each alone.
create function ${schema}.append_together(
  s_stream text[], s_expected bigint[], e_id uuid[], e_type text[], e_schema integer[],
  e_content_type text[], e_data bytea[], e_metadata text[], t_append integer[], t_tag text[],
  p_operation text[]
) returns table (
  o_append integer, o_answer text, o_stream text, o_version bigint, o_position bigint, o_event uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '50ms' as $$
declare
  bound integer;
  v_now timestamptz := ${schema}.now();
  done integer[];
  versions bigint[];
  positions bigint[];
  tags text[];
begin
  perform ${schema}.require_flush();
  select s.max_payload_bytes into bound from ${schema}.store s;
  if t_tag is not null then
    perform ${schema}.lock_tags(t_tag, null);
  end if;
  with added as (
    insert into ${schema}.event (stream, version, event_id, type, schema_version, content_type,
                                 data, metadata, operation_id, recorded_at)
    select w.stream, coalesce(l.version, 0) + 1, w.id, w.type, w.schema, w.content_type, w.data,
           w.metadata::jsonb, w.operation, greatest(v_now, l.recorded_at)
    from unnest(s_stream, s_expected, e_id, e_type, e_schema, e_content_type, e_data, e_metadata,
                p_operation)
           as w(stream, expected, id, type, schema, content_type, data, metadata, operation)
      left join lateral (
        select e.version, e.recorded_at from ${schema}.event e
        where e.stream = w.stream order by e.version desc limit 1) as l on true
    where (w.expected is null or coalesce(l.version, 0) = w.expected)
      and octet_length(w.data) <= bound and w.schema >= 1
      and char_length(w.stream) between 1 and 200 and char_length(w.type) between 1 and 200
    order by w.stream collate "C"
    on conflict do nothing
    returning event_id, version, position)
  select array_agg(array_position(e_id, a.event_id)), array_agg(a.version), array_agg(a.position)
    into done, versions, positions
  from added a;
  if t_tag is not null then
    insert into ${schema}.event_tag (tag, position)
    select t.tag, positions[array_position(done, t.n)] from unnest(t_append, t_tag) as t(n, tag)
    where t.n = any (done);
  end if;
  return query select d.n, 'APPENDED', s_stream[d.n], d.version, d.position, e_id[d.n]
    from unnest(done, versions, positions) as d(n, version, position);
  if cardinality(done) = cardinality(e_id) then
    return;
  end if;
  for i in 1 .. cardinality(e_id) loop
    if done is null or i <> all (done) then
      tags := array(select t.tag from unnest(t_append, t_tag) as t(n, tag) where t.n = i);
      return query select i, a.* from ${schema}.append_events(
        array[s_stream[i]], array[s_expected[i]], array[1], array[e_id[i]], array[e_type[i]],
        array[e_schema[i]], array[e_content_type[i]], array[e_data[i]], array[e_metadata[i]],
        array_fill(1, array[cardinality(tags)]), case when tags <> '{}' then tags end,
        p_operation[i]) as a;
    end if;
  end loop;
end $$;

-- As append_events, if nothing matches a condition. An item of it is matched by events that have all
-- of its tags and, where it names types, one of them. What is known already is left out: events up
-- to p_since, which is settled, and those of p_seen. Answers CONDITION, with an event that matches.
create function ${schema}.append_events_if(
  s_stream text[], s_expected bigint[], e_stream integer[], e_id uuid[], e_type text[],
  e_schema integer[], e_content_type text[], e_data bytea[], e_metadata text[], t_event integer[],
  t_tag text[], p_operation text,
  q_item integer[], q_tag text[], q_type_item integer[], q_type text[], p_since bigint,
  p_seen bigint[]
) returns table (o_answer text, o_stream text, o_version bigint, o_position bigint, o_event uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  alone text[];
  one text;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'HF030',
      message = 'A condition is examined behind locks, by what is committed when they are had, and this transaction sees what was committed when it began: nothing was appended.',
      hint = 'Append with a condition in a transaction that is READ COMMITTED.';
  end if;
  -- Whoever imports events has this one alone, instead of all tags.
  perform pg_advisory_xact_lock_shared(1213156423, 1024);
  -- Whoever writes an event that matches an item shares the lock of each of its tags; so one of
  -- them is enough.
  alone := array(
    select min(q.tag collate "C") from unnest(q_item, q_tag) as q(item, tag) group by q.item);
  perform ${schema}.lock_tags(t_tag, alone);
  -- First by an index alone, since most repeat nothing and fail on nothing.
  if exists (select from ${schema}.event e where e.event_id = any (e_id))
     or exists (select from ${schema}.event_archive e where e.event_id = any (e_id)) then
    return query select * from ${schema}.recorded_events(
      s_stream, e_stream, e_id, e_type, e_schema, e_content_type, e_data, t_event, t_tag);
    if found then
      return;
    end if;
  end if;
  foreach one in array alone loop
    perform from ${schema}.event_tag x
    where x.tag = one and x.position > p_since and x.position <> all (p_seen) limit 1;
    if found then
      return query
        select 'CONDITION', e.stream, e.version, e.position, e.event_id
        from (select min(m) as position
              from ${schema}.matching_events(q_item, q_tag, q_type_item, q_type, p_since) as m
              where m <> all (p_seen)) as first
          cross join lateral (
            select x.stream, x.version, x.position, x.event_id from ${schema}.event_all x
            where x.position = first.position offset 0) as e;
      if found then
        return;
      end if;
      exit;
    end if;
  end loop;
  return query select * from ${schema}.append_events(
    s_stream, s_expected, e_stream, e_id, e_type, e_schema, e_content_type, e_data, e_metadata,
    t_event, t_tag, p_operation);
end $$;

-- The positions behind p_since of events that match; each once, in no order. "offset 0" keeps the
-- planner from reading whole tables once instead of an index for each: it does not know how few.
create function ${schema}.matching_events(
  q_item integer[], q_tag text[], q_type_item integer[], q_type text[], p_since bigint
) returns setof bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
  select distinct t.position
  from (select q.item, min(q.tag collate "C") as tag from unnest(q_item, q_tag) as q(item, tag)
        group by q.item) as i
    cross join lateral (
      select x.position from ${schema}.event_tag x
      where x.tag = i.tag and x.position > p_since offset 0) as t
  where not exists (
      select from unnest(q_item, q_tag) as o(item, tag)
      where o.item = i.item and o.tag <> i.tag and not exists (
        select from ${schema}.event_tag x
        where x.tag = o.tag and x.position = t.position offset 0)
      offset 0)
    and (i.item <> all (coalesce(q_type_item, '{}')) or exists (
      select from ${schema}.event_all e
      where e.position = t.position and e.type = any (array(
        select y.type from unnest(q_type_item, q_type) as y(item, type) where y.item = i.item))
      offset 0))
$$;

-- How far positions have come, and who may be about to commit one of those: whoever holds the lock
-- under which they are drawn, AFTER that was looked at. When these are gone, everything up to
-- o_last is visible to a statement that begins then. Nothing is looked at where nothing was drawn
-- behind p_settled.
-- The value is read under the lock of the sequence's page: "select last_value" reads it without, and
-- may see the value that is written to the log ahead, which nobody has drawn yet.
-- A transaction that is prepared keeps its name until the server is started again; then, or at once
-- where the server is of before November 2021, it is named by -1 and its id.
create function ${schema}.event_mark(
  p_settled bigint, out o_last bigint, out o_holders text[], out o_lsn pg_lsn, out o_flushed boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'HF030',
      message = 'Events are read by a later statement than those who are about to commit are looked at, and in this transaction it would not see more: nothing was read.',
      hint = 'Read in a transaction that is READ COMMITTED.';
  end if;
  if pg_is_in_recovery() then
    raise exception using errcode = 'HF031',
      message = 'This is a standby, where it cannot be seen who is about to commit: nothing was read.',
      hint = 'Read all events from the primary.';
  end if;
  if not exists (select from pg_sequence s where s.seqrelid = '${schema}.event_position'::regclass
                 and s.seqcache = 1 and s.seqincrement = 1 and not s.seqcycle) then
    raise exception using errcode = 'HF032',
      message = 'The sequence ${schema}.event_position has been altered, and events could be overlooked: nothing was read.',
      hint = 'alter sequence ${schema}.event_position cache 1 increment 1 no cycle; then end the sessions that have drawn from it.';
  end if;
  o_last := coalesce(pg_sequence_last_value('${schema}.event_position'), 0);
  o_holders := '{}';
  o_flushed := true;
  if o_last = p_settled then
    return;
  end if;
  o_holders := array(
    select l.virtualtransaction from pg_locks l
    where l.locktype = 'relation' and l.relation = '${schema}.event'::regclass
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and l.mode = 'RowExclusiveLock' and l.granted);
  o_lsn := pg_current_wal_insert_lsn();
  o_flushed := pg_current_wal_flush_lsn() >= o_lsn;
end $$;

-- Who holds the mark, for people. What a session does is told to itself and to pg_read_all_stats.
create view ${schema}.event_holder as
select l.virtualtransaction as holder, l.pid, a.application_name as application,
       a.usename::text as "user", coalesce(a.xact_start, p.prepared) as since, p.gid
from pg_locks l
left join pg_stat_activity a on a.pid = l.pid
left join pg_locks x
  on l.pid is null and x.pid is null and x.virtualtransaction = l.virtualtransaction
  and x.locktype = 'transactionid' and x.mode = 'ExclusiveLock'
left join pg_prepared_xacts p on p.transaction = x.transactionid
where l.locktype = 'relation' and l.relation = '${schema}.event'::regclass
  and l.database = (select d.oid from pg_database d where d.datname = current_database())
  and l.mode = 'RowExclusiveLock' and l.granted;

-- States that were folded, from which others go on: a cache. Unlogged, so that it is empty after a
-- crash, on a standby that is promoted and in what was restored, and is never ahead of the log.
create unlogged table ${schema}.event_snapshot (
  decider       text collate "C" not null,
  stream        text collate "C" not null,
  state_version integer not null,
  version       bigint not null,
  event_id      uuid not null,
  state         text not null,
  primary key (decider, stream)
);

-- Never in the place of a later one; nor what is too large, which is read from its events then.
create function ${schema}.keep_snapshot(
  p_decider text, p_stream text, p_state_version integer, p_version bigint, p_event uuid, p_state text
) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into ${schema}.event_snapshot as s
    (decider, stream, state_version, version, event_id, state)
  select p_decider, p_stream, p_state_version, p_version, p_event, p_state
  from ${schema}.store b where octet_length(p_state) <= b.max_payload_bytes
  on conflict (decider, stream) do update
  set state_version = excluded.state_version, version = excluded.version,
      event_id = excluded.event_id, state = excluded.state
  where (s.state_version, s.version) < (excluded.state_version, excluded.version)
$$;

create view ${schema}.operation_event_eventlog as
select e.operation_id, 1 as step, e.recorded_at as at, 'database'::text as boundary,
       'append ' || e.type as what, 'DONE'::text as state, null::text as owed_by,
       'version ' || e.version || ' of stream ' || e.stream collate "default" || ', position ' || e.position as detail,
       null::uuid as message_id, null::bigint as position, null::text as channel
from ${schema}.event_all e;

create or replace view ${schema}.operation_event as
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_commit
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_delayed
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_outbox
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_receipt
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_held
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_decision
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_witness
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_reservation
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_workflow
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_eventlog;

-- Where the roles were made before this version; roles.sql grants the same to new ones.
revoke execute on function ${schema}.archive_events(text, bigint, integer) from public;
do $$
declare
  a_role text;
begin
  for a_role in select rolname from pg_roles
    where rolname in ('holdfast_writer', 'holdfast_relay', 'holdfast_admin')
  loop
    execute format('grant execute on function
      ${schema}.lock_tags(text[], text[]), ${schema}.lock_streams(text[], bigint[]),
      ${schema}.recorded_events(text[], integer[], uuid[], text[], integer[], text[], bytea[],
                                integer[], text[]),
      ${schema}.append_events(text[], bigint[], integer[], uuid[], text[], integer[], text[],
                              bytea[], text[], integer[], text[], text),
      ${schema}.append_together(text[], bigint[], uuid[], text[], integer[], text[], bytea[], text[],
                                integer[], text[], text[]),
      ${schema}.append_events_if(text[], bigint[], integer[], uuid[], text[], integer[], text[],
                                 bytea[], text[], integer[], text[], text, integer[], text[],
                                 integer[], text[], bigint, bigint[]),
      ${schema}.matching_events(integer[], text[], integer[], text[], bigint),
      ${schema}.event_mark(bigint),
      ${schema}.keep_snapshot(text, text, integer, bigint, uuid, text) to %I', a_role);
    execute format('grant select on ${schema}.event, ${schema}.event_archive, ${schema}.event_all,
      ${schema}.event_tag, ${schema}.event_holder, ${schema}.event_snapshot,
      ${schema}.operation_event_eventlog to %I', a_role);
  end loop;
  if exists (select from pg_roles where rolname = 'holdfast_relay') then
    grant insert, update, delete on ${schema}.event, ${schema}.event_archive, ${schema}.event_tag,
      ${schema}.event_snapshot to holdfast_relay;
    grant execute on function ${schema}.archive_events(text, bigint, integer) to holdfast_relay;
    grant usage on sequence ${schema}.event_position to holdfast_relay;
  end if;
  if exists (select from pg_roles where rolname = 'holdfast_admin') then
    grant execute on function ${schema}.archive_events(text, bigint, integer) to holdfast_admin;
  end if;
end $$;

insert into ${schema}.schema_version (version, name) values (9, 'eventlog');
