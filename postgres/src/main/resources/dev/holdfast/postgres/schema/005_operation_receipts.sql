-- Holdfast, version 5: who has received what of an operation, in the views of version 2. ${schema} is
-- replaced by the schema's name. Released migrations are never changed. Waits for nobody but those
-- who read the view operation_event.

-- What an inbox has received. A condition on operation_id goes down to the tables, which are scanned
-- once each: an index on the operation would cost every receipt. While the ring settles after a turn
-- an id is in two segments.
create view ${schema}.operation_event_receipt as
select i.operation_id, 5 as step, i.received_at as at, 'consumer ' || i.consumer as boundary,
       'handle ' || i.message_id as what, 'DONE' as state, null::text as owed_by,
       coalesce((select 'a reply is kept: ' || r.content_type || ', ' || octet_length(r.body) || ' bytes'
                 from ${schema}.inbox_reply r
                 where r.message_id = i.message_id and r.consumer = i.consumer limit 1),
                'no reply is kept') as detail,
       case when i.message_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
            then i.message_id::uuid end as message_id,
       null::bigint as position, null::text as channel
from (select x.operation_id, x.consumer, x.message_id, min(x.received_at) as received_at
      from (select operation_id, consumer, message_id, received_at from ${schema}.inbox_0
            union all
            select operation_id, consumer, message_id, received_at from ${schema}.inbox_1
            union all
            select operation_id, consumer, message_id, received_at from ${schema}.inbox_2) x
      where x.operation_id is not null
      group by x.operation_id, x.consumer, x.message_id) i;

-- What a consumer of a log holds back, by the header that names the operation. The bytes are anybody's:
-- an id is taken as it is when it is ASCII, and what is not is left out, since convert_from would fail.
-- All that is parked is looked through, which the consumers' maxParked bounds.
create view ${schema}.operation_event_held as
select h.operation_id, 5 as step, k.parked_at as at, 'consumer ' || k.consumer as boundary,
       'handle ' || l.topic || '-' || k.partition_no || ' at offset ' || k.record_offset as what,
       case when l.releasing then 'REPLAYING' else 'PARKED' end as state,
       case when not l.releasing then 'an operator: the key is parked'
            when c.state = 'PAUSED' then 'an operator: the consumer is paused'
            else 'consumer ' || k.consumer end as owed_by,
       'lane ' || k.lane || ': ' || l.reason as detail,
       null::uuid as message_id, null::bigint as position, null::text as channel
from ${schema}.log_parked k
join ${schema}.log_lane l on l.consumer = k.consumer and l.topic_id = k.topic_id
  and l.partition_no = k.partition_no and l.lane = k.lane
join ${schema}.log_consumer c on c.name = k.consumer
cross join lateral (
  select encode(u.value, 'escape') as operation_id
  from unnest(k.header_names, k.header_values) with ordinality as u(name, value, n)
  where u.name = 'ce_operationid'
  order by u.n desc limit 1) h
where h.operation_id <> '' and strpos(h.operation_id, '\') = 0;

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
       message_id, position, channel from ${schema}.operation_event_held;

comment on column ${schema}.operation_event.step is
  '1 commit, 2 record, 3 delivery, 4 an operator''s order, 5 a consumer';
comment on column ${schema}.operation_event.boundary is
  'where: database, channel NAME, operator, consumer NAME';

-- Where the roles were made before this version; roles.sql grants the same to new ones.
do $$
declare
  a_role text;
begin
  for a_role in select rolname from pg_roles where rolname in ('holdfast_relay', 'holdfast_admin')
  loop
    execute format('grant select on ${schema}.operation_event_receipt,
      ${schema}.operation_event_held, ${schema}.log_consumer, ${schema}.log_topic,
      ${schema}.log_offset, ${schema}.log_lane, ${schema}.log_parked to %I', a_role);
  end loop;
end $$;

insert into ${schema}.schema_version (version, name) values (5, 'operation_receipts');
