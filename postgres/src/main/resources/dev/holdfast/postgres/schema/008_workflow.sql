-- Holdfast, version 8: workflows. ${schema} is replaced by the schema's name. Released migrations
-- are never changed. Waits for nobody but those who read the view operation_event.

-- A run as it was started; never updated.
create table ${schema}.workflow (
  run           bigint generated always as identity primary key,
  id            text not null unique check (length(id) between 1 and 200),
  name          text not null,
  version       integer not null check (version >= 1),
  input         json not null,
  fingerprint   bytea not null, -- of name, version and input
  operation_id  text not null,
  attributes    jsonb not null default '{}',
  -- Who gets a signal of this name at the end.
  parent        bigint,
  parent_signal text,
  started_at    timestamptz not null default clock_timestamp(),
  check ((parent is null) = (parent_signal is null))
);
create index workflow_operation on ${schema}.workflow (operation_id);
create index workflow_attributes on ${schema}.workflow using gin (attributes jsonb_path_ops)
  where attributes <> '{}';

-- A process that runs workflows, from its start to its end. Numbers are committed, and flushed,
-- before they are used.
create table ${schema}.workflow_executor (
  executor   bigint generated always as identity primary key,
  owner      text not null,
  expires_at timestamptz not null,
  since      timestamptz not null default clock_timestamp()
);

-- Where a run is. Its row is locked by whoever appends to its journal, and updated by whoever
-- takes it over.
create table ${schema}.workflow_state (
  run         bigint primary key,
  definition  text not null, -- name/version
  status      text not null check
              (status in ('PARKED', 'RUNNING', 'STUCK', 'COMPLETED', 'FAILED', 'CANCELLED')),
  executor    bigint,
  turn        integer not null default 0, -- how often it was taken up
  -- By whatever executors. Of one that is stuck, or goes on behind that: since when something may
  -- have begun that is not recorded.
  running_since timestamptz,
  due_at      timestamptz,
  waits_for   text[] not null default '{}',
  deadline_at timestamptz,
  unwinding   boolean not null default false,
  cancelled   text, -- asked for, and why
  reason      text, -- why it is stuck or has failed
  queue       text,
  queue_key   text not null default '',
  held        boolean not null default false, -- in its queue, until it is let in
  admitted_at timestamptz, -- when it was let in last, which counts for the rate
  changed_at  timestamptz not null default clock_timestamp(),
  check ((status = 'RUNNING') = (executor is not null)),
  check (status <> 'RUNNING' or running_since is not null),
  check (status = 'PARKED' or (due_at is null and waits_for = '{}')),
  check (not held or (queue is not null and status = 'PARKED'))
) with (fillfactor = 70);
create index workflow_state_due on ${schema}.workflow_state (definition, due_at)
  where status = 'PARKED' and due_at is not null and not held;
create index workflow_state_held on ${schema}.workflow_state (queue, queue_key, due_at) where held;
create index workflow_state_queued on ${schema}.workflow_state (queue, due_at) where held;
create index workflow_state_admitted on ${schema}.workflow_state (queue, queue_key)
  where admitted_at is not null and not held and status in ('PARKED', 'RUNNING', 'STUCK');
create index workflow_state_rate on ${schema}.workflow_state (queue, admitted_at)
  where admitted_at is not null;
create index workflow_state_executor on ${schema}.workflow_state (executor)
  where executor is not null;
create index workflow_state_stuck on ${schema}.workflow_state (changed_at) where status = 'STUCK';
create index workflow_state_ended on ${schema}.workflow_state (changed_at)
  where status in ('COMPLETED', 'FAILED', 'CANCELLED');

-- What has become certain of a run.
create table ${schema}.workflow_journal (
  run   bigint not null,
  seq   integer not null check (seq >= 1),
  kind  text not null,
  step  text not null default '',
  value json,
  note  text,
  at    timestamptz not null default clock_timestamp(),
  primary key (run, seq)
);

-- Signals that nobody has received yet. Inserted by whoever sends, who locks nothing of the run.
create table ${schema}.workflow_signal (
  number  bigint generated always as identity primary key,
  run     bigint not null,
  name    text not null,
  value   json,
  note    text,
  sent_at timestamptz not null default clock_timestamp()
);
create index workflow_signal_run on ${schema}.workflow_signal (run, name);

-- Who lets runs in locks the queue's row. Keys take turns: that of last_key was the last.
create table ${schema}.workflow_queue (
  queue    text primary key,
  last_key text
);

