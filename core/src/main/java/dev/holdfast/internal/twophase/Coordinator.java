package dev.holdfast.internal.twophase;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.TransactionOptions;
import dev.holdfast.TransactionRunner;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.internal.Backoff;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.twophase.OwnerProtocol.Event;
import dev.holdfast.internal.twophase.OwnerProtocol.State;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.outbox.store.OutboxWriter;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.twophase.Atomic;
import dev.holdfast.twophase.Joined;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Probe;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import dev.holdfast.twophase.store.StaleClaim;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Runs operations across databases. Thread-safe. */
public final class Coordinator implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Coordinator.class);

  /** How long to wait for a transaction whose connection is lost, when asked about it. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** What a coordinator is made of. */
  public record Parts(
      DataSource dataSource,
      Store store,
      DecisionStore decisions,
      OutboxListener listener,
      Runnable recorded,
      InstantSource clock,
      TwoPhaseSettings settings,
      OwnerProtocol protocol) {}

  private final Parts parts;
  private final OutboxWriter writer;
  private final Claims claims;
  private final AtomicReference<@Nullable UUID> storeId;
  private final Set<Gid> live = ConcurrentHashMap.newKeySet();
  private final SecondPhase secondPhase;
  private final Recovery recovery;
  private final @Nullable TransactionRunner runner;

  private Coordinator(Parts parts, List<Participant> participants) {
    this.parts = parts;
    this.writer = parts.store().writer();
    this.storeId = new AtomicReference<>();
    this.claims = new Claims(parts.decisions(), parts.settings().settle());
    this.secondPhase = new SecondPhase(this, parts.settings());
    this.recovery = new Recovery(this, participants);
    this.runner = null;
  }

  private Coordinator(Coordinator whole, TransactionRunner runner) {
    this.parts = whole.parts;
    this.writer = whole.writer;
    this.storeId = whole.storeId;
    this.claims = whole.claims;
    this.secondPhase = whole.secondPhase;
    this.recovery = whole.recovery;
    this.runner = runner;
  }

  /**
   * Runs operations and recovers those of others.
   *
   * @param runsByItself whether recovery has threads of its own
   */
  public static Coordinator start(
      Parts parts, List<Participant> participants, boolean runsByItself) {
    Coordinator coordinator = new Coordinator(parts, participants);
    if (runsByItself) {
      coordinator.recovery.start();
    }
    return coordinator;
  }

  /** The same, whose deciding transactions this one begins and ends. */
  public Coordinator by(TransactionRunner other) {
    return new Coordinator(this, other);
  }

  DecisionStore decisions() {
    return parts.decisions();
  }

  TwoPhaseSettings settings() {
    return parts.settings();
  }

  OutboxListener listener() {
    return parts.listener();
  }

  /** Asked for when there is a participant, and once. */
  UUID storeId() {
    UUID known = storeId.get();
    if (known == null) {
      known = parts.decisions().identity().storeId();
      storeId.set(known);
    }
    return known;
  }

  Claims claims() {
    return claims;
  }

  SecondPhase secondPhase() {
    return secondPhase;
  }

  /** Branches that this process is at: nobody here has to ask about them. */
  Set<Gid> live() {
    return live;
  }

  OwnerProtocol protocol() {
    return parts.protocol();
  }

  /** Looks after what operations leave behind. */
  public Recovery recovery() {
    return recovery;
  }

  /** What it means that a branch that was decided to commit is not prepared any more. */
  Optional<Heuristic.Kind> goneThoughDecided(Participant participant, Gid gid) {
    boolean witnessed = participant.branches().witnessed(List.of(gid)).contains(gid);
    boolean forgotten = !witnessed && isForgotten(gid);
    return RecoveryProtocol.afterCommit(witnessed, forgotten);
  }

  /** Whether its decision, if there was one, may have been forgotten. */
  boolean isForgotten(Gid gid) {
    return decisions()
        .participant(gid.participant())
        .map(registration -> gid.serial() <= registration.cleaned())
        .orElse(false);
  }

  void report(Gid gid, @Nullable String operationId, Heuristic.Kind kind) {
    decisions().record(new Heuristic(gid, operationId, kind, parts.clock().instant(), null));
  }

  /** See {@link Atomic#runReturning}. */
  public <T extends @Nullable Object> T run(
      TransactionOptions options, List<Participant> participants, Atomic.Work<T> work) {
    List<Participant> others = recovery.require(participants);
    String operationId = idOf(options);
    Backoff backoff =
        new Backoff(Duration.ofMillis(2), Duration.ofMillis(200), ThreadLocalRandom.current());
    try (MDC.MDCCloseable field = MDC.putCloseable("holdfast.operation", operationId)) {
      for (int attempt = 1; ; attempt++) {
        try {
          return once(options, operationId, others, work);
        } catch (SQLException e) {
          if (!isRetryable(e, others) || attempt >= options.attempts()) {
            throw translate(e, operationId);
          }
          if (e instanceof StaleClaim) {
            know(others);
          }
          log.debug("operation {}: attempt {} is run again", operationId, attempt, e);
          pause(backoff.next(), operationId, e);
        }
      }
    }
  }

  /**
   * Now, when no connection is held: else those who look wait for the connections of one another.
   *
   * @throws dev.holdfast.twophase.ClaimLost when one of them obeys another database
   */
  private void know(List<Participant> participants) {
    participants.forEach(claims::token);
  }

  private static String idOf(TransactionOptions options) {
    String given = options.operationId();
    return given == null ? UUID.randomUUID().toString() : given;
  }

  private boolean isRetryable(SQLException e, List<Participant> participants) {
    if (e instanceof BranchFailure failure) {
      return failure.isRetryable();
    }
    return e instanceof StaleClaim
        || decisions().isRetryable(e)
        || participants.stream().anyMatch(other -> other.branches().isRetryable(e));
  }

  private RuntimeException translate(SQLException e, String operationId) {
    return e instanceof BranchFailure failure
        ? failure.translated(operationId)
        : writer.translate("run operation " + operationId + ", which is committed nowhere", e);
  }

  private <T extends @Nullable Object> T once(
      TransactionOptions options,
      String operationId,
      List<Participant> participants,
      Atomic.Work<T> work)
      throws SQLException {
    TransactionRunner by = runner;
    if (by != null) {
      return once(by, options, operationId, participants, work);
    }
    try (Lent deciding = Lent.from(parts.dataSource())) {
      Connection connection = deciding.connection();
      decisions().begin(connection, options.isolation(), settings().lockTimeout());
      try (AtomicAttempt attempt =
          new AtomicAttempt(this, connection, operationId, options.isolation(), participants)) {
        Worked<T> worked = work(attempt, work);
        end(attempt, connection, worked.messages());
        deciding.done();
        recorded(operationId, worked.messages());
        return worked.result();
      }
    }
  }

  private record Worked<T extends @Nullable Object>(T result, List<Message> messages) {}

  private static <T extends @Nullable Object> Worked<T> work(
      AtomicAttempt attempt, Atomic.Work<T> work) throws SQLException {
    attempt.begun();
    T result;
    List<Message> messages;
    try {
      result = work.run(attempt.transaction());
    } finally {
      messages = attempt.end();
    }
    return new Worked<>(result, messages);
  }

  /** Commits in the cheapest way in which it is one commit. */
  private void end(AtomicAttempt attempt, Connection connection, List<Message> messages)
      throws SQLException {
    Attempt record = new Attempt(UUID.randomUUID(), parts.clock().instant());
    List<OpenBranch> writers = attempt.writers(record);
    String operationId = attempt.operationId();
    if (writers.isEmpty()) {
      try {
        writer.commit(connection, record, operationId, messages);
      } catch (SQLException e) {
        if (writer.isReplyLost(e)) {
          throw unknown(operationId, e, () -> writer.resolve(record));
        }
        throw e;
      }
    } else if (writers.size() == 1 && !attempt.hasDeciderWritten(messages)) {
      OpenBranch only = writers.get(0);
      BranchStore store = only.store();
      connection.commit();
      try {
        attempt.commitAlone(only, record);
      } catch (BranchFailure e) {
        if (store.isReplyLost(e)) {
          throw unknown(operationId, e, () -> store.resolve(record));
        }
        throw e;
      }
    } else {
      together(attempt, connection, messages, writers);
    }
  }

  private void together(
      AtomicAttempt attempt,
      Connection connection,
      List<Message> messages,
      List<OpenBranch> writers)
      throws SQLException {
    State state = attempt.prepareAll(protocol(), messages, writers);
    if (state == State.COMMITTING) {
      state = attempt.conclude(protocol(), commit(attempt, connection), writers);
    }
    Exception failure = attempt.failure();
    if (state == State.UNKNOWN) {
      List<Gid> gids =
          writers.stream().map(branch -> Objects.requireNonNull(branch.gid())).toList();
      throw unknown(attempt.operationId(), Objects.requireNonNull(failure), () -> resolve(gids));
    }
    rethrow(failure);
  }

  private Event commit(AtomicAttempt attempt, Connection connection) {
    try {
      connection.commit();
      return Event.DECIDED;
    } catch (SQLException e) {
      attempt.failed(e);
      return writer.isReplyLost(e) ? Event.REPLY_LOST : Event.FAILED;
    } catch (RuntimeException e) {
      // Of a driver or a pool that has lost its head: nobody has said what became of it.
      attempt.failed(e);
      return Event.REPLY_LOST;
    }
  }

  private static void rethrow(@Nullable Exception failure) throws SQLException {
    if (failure instanceof SQLException sql) {
      throw sql;
    }
    if (failure instanceof RuntimeException runtime) {
      throw runtime;
    }
  }

  private void recorded(String operationId, List<Message> messages) {
    if (!messages.isEmpty()) {
      listener().recorded(operationId, messages);
      parts.recorded().run();
    }
  }

  private static OutcomeUnknown unknown(
      String operationId, Throwable cause, Supplier<Outcome> resolver) {
    return new OutcomeUnknown(
        "The connection failed while operation "
            + operationId
            + " was being committed: it is committed in every database or in none, and which is not"
            + " known. Ask resolve() before doing it again. Cause: "
            + cause.getMessage(),
        operationId,
        cause,
        resolver);
  }

  /** Asks what became of the deciding transaction; the branches follow by recovery. */
  Outcome resolve(List<Gid> gids) {
    Gid gid = gids.get(0);
    AtomicReference<Probe> answer = new AtomicReference<>(Probe.OPEN);
    decisions().probe(List.of(gid), PATIENCE, answers -> answer.set(answers.get(gid)));
    Outcome outcome =
        switch (Objects.requireNonNull(answer.get())) {
          case COMMITTED -> new Outcome.Committed();
          case ROLLED_BACK ->
              new Outcome.Rejected("the operation is not committed anywhere, and never will be");
          case FORGOTTEN ->
              new Outcome.Unknown(
                  "its decision, if there was one, has been forgotten; look for its effects in your own tables");
          case OPEN -> new Outcome.Unknown("the transaction is still open there; ask again");
        };
    if (!(outcome instanceof Outcome.Unknown)) {
      recovery.wake();
    }
    return outcome;
  }

  private <T extends @Nullable Object> T once(
      TransactionRunner by,
      TransactionOptions options,
      String operationId,
      List<Participant> participants,
      Atomic.Work<T> work)
      throws SQLException {
    AtomicReference<JoinedAttempt<T>> prepared = new AtomicReference<>();
    try {
      by.run(
          options.isolation(),
          connection -> {
            prepared.set(join(connection, options, operationId, participants, work));
            return Boolean.TRUE;
          });
    } catch (SQLException e) {
      JoinedAttempt<T> joined = prepared.get();
      if (joined != null && writer.isReplyLost(e)) {
        joined.close();
        throw unknown(operationId, e, joined::resolve);
      }
      if (joined != null) {
        joined.rolledBack();
      }
      throw e;
    } catch (RuntimeException e) {
      JoinedAttempt<T> joined = prepared.get();
      if (joined != null) {
        joined.rolledBack();
      }
      throw e;
    }
    JoinedAttempt<T> joined = Objects.requireNonNull(prepared.get());
    joined.decided();
    parts.recorded().run();
    return joined.result();
  }

  /** See {@link Atomic#join}. */
  public <T extends @Nullable Object> Joined<T> join(
      Connection connection,
      TransactionOptions options,
      List<Participant> participants,
      Atomic.Work<T> work) {
    List<Participant> others = recovery.require(participants);
    String operationId = idOf(options);
    try {
      if (connection.getAutoCommit()) {
        throw new NoTransaction(
            "The connection is in autocommit mode, so there is no transaction to join and nothing was done. Call setAutoCommit(false), or let Holdfast begin one.");
      }
      Savepoint before = connection.setSavepoint();
      JoinedAttempt<T> joined = null;
      try {
        joined = join(connection, options, operationId, others, work);
        connection.releaseSavepoint(before);
        return joined;
      } catch (SQLException | RuntimeException e) {
        if (joined != null) {
          joined.close();
        }
        undo(connection, before, e);
        throw e;
      }
    } catch (SQLException e) {
      if (e instanceof StaleClaim) {
        know(others);
      }
      throw translate(e, operationId);
    }
  }

  private static void undo(Connection connection, Savepoint before, Exception cause) {
    try {
      connection.rollback(before);
    } catch (SQLException e) {
      // The connection is gone, and the transaction with it.
      cause.addSuppressed(e);
    }
  }

  private <T extends @Nullable Object> JoinedAttempt<T> join(
      Connection connection,
      TransactionOptions options,
      String operationId,
      List<Participant> participants,
      Atomic.Work<T> work)
      throws SQLException {
    decisions().bound(connection, settings().lockTimeout());
    AtomicAttempt attempt =
        new AtomicAttempt(this, connection, operationId, options.isolation(), participants);
    boolean isPrepared = false;
    try {
      Worked<T> worked = work(attempt, work);
      List<OpenBranch> writers =
          attempt.writers(new Attempt(UUID.randomUUID(), parts.clock().instant()));
      if (!writers.isEmpty()) {
        attempt.prepareAll(protocol(), worked.messages(), writers);
        rethrow(attempt.failure());
      } else if (!worked.messages().isEmpty()) {
        writer.publish(connection, operationId, worked.messages());
      }
      if (!worked.messages().isEmpty()) {
        listener().recorded(operationId, worked.messages());
      }
      isPrepared = true;
      return new JoinedAttempt<>(this, attempt, writers, worked.result());
    } finally {
      if (!isPrepared) {
        attempt.close();
      }
    }
  }

  private static void pause(Duration wait, String operationId, SQLException cause) {
    try {
      new Doorbell().await(wait);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatabaseFailure(
          "Interrupted before operation "
              + operationId
              + " was run again. It is rolled back; nothing was recorded.",
          cause);
    }
  }

  /** Finishes what waits here, and stops looking after what others left behind. */
  @Override
  public void close() {
    if (runner == null) {
      secondPhase.close();
      recovery.close();
    }
  }
}
