package dev.holdfast.outbox.store;

import dev.holdfast.eventlog.store.EventStore;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.InboxStore;
import dev.holdfast.inbox.store.OffsetStore;
import dev.holdfast.projection.store.ProjectionStore;
import dev.holdfast.reservation.store.ReservationStore;
import dev.holdfast.reservation.store.SemanticLockStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.workflow.store.RunCatalog;
import dev.holdfast.workflow.store.WorkflowStore;

/**
 * A database as Holdfast uses it. Thread-safe. Opening one touches nothing; {@link #schema()} says
 * whether the tables are there.
 */
public interface Store {

  SchemaManager schema();

  OutboxWriter writer();

  OutboxLog log();

  ChannelStore channels();

  LeaseStore leases();

  ParkingStore parking();

  Upkeep upkeep();

  WakeUps wakeUps();

  OperationLog operations();

  InboxStore inbox();

  OffsetStore offsets();

  ConsumerParking consumerParking();

  DecisionStore decisions();

  WorkflowStore workflows();

  RunCatalog runs();

  ReservationStore reservations();

  SemanticLockStore semanticLocks();

  EventStore events();

  ProjectionStore projections();
}
