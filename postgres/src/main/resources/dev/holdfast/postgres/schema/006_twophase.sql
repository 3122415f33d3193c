-- Holdfast, version 6: two-phase commit. ${schema} is replaced by the schema's name. Released
-- migrations are never changed. Waits for nobody but those who read the view operation_event.
--
-- The same tables serve both sides: decision, participant and heuristic are used in the database
-- that decides, witness and claim in the databases that take part.

-- That an operation is committed, in the commit of its effects here. Inserted before anything is
-- prepared elsewhere: whoever wants to know what became of it inserts the same row, and waits for
-- the transaction that has. The serial is that transaction's id; after a crash it can be handed out
-- again, hence the nonce.
create table ${schema}.decision (
  serial       bigint not null,
  nonce        bigint not null,
  participants text[] not null, -- empty: somebody asks, and is not going to commit
  operation_id text,
  decided_at   timestamptz not null default clock_timestamp(),
  within_ms    integer not null default 0, -- checks would be parsed anew for each insert
  primary key (serial, nonce)
);

-- Checked in the commit: a question is never committed, and an operation not later than it may. A
-- copy of this database that claims the participants waits for longer than that before it aborts.
create function ${schema}.decision_in_time() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.participants = '{}' then
    raise exception using errcode = 'HF013',
      message = 'Whoever asks for a decision must not commit, so it is rolled back.';
  end if;
  if clock_timestamp() > new.decided_at + new.within_ms * interval '1 millisecond' then
    raise exception using errcode = 'HF012',
      message = format('The transaction was to be committed within %s ms after its other databases prepared, and was not, so it is rolled back everywhere.', new.within_ms),
      hint = 'Do less between that and the commit, or raise decideWithin.';
  end if;
  return null;
end $$;

create constraint trigger decision_in_time after insert on ${schema}.decision
deferrable initially deferred for each row execute function ${schema}.decision_in_time();

-- The databases that take part in what is decided here.
create table ${schema}.participant (
  name          text primary key check (name ~ '^[a-z0-9_-]{1,30}$'),
  system        text not null, -- which database it is
  database      text not null,
  timeline      bigint not null,
  place         text not null,
  started       text not null,
  claim         uuid not null,
  next_claim    uuid, -- proposed, by the server that was started then
  next_started  text,
  -- Decisions up to this serial are forgotten: that there is none means nothing any more.
  cleaned       bigint not null default 0 check (cleaned >= 0),
  registered_at timestamptz not null default clock_timestamp(),
  check ((next_claim is null) = (next_started is null))
);

-- Branches that somebody else ended otherwise than decided; kept until somebody takes note.
create table ${schema}.heuristic (
  gid             text primary key,
  serial          bigint not null,
  participant     text not null,
  operation_id    text,
  kind            text not null check (kind in ('ROLLED_BACK', 'COMMITTED', 'TOO_OLD')),
  found_at        timestamptz not null default clock_timestamp(),
  acknowledged_at timestamptz,
  acknowledged    text,
  check ((acknowledged_at is null) = (acknowledged is null))
);

-- In a participant: that a branch was committed, in the branch's own commit.
create table ${schema}.witness (
  store_id     uuid not null,
  participant  text not null,
  serial       bigint not null,
  nonce        bigint not null,
  operation_id text,
  at           timestamptz not null default clock_timestamp(),
  primary key (store_id, participant, serial, nonce)
);

-- In a participant: which of a deciding database and its copies is obeyed.
create table ${schema}.claim (
  store_id    uuid not null,
  participant text not null, -- our name there
  token       uuid not null,
  previous    uuid,
  previous_started text,
  system      text not null,
  database    text not null,
  timeline    bigint not null,
  place       text not null,
  started     text not null,
  claimed_at  timestamptz not null default clock_timestamp(),
  -- Until then whoever is replaced may object, and nothing is aborted in the claim's name.
  settles_at  timestamptz not null,
  -- Witnesses up to this serial are deleted, or have been allowed to be.
  forgotten   bigint not null default 0,
  -- Under this token nothing is prepared up to this serial any more: the transactions are over.
  refused     bigint not null default 0,
  primary key (store_id, participant)
);

-- Locks are waited for in two databases, and nobody sees a deadlock across them.
create function ${schema}.require_lock_timeout() returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('lock_timeout') = '0' then
    raise exception using errcode = 'HF011',
      message = 'A transaction across databases needs a lock_timeout, since nobody sees a deadlock across them, and this one has none; it is rolled back.',
      hint = 'Do not set lock_timeout to 0 inside of it.';
  end if;