-- What people have done to runs.
create table ${schema}.workflow_audit (
  run    bigint not null,
  at     timestamptz not null default clock_timestamp(),
  who    text not null,
  action text not null,
  note   text not null
);
create index workflow_audit_run on ${schema}.workflow_audit (run);

-- Starts a run once for each id. Waits for a transaction that has started the same and is open.
create function ${schema}.workflow_start(
  p_id text, p_name text, p_version integer, p_input text, p_operation text, p_attributes jsonb,
  p_delay_ms bigint, p_at timestamptz, p_deadline_ms bigint, p_queue text, p_queue_key text,
  p_executor bigint, p_parent bigint, p_parent_signal text, out o_run bigint, out o_new boolean, out o_same boolean, out o_deadline timestamptz
)
language plpgsql as $$
declare
  print bytea := sha256(convert_to(p_name || '/' || p_version || '/' || p_input, 'UTF8'));
begin
  perform ${schema}.require_flush();
  insert into ${schema}.workflow
    (id, name, version, input, fingerprint, operation_id, attributes, parent, parent_signal)
  values (p_id, p_name, p_version, p_input::json, print, p_operation, p_attributes, p_parent,
          p_parent_signal)
  on conflict (id) do nothing returning run into o_run;
  o_new := found;
  o_same := true;
  if o_new then
    insert into ${schema}.workflow_state
      (run, definition, status, executor, turn, running_since, due_at, deadline_at, queue,
       queue_key, held)
    values (o_run, p_name || '/' || p_version,
            case when p_executor is null then 'PARKED' else 'RUNNING' end, p_executor,
            case when p_executor is null then 0 else 1 end,
            case when p_executor is not null then ${schema}.now() end,
            case when p_executor is null
                 then greatest(${schema}.now() + coalesce(p_delay_ms, 0) * interval '1 ms', p_at) end,
            ${schema}.now() + p_deadline_ms * interval '1 ms',
            p_queue, coalesce(p_queue_key, ''), p_queue is not null)
    returning deadline_at into o_deadline;
  else
    -- A later statement, which sees what the first one waited for.
    select w.run, w.fingerprint = print into o_run, o_same
    from ${schema}.workflow w where w.id = p_id;
  end if;
end $$;

-- Starts several in one commit. Waits for none of what others are about to start: whoever finds
-- one of these started in an open transaction starts each alone.
create function ${schema}.workflow_start_all(
  p_id text[], p_name text[], p_version integer[], p_input text[], p_operation text[],
  p_attributes text[], p_delay_ms bigint[], p_at timestamptz[], p_deadline_ms bigint[],
  p_queue text[], p_queue_key text[], p_executor bigint[]
) returns table (o_run bigint, o_new boolean, o_same boolean, o_deadline timestamptz)
language plpgsql set lock_timeout = '50ms' as $$
begin
  for i in 1 .. cardinality(p_id) loop
    select s.o_run, s.o_new, s.o_same, s.o_deadline into o_run, o_new, o_same, o_deadline
    from ${schema}.workflow_start(p_id[i], p_name[i], p_version[i], p_input[i], p_operation[i],
      p_attributes[i]::jsonb, p_delay_ms[i], p_at[i], p_deadline_ms[i], p_queue[i], p_queue_key[i],
      p_executor[i], null, null) as s;
    return next;
  end loop;
end $$;

-- Locks, of these runs, those that belong to the executor in this turn, in one order, and appends: a
-- copy of what it sent in an earlier turn, whose reply was lost, has no effect in a later one. The rest is
-- left out, since it has been taken over. An entry that is there was appended by the same, and the
-- reply was lost. Run by run: such statements are planned once, where one for all of them was planned
-- at each call, and most of its parts had nothing to do.
create function ${schema}.workflow_append(
  p_executor bigint,
  p_runs bigint[], p_turns integer[], p_status text[], p_due timestamptz[], p_early boolean[], p_waits text[],
  p_reason text[],
  e_run bigint[], e_seq integer[], e_kind text[], e_step text[], e_value text[], e_note text[],
  p_received bigint[], p_children jsonb
) returns table (o_run bigint, o_cancelled text)
language plpgsql as $$
declare
  child record;
  mine bigint[];
  one bigint;
  its_turn integer;
  becomes text;
  why text;
  asked text[];
  turns bigint[] := array(select e.run from unnest(e_run, e_kind) as e(run, kind)
                          where e.kind = 'UNWINDING');
