package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static dev.holdfast.crashtest.OutboxProcess.TABLE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.Stepper;
import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.resource.Role;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.store.ChannelState;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What the outbox promises over a store and a target, whatever crashes and whichever answer is
 * lost: crash tests of each of its operations, with the relay in the process that is crashed. For
 * those who write a store or a target of their own.
 *
 * <p>A subclass says where they are. Its servers should be started once; each run of a test is made
 * on an instance of its own. The target must keep the channel's progress ({@code PROGRESS_MARK}):
 * at others a crash may repeat messages, which these tests do not forgive.
 */
public abstract class OutboxConformance {
  private static final RelaySettings SETTINGS =
      RelaySettings.DEFAULT
          .withLeaseDuration(Duration.ofSeconds(2))
          .withProgressInterval(Duration.ofMillis(100));

  /** A database for the table of the operations, reached directly. */
  protected abstract DataSource direct();

  /**
   * The same database, which is also the store's, as the process under test reaches it: made by the
   * resources, with a pool on top that is closed by {@link Resources#onStop}.
   */
  protected abstract DataSource dataSource(Resources resources);

  /** The target, made by the resources with {@link Resources#target}. */
  protected abstract Target target(Resources resources);

  /** A topic that the target takes messages of. */
  protected abstract String topic();

  /** What the target has of that topic, with the values in the order in which they came. */
  protected abstract Counted delivered();

  /** What else Holdfast is to be started with, such as a schema. */
  protected abstract Holdfast.Builder configure(Holdfast.Builder builder);

  /**
   * Lets the leases of whoever is dead expire, so that not every crash is followed by a wait for
   * them. Must not wait for leases that are locked.
   */
  protected abstract void expireLeases();

  /**
   * What the store commits as time passes, and not for an operation: its leases, hints and forced
   * writes. Texts for {@link Scenario#ignoring}.
   */
  protected abstract List<String> bookkeeping();

  /** How long the relay may take to deliver; a message that is missing is waited for so long. */
  protected Duration settling() {
    return Duration.ofSeconds(20);
  }

