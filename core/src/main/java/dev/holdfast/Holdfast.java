package dev.holdfast;

import dev.holdfast.eventlog.EventLog;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.internal.transaction.BufferedTransaction;
import dev.holdfast.internal.twophase.Coordinator;
import dev.holdfast.internal.twophase.OwnerProtocol;
import dev.holdfast.internal.workflow.Engine;
import dev.holdfast.internal.workflow.EngineStart;
import dev.holdfast.internal.workflow.Results;
import dev.holdfast.outbox.ChannelConfig;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.outbox.Relay;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.outbox.store.StoreProvider;
import dev.holdfast.outbox.store.Upkeep;
import dev.holdfast.reservation.Reservations;
import dev.holdfast.reservation.SemanticLocks;
import dev.holdfast.twophase.Atomic;
import dev.holdfast.twophase.AtomicBody;
import dev.holdfast.twophase.AtomicWork;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowListener;
import dev.holdfast.workflow.WorkflowQueue;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import dev.holdfast.workflow.store.WorkflowStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One operation, committed in two places: records messages in the commit of the change they speak
 * of, and delivers them. Made by {@link #on}; one per database and process; thread-safe.
 *
 * <p>What was committed is delivered even if this process dies: by its next start, or by any other
 * process that runs the same channel.
 */
public final class Holdfast implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Holdfast.class);

  private final Store store;
  private final Transactor transactor;
  private final @Nullable Relay relay;
  private final @Nullable Hints hints;
  private final OutboxListener listener;
  private final Coordinator coordinator;
  private final @Nullable Workflows workflows;
  private final boolean isView;
  private volatile @Nullable EventLog eventLog;

  private Holdfast(
      Builder builder,
      Store store,
      @Nullable Relay relay,
      @Nullable Hints hints,
      boolean runsByItself) {
    this.store = store;
    this.relay = relay;
    this.hints = hints;
    this.listener = builder.listener();
    this.transactor =
        new Transactor(
            builder.dataSource,
            store.writer(),
            builder.clock,
            listener,
            hints == null ? () -> {} : hints::committed);
    this.coordinator =
        Coordinator.start(
            new Coordinator.Parts(
                builder.dataSource,
                store,
                store.decisions(),
                listener,
                hints == null ? () -> {} : hints::committed,
                builder.clock,
                builder.twoPhase,
                OwnerProtocol.STANDARD),
            builder.participants,
            runsByItself);
    this.workflows = builder.workflows(store, transactor, runsByItself);
    this.isView = false;
  }

  private Holdfast(Holdfast whole, TransactionRunner runner) {
    this.store = whole.store;
    this.relay = whole.relay;
    this.hints = whole.hints;
    this.listener = whole.listener;
    this.transactor = whole.transactor.by(runner);
    this.coordinator = whole.coordinator.by(runner);
    this.workflows = whole.workflows;
    this.isView = true;
  }

  /**
   * Begins with the database that holds the application's own tables.
   *
   * @param dataSource gives connections; a pool should have at least three for Holdfast's own work
   */
  public static Builder on(DataSource dataSource) {
    return new Builder(dataSource);
  }

  /**
   * Runs work in a transaction of its own: READ COMMITTED, run again on a serialization failure or
   * a deadlock. Messages are written in the same round trip as the commit.
   *
   * @throws OutcomeUnknown when the reply to the commit was lost
   * @throws UnroutedTopic when no channel takes a message's topic; everything is rolled back
   * @throws DatabaseFailure when the database refused a statement; everything is rolled back
   * @throws StoreUnavailable when no connection could be had; nothing was begun
   */
  public void transact(TransactionBody body) {
    transact(TransactionOptions.DEFAULT, body);
  }

  /** As {@link #transact(TransactionBody)}, with options. */
  public void transact(TransactionOptions options, TransactionBody body) {
    transactor.run(
        options,
        tx -> {
          body.run(tx);
          return Boolean.TRUE;
        });
  }

  /** As {@link #transact(TransactionBody)}, with a result. */
  public <T extends @Nullable Object> T transactReturning(TransactionWork<T> work) {
    return transactReturning(TransactionOptions.DEFAULT, work);
  }

  /** As {@link #transact(TransactionBody)}, with options and a result. */
  public <T extends @Nullable Object> T transactReturning(
      TransactionOptions options, TransactionWork<T> work) {
    return transactor.run(options, work);
  }

  /**
   * Records a message in a transaction that somebody else manages, in one round trip. It is
   * delivered if and only if that transaction commits. When recording several messages, hand them
   * over together and late: each call locks its keys until the transaction ends, and two
   * transactions that lock keys call by call can meet in a deadlock.
   *
   * @param connection in a transaction: not in autocommit mode
   * @throws NoTransaction when the connection is in autocommit mode or closed; nothing was written
   * @throws UnroutedTopic when no channel takes the topic; the transaction is aborted
   */
  public void publish(Connection connection, Message message) {
    publish(connection, List.of(message));
  }

  /** As {@link #publish(Connection, Message)}, for several messages in one round trip. */
  public void publish(Connection connection, List<Message> messages) {
    publish(connection, UUID.randomUUID().toString(), messages);
  }

  /** As {@link #publish(Connection, List)}, under the caller's operation id. */
  public void publish(Connection connection, String operationId, List<Message> messages) {
    record(connection, operationId, messages.stream().map(this::announce).toList());
  }

  /**
   * Tells the listeners that a message is being published, in the context of this call, and returns
   * what is to be recorded: for an adapter that keeps messages until just before the commit, and
   * then hands them to {@link #record}. Needs no transaction; nothing is recorded, and a message
   * that is dropped afterwards leaves nothing but what the listeners made of it.
   */
  public Message announce(Message message) {
    return listener.publishing(message);
  }

  /**
   * As {@link #publish(Connection, String, List)}, for what {@link #announce} has returned: of its
   * publishing the listeners are not told again.
   */
  public void record(Connection connection, String operationId, List<Message> messages) {
    if (messages.isEmpty()) {
      return;
    }
    try {
      store.writer().publish(connection, operationId, messages);
      listener.recorded(operationId, messages);
    } catch (SQLException e) {
      throw store.writer().translate("record " + messages.size() + " message(s)", e);
    }
  }

  /**
   * Runs work as a part of a transaction that somebody else manages. What it publishes is written
   * together, in one round trip, when it returns; when it throws, nothing of that is.
   *
   * @param connection in a transaction: not in autocommit mode
   * @param operationId the id that every record of this operation carries, 1 to 200 characters
   * @throws NoTransaction when the connection is in autocommit mode; nothing was done
   */
  public <T extends @Nullable Object> T join(
      Connection connection, String operationId, TransactionWork<T> work) {
    BufferedTransaction tx = new BufferedTransaction(connection, operationId, listener);
    try {
      if (connection.getAutoCommit()) {
        throw new NoTransaction(
            "The connection is in autocommit mode, so there is no transaction to join and nothing was done. Call setAutoCommit(false), or let Holdfast begin one.");
      }
      T result;
      List<Message> messages;
      try {
        result = work.run(tx);
      } finally {
        messages = tx.end();
      }
      if (!messages.isEmpty()) {
        store.writer().publish(connection, operationId, messages);
        listener.recorded(operationId, messages);
      }
      return result;
    } catch (SQLException e) {
      throw store.writer().translate("run operation " + operationId, e);
    }
  }

  /**
   * The same Holdfast, whose {@code transact} runs in transactions that a framework begins and
   * ends; so do an inbox and a consumer that are made of it. What the framework adds to such a
   * transaction by itself is part of it then. All the rest holds as before: what the database wants
   * run again is run again, and a lost reply is {@link OutcomeUnknown}. What the framework commits
   * takes one round trip more. Closing it does nothing.
   *
   * @param runner begins transactions of the database that this was made for
   */
  public Holdfast transactingBy(TransactionRunner runner) {
    return new Holdfast(this, runner);
  }

  /** The database that decides, for naming it in {@link #atomically}: the one this is made on. */
  public Participant decider() {
    return Participant.decider();
  }

  /**
   * Does work in two databases as one: both change, or neither. The transaction of the deciding
   * database is committed with the decision in it after the other has prepared; the other follows,
   * if need be by any process that has this participant. READ COMMITTED in each; run again on a
   * serialization failure, a deadlock, or a lock that was not had in time. Where only one database
   * is changed it is one plain commit.
   *
   * @param deciding {@link #decider()}
   * @param other the other database
   * @throws OutcomeUnknown when the reply to the deciding commit was lost
   * @throws dev.holdfast.twophase.HeuristicOutcome when somebody else rolled the other's branch
   *     back after the decision
   * @throws dev.holdfast.twophase.ClaimLost when the other database obeys a copy of this one;
   *     nothing is committed
   * @throws DatabaseFailure when a database refused a statement, or to prepare; nothing is
   *     committed
   * @throws StoreUnavailable when a database cannot be reached; nothing is committed
   */
  public void atomically(Participant deciding, Participant other, AtomicBody body) {
    atomicallyReturning(
        deciding,
        other,
        (tx, branch) -> {
          body.run(tx, branch);
          return Boolean.TRUE;
        });
  }

  /** As {@link #atomically}, with a result. */
  public <T extends @Nullable Object> T atomicallyReturning(
      Participant deciding, Participant other, AtomicWork<T> work) {
    if (!deciding.isDecider()) {
      throw new InvalidConfiguration(
          "The first database has to be the one that decides, which is decider(), and "
              + deciding
              + " is another. Nothing was begun.");
    }
    return atomic().with(other).runReturning(tx -> work.run(tx, tx.on(other)));
  }

  /** As {@link #atomically}, with more databases, options, or as a part of another transaction. */
  public Atomic atomic() {
    return new Atomic(coordinator);
  }

  /** Looks after what operations across databases have left behind. */
  public TwoPhase twoPhase() {
    return coordinator.recovery();
  }

  /**
   * Runs of workflows: starting, signalling, waiting, operating.
   *
   * @throws InvalidConfiguration when there is no {@linkplain Builder#codec codec}
   */
  public Workflows workflows() {
    if (workflows == null) {
      throw new InvalidConfiguration(
          "Workflows need a codec for their inputs and results, and there is none. Nothing was done. Add dev.holdfast:holdfast-jackson, or set one with codec().");
    }
    return workflows;
  }

  /**
   * Handles incoming messages once each, however often they come.
   *
   * @param consumer names the consumer; keep it stable
   * @throws InvalidConfiguration when the name cannot be used
   * @throws StoreUnavailable when the database cannot be reached
   */
  public Inbox inbox(String consumer, InboxSettings settings) {
    return Inbox.on(this, consumer, settings);
  }

  /**
   * Holds units of stocks until an operation knows whether it goes through. What nobody resolves is
   * given back by the upkeep, and forgotten in time: run it somewhere ({@link
   * Builder#withUpkeep()}).
   */
  public Reservations reservations() {
    return new Reservations(store.reservations());
  }

  /** Locks that last longer than a transaction, against what sagas see of one another. */
  public SemanticLocks semanticLocks() {
    return new SemanticLocks(store.semanticLocks());
  }

  /** Streams of events in this database: state that is what has happened. */
  public EventLog eventLog() {
    EventLog known = eventLog;
    if (known == null) {
      // Appends of threads that have it share commits, so all have the same.
      synchronized (this) {
        known = eventLog;
        if (known == null) {
          known = new EventLog(store.events());
          eventLog = known;
        }
      }
    }
    return known;
  }

  /**
   * Tells relays that something was committed, so that it does not wait for their next look. For
   * whoever publishes on a connection whose commit Holdfast does not see, and calls this behind it.
   * Only a hint: it may come without anything to deliver, and a message whose hint is missing is
   * found by polling. Returns at once, needs no transaction and throws nothing.
   */
  public void wake() {
    if (hints != null) {
      hints.committed();
    }
  }

  /** What the channels configured here are doing in this process. */
  public List<RelayStatus> status() {
    return relay == null ? List.of() : relay.status();
  }

  /** The store, for operating it: pausing, replaying, looking. */
  public Store store() {
    return store;
  }

  /**
   * Ends cleanly: batches under way are finished and leases released. What is not delivered yet
   * stays recorded.
   */
  @Override
  public void close() {
    if (isView) {
      return;
    }
    if (workflows != null) {
      workflows.close();
    }
    coordinator.close();
    if (hints != null) {
      hints.close();
    }
    if (relay != null) {
      relay.close();
    }
  }

  /** Configures {@link Holdfast}. Not thread-safe. */
  public static final class Builder {
    private final DataSource dataSource;
    private final List<ChannelConfig> channels = new ArrayList<>();
    private String schema = "holdfast";
    private boolean migrate = true;
    private RelaySettings relaySettings = RelaySettings.DEFAULT;
    private InstantSource clock = InstantSource.system();
    private String owner = ProcessHandle.current().pid() + "-" + UUID.randomUUID();
    private boolean keepsUp;
    private Upkeep.Settings upkeep = new Upkeep.Settings(null, null, null);
    private final List<OutboxListener> listeners = new ArrayList<>();
    private final List<Participant> participants = new ArrayList<>();
    private TwoPhaseSettings twoPhase = TwoPhaseSettings.DEFAULT;
    private final List<Workflow<?, ?>> definitions = new ArrayList<>();
    private final List<WorkflowListener> workflowListeners = new ArrayList<>();
    private final List<WorkflowQueue> queues = new ArrayList<>();
    private WorkflowSettings workflowSettings = WorkflowSettings.DEFAULT;
    private @Nullable Codec codec;

    private Builder(DataSource dataSource) {
      this.dataSource = dataSource;
    }

    /**
     * Delivers topics to a target, from this process or another that configures the same channel.
     *
     * @param name names the cursor; keep it stable
     * @param topics topics, in which {@code *} stands for any characters
     */
    public Builder channel(String name, Target target, String... topics) {
      if (channels.stream().anyMatch(channel -> channel.name().equals(name))) {
        throw new InvalidConfiguration(
            "Channel " + name + " is configured twice. Nothing was started.");
      }
      channels.add(new ChannelConfig(name, target, List.of(topics)));
      return this;
    }

    /** The schema that holds Holdfast's tables; {@code holdfast} when not set. */
    public Builder schema(String name) {
      this.schema = name;
      return this;
    }

    /**
     * Leaves creating the tables to Flyway, Liquibase or a DBA, who get the SQL from {@code
     * holdfast schema print}. Without this {@link #start} creates and migrates them.
     */
    public Builder schemaManagedElsewhere() {
      this.migrate = false;
      return this;
    }

    public Builder relay(RelaySettings settings) {
      this.relaySettings = settings;
      return this;
    }

    /**
     * Runs the upkeep here although there may be no channel: what has been received, delivered and
     * answered is forgotten in time, delayed messages are moved when they are due, and reservations
     * expire. Every process with a channel does this, one of them at a time. For a database that
     * only receives, or only holds reservations. The user needs the rights of {@code
     * holdfast_relay}.
     */
    public Builder withUpkeep() {
      this.keepsUp = true;
      return this;
    }

    /** How long delivered messages are kept at least; an hour when never set. */
    public Builder retention(Duration value) {
      this.upkeep = new Upkeep.Settings(value, upkeep.dedupeWindow(), upkeep.maxPayloadBytes());
      return this;
    }

    /** How long a dedupe key is remembered at least; a day when never set. */
    public Builder dedupeWindow(Duration value) {
      this.upkeep = new Upkeep.Settings(upkeep.retention(), value, upkeep.maxPayloadBytes());
      return this;
    }

    /** The largest payload; a million bytes, which suits Kafka's defaults, when never set. */
    public Builder maxPayloadBytes(int value) {
      this.upkeep = new Upkeep.Settings(upkeep.retention(), upkeep.dedupeWindow(), value);
      return this;
    }

    /** The source of this process's time; a test's own, perhaps. */
    public Builder clock(InstantSource source) {
      this.clock = source;
      return this;
    }

    /** Names this process among the standbys; must be unique. */
    public Builder owner(String name) {
      this.owner = name;
      return this;
    }

    /** Tells this what happens, beside those that were named before: meters and traces, perhaps. */
    public Builder listener(OutboxListener value) {
      listeners.add(value);
      return this;
    }

    /**
     * Looks after another database that takes part in operations of this one: what an operation
     * left behind there is ended from this process, too. One that is first named by an operation is
     * looked after from then on.
     */
    public Builder participant(Participant value) {
      participants.add(value);
      return this;
    }

    /** How operations across databases are run. */
    public Builder twoPhase(TwoPhaseSettings settings) {
      this.twoPhase = settings;
      return this;
    }

    /** Runs a workflow in this process, beside others that were given it. */
    public Builder workflow(Workflow<?, ?> definition) {
      definitions.add(definition);
      return this;
    }

    /** Lets runs that were put into a queue in, as its bounds allow. */
    public Builder workflowQueue(WorkflowQueue queue) {
      queues.add(queue);
      return this;
    }

    /** How this process runs workflows. */
    public Builder workflows(WorkflowSettings settings) {
      this.workflowSettings = settings;
      return this;
    }

    /** Tells this what workflows do, beside those that were named before. */
    public Builder workflowListener(WorkflowListener value) {
      workflowListeners.add(value);
      return this;
    }

    /** Writes and reads workflows' inputs and results; found on the class path when not set. */
    public Builder codec(Codec value) {
      this.codec = value;
      return this;
    }

    private @Nullable Workflows workflows(
        Store store, Transactor transactor, boolean runsByItself) {
      Codec used = codec == null ? ServiceLoader.load(Codec.class).findFirst().orElse(null) : codec;
      if (used == null) {
        if (definitions.isEmpty()) {
          return null;
        }
        throw new InvalidConfiguration(
            "Workflows need a codec for their inputs and results, and there is none. Nothing was started. Add dev.holdfast:holdfast-jackson, or set one with codec().");
      }
      WorkflowStore runs = store.workflows();
      Results results = new Results(runs);
      WorkflowListener told = WorkflowListener.all(workflowListeners);
      EngineStart engines =
          (those, itsQueues, runner) ->
              Engine.start(
                  new Engine.Parts(
                      runs,
                      runner == null ? transactor : transactor.by(runner),
                      used,
                      workflowSettings,
                      owner,
                      List.copyOf(those),
                      results,
                      List.copyOf(itsQueues),
                      told));
      Workflows made = new Workflows(runs, used, workflowSettings, engines, results, told);
      if (runsByItself && !definitions.isEmpty()) {
        made.execute(definitions, queues, null);
      }
      return made;
    }

    private OutboxListener listener() {
      return OutboxListener.all(listeners);
    }

    /**
     * Checks or migrates the tables, registers the channels and begins to deliver.
     *
     * @throws SchemaMismatch when the tables cannot be used by this version
     * @throws StoreUnavailable when the database cannot be reached
     * @throws InvalidConfiguration when a setting cannot be used
     */
    public Holdfast start() {
      Store store = prepare();
      Relay relay =
          channels.isEmpty() && !keepsUp
              ? null
              : Relay.start(store, channels, relaySettings, owner, listener());
      return new Holdfast(this, store, relay, new Hints(store.wakeUps(), relay), true);
    }

    /**
     * As {@link #start}, but nothing runs by itself: messages are delivered when the caller steps
     * the background work. For tests. Nobody is told of commits by it either; relays elsewhere find
     * them by their own polling.
     */
    public Stepper manual() {
      Store store = prepare();
      Relay relay = Relay.stepped(store, channels, relaySettings, owner, listener());
      return new Stepper(new Holdfast(this, store, relay, null, false), relay);
    }

    private Store prepare() {
      Store store = open(dataSource, schema);
      if (migrate) {
        store.schema().migrate();
      }
      store.schema().verify();
      if (!participants.isEmpty()) {
        store.decisions().verify();
      }
      for (Participant participant : participants) {
        prepare(participant);
      }
      if (upkeep.retention() != null
          || upkeep.dedupeWindow() != null
          || upkeep.maxPayloadBytes() != null) {
        store.upkeep().configure(upkeep);
      }
      return store;
    }

    /** One that cannot be reached is no reason not to start; what is wrong with one is. */
    private void prepare(Participant participant) {
      try {
        if (migrate) {
          participant.branches().schema().migrate();
        }
        participant.branches().schema().verify();
        participant.branches().verify();
      } catch (StoreUnavailable e) {
        log.warn(
            "participant {} cannot be reached and is tried again: {}", participant, e.getMessage());
      }
    }

    private static Store open(DataSource dataSource, String schema) {
      try (Connection connection = dataSource.getConnection()) {
        for (StoreProvider provider : ServiceLoader.load(StoreProvider.class)) {
          if (provider.supports(connection)) {
            return provider.open(dataSource, schema);
          }
        }
        throw new InvalidConfiguration(
            "No store on the class path supports "
                + connection.getMetaData().getDatabaseProductName()
                + ". Add dev.holdfast:holdfast-postgres for PostgreSQL.");
      } catch (SQLException e) {
        throw new StoreUnavailable(
            "The database could not be reached ("
                + e.getMessage()
                + "). Nothing was started. Check the address, the credentials and that the server"
                + " runs.",
            e);
      }
    }
  }
}
