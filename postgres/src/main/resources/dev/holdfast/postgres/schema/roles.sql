-- Roles: holdfast_writer may publish, holdfast_relay delivers, holdfast_admin operates.
-- Grant them to your users, e.g.: grant holdfast_writer to shop;
do $$ begin create role holdfast_writer nologin; exception when duplicate_object then null; end $$;
do $$ begin create role holdfast_relay nologin; exception when duplicate_object then null; end $$;
do $$ begin create role holdfast_admin nologin; exception when duplicate_object then null; end $$;

revoke all on schema ${schema} from public;
revoke execute on all functions in schema ${schema} from public;
grant usage on schema ${schema} to holdfast_writer, holdfast_relay, holdfast_admin;

grant select on ${schema}.schema_version, ${schema}.store
  to holdfast_writer, holdfast_relay, holdfast_admin;
grant select, insert on ${schema}.attempt_0, ${schema}.attempt_1, ${schema}.attempt_2
  to holdfast_writer;
grant execute on function ${schema}.now() to holdfast_writer, holdfast_relay, holdfast_admin;
grant execute on all functions in schema ${schema} to holdfast_writer;
revoke execute on function ${schema}.append(
  smallint, uuid[], text[], text[], text[], text[], bytea[], jsonb[], text) from holdfast_writer;
-- Of the inbox, what receive calls itself.
revoke execute on function ${schema}.received(integer, text, text),
  ${schema}.remember_received(integer, text, text, bytea, text) from holdfast_writer;
grant select, insert, update on ${schema}.inbox_consumer to holdfast_writer;
grant select, insert, update, delete on ${schema}.log_consumer, ${schema}.log_topic,
  ${schema}.log_offset, ${schema}.log_lane, ${schema}.log_parked
  to holdfast_writer, holdfast_admin;

-- Two-phase commit: whoever runs operations recovers them too, since a branch can be ended by the
-- user who prepared it alone.
grant select, insert, update, delete on ${schema}.decision, ${schema}.participant,
  ${schema}.heuristic, ${schema}.witness, ${schema}.claim to holdfast_writer, holdfast_admin;

-- Reservations are changed by functions, of which these are called by others alone: they could make
-- units out of nothing.
revoke execute on function ${schema}.hold(text, text[], bigint[], bigint, text),
  ${schema}.take_free(text, bigint), ${schema}.take_any(text, bigint),
  ${schema}.gather_stock(text, bigint), ${schema}.spread_stock(text, smallint[], bigint),
  ${schema}.collect_changes(text, integer), ${schema}.expire_reservation(text, timestamptz)
  from holdfast_writer;
grant select on ${schema}.stock, ${schema}.stock_stripe, ${schema}.stock_change,
  ${schema}.reservation, ${schema}.reservation_settings, ${schema}.semantic_lock,
  ${schema}.stock_level, ${schema}.reservation_item, ${schema}.operation_event_reservation
  to holdfast_writer;
grant update on ${schema}.reservation_settings to holdfast_writer, holdfast_admin;

-- Workflows: whoever runs them goes on with those of others.
grant select, insert, update, delete on ${schema}.workflow, ${schema}.workflow_state,
  ${schema}.workflow_journal, ${schema}.workflow_signal, ${schema}.workflow_executor,
  ${schema}.workflow_queue, ${schema}.workflow_audit to holdfast_writer, holdfast_admin;
grant select on ${schema}.workflow_run, ${schema}.workflow_step to holdfast_writer;

-- Events are appended by functions, and read by anybody who may append.
grant select on ${schema}.event, ${schema}.event_archive, ${schema}.event_all, ${schema}.event_tag,
  ${schema}.event_holder, ${schema}.event_snapshot, ${schema}.operation_event_eventlog
  to holdfast_writer;
revoke execute on function ${schema}.archive_events(text, bigint, integer) from holdfast_writer;

-- Projections: whoever carries one out leases its slots.
grant select, insert, update, delete on ${schema}.projection, ${schema}.projection_version,
  ${schema}.projection_slot, ${schema}.projection_parked to holdfast_writer, holdfast_admin;
grant select, insert, update on ${schema}.lease to holdfast_writer;

grant holdfast_writer to holdfast_relay;
grant execute on all functions in schema ${schema} to holdfast_relay, holdfast_admin;
grant select, insert, update, delete on all tables in schema ${schema} to holdfast_relay;
grant select on ${schema}.message_position to holdfast_relay, holdfast_admin;
grant select, update on ${schema}.inbox_turn to holdfast_relay;
-- To import events, whose positions the insert draws.
grant usage on ${schema}.event_position to holdfast_relay;
grant truncate on ${schema}.message_0, ${schema}.message_1, ${schema}.message_2,
  ${schema}.dedupe_0, ${schema}.dedupe_1, ${schema}.dedupe_2,
  ${schema}.attempt_0, ${schema}.attempt_1, ${schema}.attempt_2,
  ${schema}.inbox_0, ${schema}.inbox_1, ${schema}.inbox_2,
  ${schema}.inbox_reply_0, ${schema}.inbox_reply_1, ${schema}.inbox_reply_2 to holdfast_relay;

grant select on all tables in schema ${schema} to holdfast_admin;
-- A new era fences whoever leads, a removed channel leaves its era behind, and after a restore gives messages ids of this cluster.
grant insert, update on ${schema}.lease to holdfast_admin;
grant update (xid) on ${schema}.message_0, ${schema}.message_1, ${schema}.message_2
  to holdfast_admin;
grant insert, update on ${schema}.channel, ${schema}.route, ${schema}.progress, ${schema}.store,
  ${schema}.parked_lane, ${schema}.parked_skip, ${schema}.audit to holdfast_admin;
-- To remove a channel.
grant delete on ${schema}.channel, ${schema}.route, ${schema}.progress, ${schema}.lease,
  ${schema}.parked_lane, ${schema}.parked_message, ${schema}.parked_skip to holdfast_admin;