  /** The target as the relay has it: one that refuses a message until somebody helps. */
  protected Target refusing(Target target) {
    return new RefusingTarget(target);
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({
    "transact.atomicity",
    "outbox.atomicity",
    "outbox.delivery.none-lost",
    "outbox.delivery.none-invented",
    "outbox.delivery.once",
    "outbox.recovery.takeover"
  })
  public void aRowAndItsMessage(CrashLab lab) {
    aRowAndItsMessage(begin(lab, SETTINGS));
  }

  private void aRowAndItsMessage(Scenario<OutboxProcess> scenario) {
    scenario
        .operation(
            (process, key) ->
                process.transact(
                    tx -> {
                      OutboxProcess.save(tx.connection(), key);
                      tx.publish(message(key, "placed"));
                    }))
        .expect(row(TABLE).byKey().once(), delivered().inOrder("placed"));
  }

  /**
   * A second crash at every point that the successor of a crashed process passes. The relay is
   * stepped by one thread, so that a recovery takes the same way each time.
   */
  @Tag("long")
  @CrashTest(crashesDuringRecovery = 1)
  @Attacks({"outbox.delivery.once", "outbox.recovery.takeover"})
  public void aRowAndItsMessageWithCrashesDuringRecovery(CrashLab lab) {
    aRowAndItsMessage(beginStepped(lab, process -> {}));
  }

  @CrashTest
  @Attacks({"outbox.atomicity", "outbox.delivery.once"})
  public void aMessageInTheCallersOwnTransaction(CrashLab lab) {
    begin(lab, SETTINGS)
        .operation(
            (process, key) -> {
              try (Connection connection = process.begin()) {
                OutboxProcess.save(connection, key);
                process.holdfast().publish(connection, message(key, "placed"));
                connection.commit();
              }
            })
        .expect(row(TABLE).byKey().once(), delivered().inOrder("placed"));
  }

  /** In pages of two, so that there are crashes with a window half delivered. */
  @CrashTest
  @Attacks("outbox.order")
  public void messagesOfTwoKeysInOrder(CrashLab lab) {
    begin(lab, SETTINGS.withPage(2, 1 << 20))
        .operation(
            (process, key) ->
                process.transact(
                    tx -> {
                      OutboxProcess.save(tx.connection(), key);
                      tx.publish(message(key, "1"));
                      tx.publish(message(other(key), "1"));
                      tx.publish(message(key, "2"));
                      tx.publish(message(key, "3"));
                      tx.publish(message(other(key), "2"));
                    }))
        .expect(
            row(TABLE).byKey().once(),
            delivered().inOrder("1", "2", "3"),
            delivered().ofKey(OutboxConformance::other).inOrder("1", "2"));
  }

  /** Parked with the later one of its key, replayed when the cause is gone. */
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"outbox.recovery.parking", "outbox.order"})
  public void aRefusedMessageAndALaterOneOfItsKey(CrashLab lab) {
    aRefusedMessageAndALaterOneOfItsKey(begin(lab, SETTINGS, OutboxProcess::operate));
  }

  private void aRefusedMessageAndALaterOneOfItsKey(Scenario<OutboxProcess> scenario) {
    scenario
        .operation(
            (process, key) ->
                process.transact(
                    tx -> {
                      OutboxProcess.save(tx.connection(), key);
                      tx.publish(message(key, RefusingTarget.REFUSED));
                      tx.publish(message(key, "later"));
                    }))
        .expect(row(TABLE).byKey().once(), delivered().inOrder(RefusingTarget.REFUSED, "later"));
  }

  @Tag("long")
  @CrashTest(crashesDuringRecovery = 1)
  @Attacks({"outbox.recovery.parking", "outbox.order"})
  public void aRefusedMessageWithCrashesDuringRecovery(CrashLab lab) {
    aRefusedMessageAndALaterOneOfItsKey(beginStepped(lab, OutboxProcess::replayParked));
  }

  @CrashTest
  @Attacks("outbox.delayed")
  public void aDelayedMessage(CrashLab lab) {
    // It is the upkeep that moves it.
    beginWithUpkeep(lab, SETTINGS, process -> {})
        .operation(
            (process, key) ->
                process.transact(
                    tx -> {
                      OutboxProcess.save(tx.connection(), key);
                      tx.publish(
                          Message.to(topic())
                              .key(key)
                              .json("placed")
                              .deliverAt(Instant.now().plusMillis(50))
                              .build());
                    }))
        .expect(row(TABLE).byKey().once(), delivered().inOrder("placed"));
  }

  /** A caller that does not know what became of it does it again. */
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks("outbox.dedupe")
  public void aDedupeKeyUsedTwice(CrashLab lab) {
    begin(lab, SETTINGS)
        .operation(
            (process, key) ->
                process.transact(
                    tx -> {
                      OutboxProcess.save(tx.connection(), key);
                      tx.publish(
                          Message.to(topic()).key(key).json("placed").dedupeKey(key).build());
                      tx.publish(
                          Message.to(topic()).key(key).json("placed").dedupeKey(key).build());
                    }))
        .retrySameKey(2)
        .expect(row(TABLE).byKey().once(), delivered().inOrder("placed"));
  }

  /** The channel is paused when the message is recorded, and resumed. */
  @Tag("long")
  @CrashTest
  @Attacks("outbox.delivery.none-lost")
  public void aMessageWhileTheChannelIsPaused(CrashLab lab) {
    begin(lab, SETTINGS)
        .operation(
            (process, key) -> {
              process.setState(ChannelState.PAUSED);
              process.await(RelayPhase.PAUSED);
              process.transact(
                  tx -> {
                    OutboxProcess.save(tx.connection(), key);
                    tx.publish(message(key, "placed"));
                  });
              process.setState(ChannelState.RUNNING);
            })
        .expect(row(TABLE).byKey().once(), delivered().inOrder("placed"));
  }

  /**
   * Somebody else's transaction draws its position first and commits last, when the relay has
   * passed it. The seed fixes the keys, since two keys may share a lock in the store.
   */
  @CrashTest(seed = 1)
  @Attacks({"outbox.delivery.none-lost", "outbox.order"})
  public void aTransactionThatCommitsLate(CrashLab lab) {
    begin(lab, SETTINGS)
        .given(
            key -> {
              try (Holdfast publisher =
                  configure(Holdfast.on(direct())).schemaManagedElsewhere().start()) {
                LateTransactions.begin(key, direct(), publisher, message(other(key), "late"));
              }
            })
        .operation(
            (process, key) -> {
              process.transact(
                  tx -> {
                    OutboxProcess.save(tx.connection(), key);
                    tx.publish(message(key, "early"));
                  });
              OutboxProcess.await("The early one is not delivered", process::isDelivered);
              LateTransactions.commit(key);
            })
        .recover(process -> LateTransactions.endAll())
        .expect(
            row(TABLE).byKey().once(),
            delivered().inOrder("early"),
            delivered().ofKey(OutboxConformance::other).inOrder("late"));
  }

  @Test
  @Attacks({"outbox.recovery.zombie", "outbox.delivery.once"})
  void aLeaderThatWakesUpWithABatchInItsHandsChangesNothing() {
    assertThat(pausedWhileDelivering()).isEmpty();
  }

  @Test
  @Attacks("outbox.recovery.zombie")
  void aLeaderThatWakesUpWhileItParksChangesNothing() {
    assertThat(pausedWhileParking()).isEmpty();
  }

  /** What is wrong after a leader was paused with a batch in its hands, and woke up. */
  public final List<Finding> pausedWhileDelivering() {
    return paused(this::aRowAndItsMessage, key -> role -> role.action().equals("deliver"))
        .findings();
  }

  /** What is wrong after a leader was paused as it committed what it parks, and woke up. */
  public final List<Finding> pausedWhileParking() {
    return paused(
            this::aRefusedMessageAndALaterOneOfItsKey,
            key ->
                role ->
                    RefusingTarget.hasRefused(key) && role.thread().startsWith("holdfast-relay"))
        .findings();
  }

  private static PausedOwner.Woken paused(
      Consumer<CrashLab> operation, Function<String, Predicate<Role>> where) {
    CrashLab lab = new CrashLab();
    operation.accept(lab);
    String key = "paused-" + UUID.randomUUID();
    return new PausedOwner(lab.scenario(), key, where.apply(key))
        .run(() -> RefusingTarget.removeCause(key));
  }

  private Scenario<OutboxProcess> begin(CrashLab lab, RelaySettings settings) {
    return begin(lab, settings, process -> {});
  }

  private Scenario<OutboxProcess> begin(
      CrashLab lab, RelaySettings settings, Consumer<OutboxProcess> withIt) {
    // What it does every second for all operations belongs to none.
    return beginWithUpkeep(lab, settings, withIt).ignoring("holdfast-upkeep");
  }

  private Scenario<OutboxProcess> beginWithUpkeep(
      CrashLab lab, RelaySettings settings, Consumer<OutboxProcess> withIt) {
    return begin(
        lab,
        resources -> {
          DataSource dataSource = dataSource(resources);
          Holdfast holdfast = builder(dataSource, resources).relay(settings).start();
          return new OutboxProcess(holdfast, dataSource);
        },
        withIt);
  }

  /**
   * @param whenIdle what is done between two steps, on the same thread
   */
  private Scenario<OutboxProcess> beginStepped(CrashLab lab, Consumer<OutboxProcess> whenIdle) {
    return begin(
        lab,
        resources -> {
          DataSource dataSource = dataSource(resources);
          Stepper stepper = builder(dataSource, resources).relay(SETTINGS).manual();
          OutboxProcess process = new OutboxProcess(stepper.holdfast(), dataSource);
          process.drive(stepper, whenIdle);
          return process;
        },
        OutboxProcess::awaitDelivered);
  }

  private Scenario<OutboxProcess> begin(
      CrashLab lab, Function<Resources, OutboxProcess> start, Consumer<OutboxProcess> withIt) {
    createTable();
    Scenario<OutboxProcess> scenario =
        lab.application(
                resources -> {
                  expireLeases();
                  OutboxProcess process = awaitLeading(resources, start.apply(resources));
                  withIt.accept(process);
                  return process;
                })
            .quiesce(settling(), OutboxProcess::isDelivered);
    bookkeeping().forEach(scenario::ignoring);
    return scenario;
  }

  private Holdfast.Builder builder(DataSource dataSource, Resources resources) {
    return configure(Holdfast.on(dataSource))
        .channel(OutboxProcess.CHANNEL, refusing(target(resources)), topic());
  }

  private static OutboxProcess awaitLeading(Resources resources, OutboxProcess process)
      throws TimeoutException {
    try {
      process.resume();
      // Taking over is no part of the operation, and must be over when that begins.
      process.await(RelayPhase.LEADING);
      return process;
    } catch (TimeoutException | RuntimeException e) {
      resources.onStop(process);
      throw e;
    }
  }

  private void createTable() {
    try (Connection connection = direct().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("create table if not exists " + TABLE + " (id varchar(100) primary key)");
    } catch (SQLException e) {
      throw new IllegalStateException("The table of the operations cannot be created", e);
    }
  }

  private Message message(String key, String payload) {
    return Message.of(topic(), key, payload);
  }

  private static String other(String key) {
    return key + "-other";
  }

  /**
   * Explores one of the operations above until a run finds something wrong: for negative controls,
   * in which a step of the protocol is taken out.
   *
   * @param operation one of this suite's, such as {@code OutboxConformance::aRowAndItsMessage}
   * @throws AssertionError when every run passes
   * @throws CrashLabException when a run cannot be made
   */
  public final RunReport firstFailure(
      BiConsumer<OutboxConformance, CrashLab> operation, CrashLab.Options options) {
    return Explorer.firstFailure(options, lab -> operation.accept(this, lab));
  }
}
