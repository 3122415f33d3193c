-- Holdfast, version 2: what an operation did, and what it still owes, as views.
-- ${schema} is replaced by the schema's name. Released migrations are never changed.
-- Publishers wait for none of the locks that this takes.

-- Since when a channel has taken a pattern: what was recorded before that and is passed may never
-- have been this channel's to deliver. A table of its own, since a column of route would have
-- taken a lock that waits for every open transaction that has published. For routes that are older
-- than this migration it begins now.
create table ${schema}.route_since (
  channel text not null,
  pattern text not null,
  since   timestamptz not null default clock_timestamp(),
  primary key (channel, pattern)
);

create function ${schema}.note_route() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'DELETE' then
    delete from ${schema}.route_since s where s.channel = old.channel and s.pattern = old.pattern;
  else
    insert into ${schema}.route_since (channel, pattern) values (new.channel, new.pattern)
    on conflict (channel, pattern) do update set since = excluded.since;
  end if;
  return null;
end $$;

create trigger note_route after insert or delete on ${schema}.route
  for each row execute function ${schema}.note_route();

insert into ${schema}.route_since (channel, pattern) select channel, pattern from ${schema}.route;

-- One view for each source of events, all with the columns of operation_event below. A condition on
-- operation_id goes down to the tables, which are scanned once each: an index on the operation
-- would cost every publisher.

-- Commits that wrote an attempt's row, which has no time.
create view ${schema}.operation_event_commit as
select a.operation_id, 1 as step, null::timestamptz as at, 'database' as boundary,
       'commit' as what, 'DONE' as state, null::text as owed_by,
       'attempt ' || a.attempt_id as detail,
       null::uuid as message_id, null::bigint as position, null::text as channel
from (select * from ${schema}.attempt_0
      union all select * from ${schema}.attempt_1
      union all select * from ${schema}.attempt_2) a
where a.committed and a.operation_id is not null;

-- Messages that wait for their time.
create view ${schema}.operation_event_delayed as
select d.operation_id, 2 as step, null::timestamptz as at, 'database' as boundary,
       'record ' || d.topic as what, 'DELAYED' as state,
       coalesce((select l.owner from ${schema}.lease l
                 where l.name = 'upkeep' and l.expires_at > ${schema}.now()),
                'nobody: no relay runs') as owed_by,
       'due at ' || d.due_at || coalesce(', key ' || d.key, '') as detail,
       d.id as message_id, null::bigint as position, null::text as channel
from ${schema}.delayed d;

-- Messages in the outbox, and those of which only what is parked is left; each with what every
-- channel that takes its topic has done about it, by the database's copy of the progress.
create view ${schema}.operation_event_outbox as
select m.operation_id, e.step, e.at, e.boundary, e.what, e.state, e.owed_by, e.detail,
       m.id as message_id, m.position, e.channel
from (select x.operation_id, x.position, x.xid, x.id, x.topic, x.key, x.recorded_at
      from ${schema}.message x where x.kind = 0
      union all
      select distinct k.operation_id, k.position, null::xid8, k.id, k.topic, k.key, k.recorded_at
      from ${schema}.parked_message k
      where not exists (select from ${schema}.message x where x.position = k.position)) m