begin
  perform ${schema}.require_flush();
  for one, its_turn in
    select r.run, r.turn from unnest(p_runs, p_turns) as r(run, turn) order by r.run
  loop
    -- By the run and never by the executor, whose index has what it ever ran: so not with "=".
    select s.cancelled into why from ${schema}.workflow_state s
    where s.run = one and s.executor is not distinct from p_executor and s.turn = its_turn
    for no key update;
    if found then
      mine := mine || one;
      asked := asked || why;
    end if;
  end loop;
  if mine is null then
    return;
  end if;
  -- Nobody else writes to these runs from here on.
  insert into ${schema}.workflow_journal (run, seq, kind, step, value, note)
  select e.run, e.seq, e.kind, e.step, e.value::json, e.note
  from unnest(e_run, e_seq, e_kind, e_step, e_value, e_note)
    as e(run, seq, kind, step, value, note)
  where e.run = any (mine)
  on conflict do nothing;
  if p_received <> '{}' then
    delete from ${schema}.workflow_signal g where g.number = any (p_received) and g.run = any (mine);
  end if;
  if turns <> '{}' then
    update ${schema}.workflow_state s set unwinding = true
    where s.run = any (mine) and s.run = any (turns);
  end if;
  for i in 1 .. cardinality(p_runs) loop
    continue when p_status[i] is null or p_runs[i] <> all (mine);
    one := p_runs[i];
    becomes := p_status[i];
    update ${schema}.workflow_state s
    set status = becomes, executor = null,
        running_since = case when becomes = 'STUCK' then p_due[i] end,
        due_at = case when becomes = 'PARKED'
                      then case when not p_early[i] then p_due[i]
                                when s.cancelled is not null then ${schema}.now()
                                else least(p_due[i], s.deadline_at) end end,
        waits_for = case when becomes = 'PARKED' then p_waits[i]::text[] else '{}' end,
        unwinding = s.unwinding and becomes in ('PARKED', 'STUCK'),
        reason = p_reason[i], changed_at = ${schema}.now()
    where s.run = one;
    if becomes in ('COMPLETED', 'FAILED', 'CANCELLED') then
      insert into ${schema}.workflow_signal (run, name, value, note)
      select w.parent, w.parent_signal,
             (select e.value::json from unnest(e_run, e_kind, e_value) as e(run, kind, value)
              where e.run = one and e.kind = 'COMPLETED'), p_reason[i]
      -- One that is forgotten would keep it for ever.
      from ${schema}.workflow w join ${schema}.workflow p on p.run = w.parent
      where w.run = one;
    end if;
  end loop;
  if p_children is not null then
    -- Behind the fence, whose rows are locked by now.
    for child in
      select c.* from jsonb_to_recordset(p_children) as c(id text, name text, version integer,
                                                 input text, operation text, parent bigint,
                                                 signal text, attributes text)
      where c.parent = any (mine) order by c.id
    loop
      perform ${schema}.workflow_start(child.id, child.name, child.version, child.input,
        child.operation, child.attributes::jsonb, null, null, null, null, null, null, child.parent, child.signal);
      -- In a later statement, which sees what that one waited for.
      insert into ${schema}.workflow_signal (run, name, note)
      select child.parent, child.signal,
             'There is a run ' || child.id || ' already, which somebody else has started.'
      from ${schema}.workflow w
      where w.id = child.id and w.parent is distinct from child.parent;
    end loop;
  end if;
  return query select f.run, f.cancelled from unnest(mine, asked) as f(run, cancelled);
end $$;

-- The same for one run, in the commit of a step's own rows; it ends with them if a status is given.
create function ${schema}.workflow_append_one(
  p_executor bigint, p_run bigint, p_turn integer, e_seq integer[], e_kind text[], e_step text[], e_value text[],
  e_note text[], p_status text
) returns text
language plpgsql as $$
declare
  asked text;
begin
  perform ${schema}.require_flush();
  -- By the run's key, see workflow_append.
  select s.cancelled into asked from ${schema}.workflow_state s
  where s.run = p_run and s.executor is not distinct from p_executor and s.turn = p_turn
  for no key update;
  if not found then
    raise exception using errcode = 'HF014',
      message = 'The run of this step has been taken over by another executor, so its transaction is rolled back.';
  end if;
  insert into ${schema}.workflow_journal (run, seq, kind, step, value, note)
  select p_run, e.seq, e.kind, e.step, e.value::json, e.note
  from unnest(e_seq, e_kind, e_step, e_value, e_note) as e(seq, kind, step, value, note);
  if p_status is not null then
    update ${schema}.workflow_state s
    set status = p_status, executor = null, running_since = null, changed_at = ${schema}.now()
    where s.run = p_run;
    insert into ${schema}.workflow_signal (run, name, value)
    select w.parent, w.parent_signal, e_value[cardinality(e_value)]::json
    from ${schema}.workflow w join ${schema}.workflow p on p.run = w.parent where w.run = p_run;
  end if;
  return asked;