end $$;

-- What a commit has to be worth when another database relies on it.
create function ${schema}.require_flush() returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('synchronous_commit') in ('off', 'local', 'remote_write') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
end $$;

-- Writes the decision in the caller's transaction. From here on others may be prepared and wait for
-- this transaction, so that it may not be left alone for long by a client that has died. What holds
-- for nearly every caller is asked here: a call of another function costs as much as the insert.
create function ${schema}.decide(
  p_nonce bigint, p_participants text[], p_operation text, p_within_ms integer,
  p_since_begin boolean
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  ours bigint := pg_current_xact_id()::text::bigint;
  idle text := current_setting('idle_in_transaction_session_timeout');
begin
  if current_setting('lock_timeout') = '0' then
    perform ${schema}.require_lock_timeout();
  end if;
  if current_setting('synchronous_commit') in ('off', 'local', 'remote_write') then
    perform ${schema}.require_flush();
  end if;
  if idle = '0' or idle::interval > p_within_ms * interval '1 millisecond' then
    perform set_config('idle_in_transaction_session_timeout', p_within_ms::text, true);
  end if;
  -- The work may have made all constraints immediate, and the deadline is one.
  set constraints ${schema}.decision_in_time deferred;
  insert into ${schema}.decision (serial, nonce, participants, operation_id, decided_at, within_ms)
  values (ours, p_nonce, p_participants, p_operation,
          case when p_since_begin then transaction_timestamp() else clock_timestamp() end,
          p_within_ms);
  return ours;
end $$;

-- Writes the witness in the branch that is about to be prepared.
create function ${schema}.witness(
  p_store uuid, p_participant text, p_serial bigint, p_nonce bigint, p_operation text, p_claim uuid
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('lock_timeout') = '0' then
    perform ${schema}.require_lock_timeout();
  end if;
  if current_setting('synchronous_commit') in ('off', 'local', 'remote_write') then
    perform ${schema}.require_flush();
  end if;
  insert into ${schema}.witness (store_id, participant, serial, nonce, operation_id)
  select c.store_id, c.participant, p_serial, p_nonce, p_operation from ${schema}.claim c
  where c.store_id = p_store and c.participant = p_participant and c.token = p_claim
    and c.refused < p_serial;
  if not found then
    raise exception using errcode = 'HF010',
      message = 'The database that decides has been claimed anew, or this participant has never been, or the operation stood still until its deciding transaction was over, so nothing is prepared.',
      hint = 'See holdfast doctor.';
  end if;
end $$;

-- What was decided with others. Both are forgotten some minutes later.
create view ${schema}.operation_event_decision as
select operation_id, 1 as step, decided_at as at, 'database'::text as boundary,
       'decide, with ' || array_to_string(participants, ', ') as what, 'DONE'::text as state,
       null::text as owed_by,
       'committed here; whoever of these has not committed yet does so by recovery'::text as detail,
       null::uuid as message_id, null::bigint as position, null::text as channel
from ${schema}.decision
where operation_id is not null;

create view ${schema}.operation_event_witness as
select operation_id, 1 as step, at, 'participant ' || participant as boundary,
       'commit what was prepared' as what, 'DONE'::text as state, null::text as owed_by,
       'decided in the store ' || store_id as detail,
       null::uuid as message_id, null::bigint as position, null::text as channel
from ${schema}.witness
where operation_id is not null;

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
       message_id, position, channel from ${schema}.operation_event_witness;

-- Where the roles were made before this version; roles.sql grants the same to new ones. Whoever
-- runs operations recovers them too: a branch can be ended by the user who prepared it alone.
do $$
declare
  a_role text;
begin
  for a_role in select rolname from pg_roles
    where rolname in ('holdfast_writer', 'holdfast_relay', 'holdfast_admin')
  loop
    execute format('grant execute on function
      ${schema}.decide(bigint, text[], text, integer, boolean),
      ${schema}.witness(uuid, text, bigint, bigint, text, uuid),
      ${schema}.require_lock_timeout(), ${schema}.require_flush(), ${schema}.decision_in_time()
      to %I', a_role);
    execute format('grant select, insert, update, delete on ${schema}.decision,
      ${schema}.participant, ${schema}.heuristic, ${schema}.witness, ${schema}.claim to %I', a_role);
    execute format('grant select on ${schema}.operation_event_decision,
      ${schema}.operation_event_witness to %I', a_role);
  end loop;
end $$;

insert into ${schema}.schema_version (version, name) values (6, 'twophase');