cross join lateral (
  select 2 as step, m.recorded_at as at, 'database' as boundary, 'record ' || m.topic as what,
         'DONE' as state, null::text as owed_by,
         'position ' || m.position || coalesce(', key ' || m.key, '') as detail,
         null::text as channel
  union all
  select 3, case when v.state in ('PARKED', 'REPLAYING', 'SKIPPED') then k.parked_at end,
         'channel ' || c.name, 'deliver ' || m.topic, v.state,
         case
           when v.state = 'PARKED' then 'an operator: the key is parked'
           when v.state not in ('WAITING', 'REPLAYING') then null
           when c.state = 'PAUSED' then 'an operator: the channel is paused'
           when c.state = 'STOPPED' then 'an operator: the channel is stopped'
           when l.owner is not null and l.expires_at > ${schema}.now() then l.owner
           else 'nobody: no relay leads the channel'
         end,
         case
           when v.state in ('PARKED', 'REPLAYING') then pl.reason
           when v.state = 'SKIPPED' then 'an operator decided not to send it'
           when v.state = 'DELIVERED' then 'before ' || p.updated_at
           when v.state = 'PASSED' then 'recorded before the channel took this topic'
           when m.position >= pl.parked_from then 'its key is parked: ' || pl.reason
           when c.state <> 'RUNNING' then c.reason
         end,
         c.name
  from ${schema}.channel c
  join ${schema}.progress p on p.channel = c.name
  left join ${schema}.lease l on l.name = 'channel/' || c.name
  left join ${schema}.parked_message k on k.channel = c.name and k.position = m.position
  left join ${schema}.parked_skip s on s.channel = c.name and s.position = m.position
  left join ${schema}.parked_lane pl on pl.channel = c.name
    and pl.lane = case when m.key is null then 'p:' || m.position else 'k:' || m.key end
  cross join lateral (
    select count(*) as routes, min(r_since.since) as since
    from ${schema}.route r
    left join ${schema}.route_since r_since
      on r_since.channel = r.channel and r_since.pattern = r.pattern
    where r.channel = c.name and m.topic like r.like_pattern) t
  cross join lateral (
    select case
      when s.position is not null then 'SKIPPED'
      when k.position is not null
        and (pl.release_at is not null
             or pl.released_at is not null and k.position < pl.parked_from) then 'REPLAYING'
      when k.position is not null then 'PARKED'
      when not (m.xid is null or pg_visible_in_snapshot(m.xid, p.from_snapshot)
                or p.to_snapshot is not null and pg_visible_in_snapshot(m.xid, p.to_snapshot)
                   and m.position <= p.position) then 'WAITING'
      when m.recorded_at >= t.since then 'DELIVERED'
      else 'PASSED'
    end as state) v
  where t.routes > 0 or k.position is not null
  union all
  -- Orders about this message, or about its key since it was recorded.
  select 4, a.at, 'operator', lower(a.action) || ' in channel ' || a.channel, 'DONE', null,
         'by ' || a.actor || coalesce(': ' || a.detail, ''), a.channel
  from ${schema}.audit a
  where a.action = 'SKIP' and a.position = m.position
     or a.at >= m.recorded_at
        and a.lane = case when m.key is null then 'p:' || m.position else 'k:' || m.key end
        and exists (select from ${schema}.route r
                    where r.channel = a.channel and m.topic like r.like_pattern)
) e;

-- What operations did at every boundary, and what they owe: the table that people ask. Order by
-- position nulls first, step, at. What has been rotated away is not here any more.
create view ${schema}.operation_event as
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_commit
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_delayed
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_outbox;

comment on view ${schema}.operation_event is
  'What operations did at every boundary, and what they still owe; no payloads.';
comment on column ${schema}.operation_event.operation_id is 'the operation';
comment on column ${schema}.operation_event.step is
  '1 commit, 2 record, 3 delivery, 4 an operator''s order';
comment on column ${schema}.operation_event.at is
  'when it happened; null when that is not recorded, or it has not happened';
comment on column ${schema}.operation_event.boundary is
  'where: database, channel NAME, operator';
comment on column ${schema}.operation_event.what is 'what was, or is to be, done there';
comment on column ${schema}.operation_event.state is
  'DONE, DELAYED, WAITING, PARKED, REPLAYING, DELIVERED, SKIPPED or PASSED';
comment on column ${schema}.operation_event.owed_by is
  'who has to act; null when nothing is owed';
comment on column ${schema}.operation_event.detail is 'more, for people';
comment on column ${schema}.operation_event.message_id is 'the message, if it is about one';
comment on column ${schema}.operation_event.position is 'its position in the outbox';
comment on column ${schema}.operation_event.channel is 'the channel, if it is about one';

-- Where the roles were made before this version; roles.sql grants the same to new ones.
do $$
declare
  a_role text;
begin
  for a_role in select rolname from pg_roles where rolname in ('holdfast_relay', 'holdfast_admin')
  loop
    execute format('grant select on ${schema}.route_since, ${schema}.operation_event_commit,
      ${schema}.operation_event_delayed, ${schema}.operation_event_outbox,
      ${schema}.operation_event to %I', a_role);
  end loop;
end $$;

insert into ${schema}.schema_version (version, name) values (2, 'operation_events');