end $$;

-- Has a child undone, in its parent's turn. Locks the parent's row, and then the child's, whose run
-- is the later one. What the child has told its parent before is taken away: its end then is told
-- behind the lock.
create function ${schema}.workflow_undo_child(
  p_executor bigint, p_parent bigint, p_turn integer, p_child text, p_reason text,
  out o_owned boolean, out o_status text
)
language plpgsql as $$
declare
  child bigint;
begin
  perform ${schema}.require_flush();
  perform from ${schema}.workflow_state s
  where s.run = p_parent and s.executor is not distinct from p_executor and s.turn = p_turn
  for no key update;
  o_owned := found;
  if not o_owned then
    return;
  end if;
  select s.run, s.status into child, o_status
  from ${schema}.workflow_state s join ${schema}.workflow w on w.run = s.run
  where w.id = p_child and w.parent = p_parent for no key update of s;
  if not found then
    return;
  end if;
  delete from ${schema}.workflow_signal g using ${schema}.workflow w
  where w.run = child and g.run = p_parent and g.name = w.parent_signal;
  if o_status in ('PARKED', 'RUNNING', 'STUCK') then
    update ${schema}.workflow_state s
    set cancelled = p_reason, held = false, due_at = case when s.status = 'PARKED' then ${schema}.now() end
    where s.run = child and s.cancelled is null;
  elsif o_status = 'COMPLETED'
    and not exists (select from ${schema}.workflow_journal j
                    where j.run = child and j.kind = 'PIVOT') then
    insert into ${schema}.workflow_journal (run, seq, kind, note)
    select child, max(j.seq) + 1, 'UNWINDING', 'cancelled: ' || p_reason
    from ${schema}.workflow_journal j where j.run = child;
    update ${schema}.workflow_state s
    set status = 'PARKED', due_at = ${schema}.now(), unwinding = true, cancelled = p_reason,
        changed_at = ${schema}.now()
    where s.run = child;
    o_status := 'PARKED';
  end if;
end $$;

-- Takes up what belonged to an executor that has expired, what is due, and what has been signalled.
create function ${schema}.workflow_claim(
  p_executor bigint, p_definitions text[], p_limit integer, p_orphans boolean
) returns table (o_run bigint, o_orphan boolean)
language plpgsql as $$
declare
  one text;
  taken bigint[];
  begun bigint[];
  room integer := p_limit;
begin
  if p_orphans then
    -- Or that is not known at all: it was taken up by one that had been buried meanwhile.
    with ready as (
      select s.run from ${schema}.workflow_state s
      where s.executor is not null and s.definition = any (p_definitions)
        and not exists (select from ${schema}.workflow_executor x
                        where x.executor = s.executor and x.expires_at > ${schema}.now())
      order by s.run limit room for no key update skip locked)
    , moved as (
      update ${schema}.workflow_state s
      set executor = p_executor, turn = s.turn + 1, changed_at = ${schema}.now()
      from ready f where s.run = f.run returning s.run)
    select coalesce(array_agg(m.run), '{}') into taken from moved m;
    return query select r, true from unnest(taken) as r;
    room := room - cardinality(taken);
  end if;
  foreach one in array p_definitions loop
    exit when room = 0;
    with ready as (
      select s.run, s.running_since as since from ${schema}.workflow_state s
      where s.status = 'PARKED' and s.due_at <= ${schema}.now() and not s.held
        and s.definition = one
      order by s.due_at limit room for no key update skip locked)
    , moved as (
      update ${schema}.workflow_state s
      set status = 'RUNNING', executor = p_executor, turn = s.turn + 1,
          running_since = coalesce(f.since, ${schema}.now()),
          due_at = null, waits_for = '{}', changed_at = ${schema}.now()
      from ready f where s.run = f.run returning s.run, f.since)
    select coalesce(array_agg(m.run), '{}'), coalesce(array_agg(m.run) filter (where m.since is not null), '{}')
    into taken, begun from moved m;
    return query select r, r = any (begun) from unnest(taken) as r;
    room := room - cardinality(taken);
  end loop;
  if room > 0 then
    with sent as (
      -- By the run's key, whatever the planner thinks of the state table ("offset 0").
      select distinct g.run from ${schema}.workflow_signal g, lateral (
        select s.status, s.definition, s.waits_for from ${schema}.workflow_state s
        where s.run = g.run offset 0) as s
      where g.name = any (s.waits_for) and s.status = 'PARKED'
        and s.definition = any (p_definitions) limit room)
    , ready as (
      select s.run from ${schema}.workflow_state s
      where s.run in (select run from sent) and s.status = 'PARKED'
      for no key update skip locked)
    , moved as (
      update ${schema}.workflow_state s
      set status = 'RUNNING', executor = p_executor, turn = s.turn + 1,
          running_since = ${schema}.now(),
          due_at = null, waits_for = '{}', changed_at = ${schema}.now()
      from ready f where s.run = f.run returning s.run)
    select coalesce(array_agg(m.run), '{}') into taken from moved m;
    return query select r, false from unnest(taken) as r;
  end if;
