package dev.holdfast.postgres;

import dev.holdfast.eventlog.store.EventStore;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.InboxStore;
import dev.holdfast.inbox.store.OffsetStore;
import dev.holdfast.outbox.store.ChannelStore;
import dev.holdfast.outbox.store.LeaseStore;
import dev.holdfast.outbox.store.OperationLog;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxWriter;
import dev.holdfast.outbox.store.ParkingStore;
import dev.holdfast.outbox.store.SchemaManager;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.outbox.store.Upkeep;
import dev.holdfast.outbox.store.WakeUps;
import dev.holdfast.projection.store.ProjectionStore;
import dev.holdfast.reservation.store.ReservationStore;
import dev.holdfast.reservation.store.SemanticLockStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.workflow.store.RunCatalog;
import dev.holdfast.workflow.store.WorkflowStore;
import javax.sql.DataSource;

/**
 * Holdfast's tables in one schema of a PostgreSQL database. Thread-safe; opening touches nothing.
 */
public final class PostgresStore implements Store {
  private final Database database;

  private PostgresStore(Database database) {
    this.database = database;
  }

  /**
   * @param schema 1 to 50 of the characters {@code a-z 0-9 _}, not beginning with a digit
   * @throws dev.holdfast.InvalidConfiguration when the schema's name cannot be used
   */
  public static PostgresStore open(DataSource dataSource, String schema) {
    return new PostgresStore(new Database(dataSource, new SchemaName(schema)));
  }

  @Override
  public SchemaManager schema() {
    return new PostgresSchema(database);
  }

  @Override
  public OutboxWriter writer() {
    return new PostgresWriter(database);
  }

  @Override
  public OutboxLog log() {
    return new PostgresLog(database);
  }

  @Override
  public ChannelStore channels() {
    return new PostgresChannels(database);
  }

  @Override
  public LeaseStore leases() {
    return new PostgresLeases(database);
  }

  @Override
  public ParkingStore parking() {
    return new PostgresParking(database);
  }

  @Override
  public Upkeep upkeep() {
    return new PostgresUpkeep(database);
  }

  @Override
  public WakeUps wakeUps() {
    return new PostgresWakeUps(database);
  }

  @Override
  public OperationLog operations() {
    return new PostgresOperations(database);
  }

  @Override
  public InboxStore inbox() {
    return new PostgresInbox(database);
  }

  @Override
  public OffsetStore offsets() {
    return new PostgresOffsets(database);
  }

  @Override
  public ConsumerParking consumerParking() {
    return new PostgresConsumerParking(database);
  }

  @Override
  public WorkflowStore workflows() {
    return new PostgresWorkflows(database);
  }

  @Override
  public RunCatalog runs() {
    return new PostgresRunCatalog(database);
  }

  @Override
  public DecisionStore decisions() {
    return new PostgresDecisions(database);
  }

  @Override
  public ReservationStore reservations() {
    return new PostgresReservations(database);
  }

  @Override
  public SemanticLockStore semanticLocks() {
    return new PostgresSemanticLocks(database);
  }

  @Override
  public ProjectionStore projections() {
    return new PostgresProjections(database);
  }

  @Override
  public EventStore events() {
    return new PostgresEvents(database);
  }
}