end $$;

-- Lets runs in that wait in a queue, as far as its bounds allow. Who has not the queue's row lets
-- nothing in; whoever comes behind it counts what it has let in, in later statements.
create function ${schema}.workflow_admit(
  p_queue text, p_definitions text[], p_concurrency integer, p_per_key integer, p_rate integer,
  p_rate_ms bigint, p_limit integer,
  out o_admitted integer, out o_more boolean, out o_next timestamptz
)
language plpgsql as $$
declare
  per interval := p_rate_ms * interval '1 ms';
  last text;
  key text;
  wrapped boolean := false;
  room integer := p_limit;
  n integer;
  keys integer := 0;
begin
  o_admitted := 0;
  o_more := false;
  -- Nothing is written, and nobody waited for, where nothing waits.
  perform from ${schema}.workflow_state s
  where s.queue = p_queue and s.held and s.due_at <= ${schema}.now() limit 1;
  if not found then
    select min(s.due_at) into o_next from ${schema}.workflow_state s
    where s.queue = p_queue and s.held;
    return;
  end if;
  insert into ${schema}.workflow_queue (queue) values (p_queue) on conflict do nothing;
  select q.last_key into last from ${schema}.workflow_queue q
  where q.queue = p_queue for update skip locked;
  if not found then
    return;
  end if;
  if p_concurrency is not null then
    select count(*) into n from ${schema}.workflow_state s
    where s.queue = p_queue and s.admitted_at is not null and not s.held
      and s.status in ('PARKED', 'RUNNING', 'STUCK');
    room := least(room, p_concurrency - n);
  end if;
  if p_rate is not null then
    select count(*), min(s.admitted_at) + per into n, o_next from ${schema}.workflow_state s
    where s.queue = p_queue and s.admitted_at > ${schema}.now() - per;
    room := least(room, p_rate - n);
  end if;
  if room <= 0 then
    return;
  end if;
  if p_per_key is null then
    update ${schema}.workflow_state s set held = false, admitted_at = ${schema}.now()
    where s.run in (
      select f.run from ${schema}.workflow_state f
      where f.queue = p_queue and f.held and f.due_at <= ${schema}.now()
        and f.definition = any (p_definitions)
      order by f.due_at, f.run limit room for no key update skip locked);
    get diagnostics n = row_count;
    o_admitted := n;
    return;
  end if;
  key := last;
  while room > 0 and keys < 1000 loop
    select s.queue_key into key from ${schema}.workflow_state s
    where s.queue = p_queue and s.held and (key is null or s.queue_key > key)
    order by s.queue_key limit 1;
    if key is null then
      exit when wrapped or last is null;
      wrapped := true;
      continue;
    end if;
    exit when wrapped and key > last;
    select p_per_key - count(*) into n from ${schema}.workflow_state s
    where s.queue = p_queue and s.queue_key = key and s.admitted_at is not null and not s.held
      and s.status in ('PARKED', 'RUNNING', 'STUCK');
    if n > 0 then
      update ${schema}.workflow_state s set held = false, admitted_at = ${schema}.now()
      where s.run in (
        select f.run from ${schema}.workflow_state f
        where f.queue = p_queue and f.queue_key = key and f.held and f.due_at <= ${schema}.now()
          and f.definition = any (p_definitions)
        order by f.due_at, f.run limit least(n, room) for no key update skip locked);
      get diagnostics n = row_count;
      room := room - n;
      o_admitted := o_admitted + n;
    end if;
    keys := keys + 1;
  end loop;
  -- Those that are full are not asked about again before the next look.
  o_more := keys = 1000 and (o_admitted > 0 or not wrapped);
  update ${schema}.workflow_queue q set last_key = key where q.queue = p_queue;
end $$;

-- The executor is gone for good when it is expired and nothing belongs to it; one that is only
-- paused registers anew.
create function ${schema}.workflow_bury() returns void
language sql as $$
  delete from ${schema}.workflow_executor x
  where x.expires_at <= ${schema}.now() - interval '1 minute'
    and not exists (select from ${schema}.workflow_state s where s.executor = x.executor)
$$;

-- For people, and for searching by attributes: where attributes @> '{"customer": "c-1"}'.
create view ${schema}.workflow_run as
select w.id, w.name, w.version, s.status, s.unwinding, s.reason, s.due_at, s.waits_for,
       s.queue, s.queue_key, s.held, s.deadline_at, s.cancelled, x.owner as executor, w.operation_id, w.attributes,
       w.started_at, s.changed_at, w.input, w.run
from ${schema}.workflow w
join ${schema}.workflow_state s on s.run = w.run
left join ${schema}.workflow_executor x on x.executor = s.executor;

create view ${schema}.workflow_step as
select w.id, j.seq, j.kind, j.step, j.value, j.note, j.at
from ${schema}.workflow_journal j join ${schema}.workflow w on w.run = j.run;

create view ${schema}.operation_event_workflow as
select w.operation_id, 3 as step, j.at, 'workflow ' || w.name as boundary,
       case when j.step = '' then lower(j.kind) else lower(j.kind) || ' ' || j.step end as what,
       'DONE'::text as state, null::text as owed_by,
       coalesce(j.note, 'run ' || w.id) as detail,
       null::uuid as message_id, null::bigint as position, null::text as channel
from ${schema}.workflow w join ${schema}.workflow_journal j on j.run = w.run
union all
select w.operation_id, 3, s.changed_at, 'workflow ' || w.name, 'run ' || w.id,
       case when s.status in ('COMPLETED', 'FAILED', 'CANCELLED') then 'DONE'
            when s.status = 'STUCK' then 'PARKED' else 'WAITING' end,
       case s.status when 'RUNNING' then coalesce(x.owner, 'whoever takes it over')
                     when 'PARKED' then case when s.held then 'whoever lets runs of queue ' || s.queue || ' in'
                                             else 'whoever runs ' || s.definition end
                     when 'STUCK' then 'a person' end,
       lower(s.status) || coalesce(': ' || s.reason, ''), null, null, null
from ${schema}.workflow w join ${schema}.workflow_state s on s.run = w.run
left join ${schema}.workflow_executor x on x.executor = s.executor;

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
       message_id, position, channel from ${schema}.operation_event_workflow;

-- Where the roles were made before this version; roles.sql grants the same to new ones.
do $$
declare
  a_role text;
begin
  for a_role in select rolname from pg_roles
    where rolname in ('holdfast_writer', 'holdfast_relay', 'holdfast_admin')
  loop
    execute format('grant execute on function
      ${schema}.workflow_start(text, text, integer, text, text, jsonb, bigint, timestamptz, bigint,
                               text, text, bigint, bigint, text),
      ${schema}.workflow_start_all(text[], text[], integer[], text[], text[], text[], bigint[], timestamptz[],
                                   bigint[], text[], text[], bigint[]),
      ${schema}.workflow_append(bigint, bigint[], integer[], text[], timestamptz[], boolean[], text[], text[], bigint[],
                                integer[], text[], text[], text[], text[], bigint[], jsonb),
      ${schema}.workflow_append_one(bigint, bigint, integer, integer[], text[], text[], text[], text[], text),
      ${schema}.workflow_undo_child(bigint, bigint, integer, text, text),
      ${schema}.workflow_claim(bigint, text[], integer, boolean),
      ${schema}.workflow_admit(text, text[], integer, integer, integer, bigint, integer),
      ${schema}.workflow_bury()
      to %I', a_role);
    execute format('grant select, insert, update, delete on ${schema}.workflow,
      ${schema}.workflow_state, ${schema}.workflow_journal, ${schema}.workflow_signal,
      ${schema}.workflow_executor, ${schema}.workflow_queue, ${schema}.workflow_audit to %I', a_role);
    execute format('grant select on ${schema}.workflow_run, ${schema}.workflow_step,
      ${schema}.operation_event_workflow to %I', a_role);
  end loop;
end $$;

insert into ${schema}.schema_version (version, name) values (8, 'workflow');
