package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.UnreadableData;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.SpecificationLab;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.UnreadableEvent;
import dev.holdfast.eventlog.WrongExpectedVersion;
import dev.holdfast.eventlog.decider.Decider;
import dev.holdfast.eventlog.decider.Decisions;
import dev.holdfast.eventlog.decider.Snapshots;
import dev.holdfast.eventlog.decider.Specification;
import dev.holdfast.jackson.JacksonCodec;
import dev.holdfast.postgres.eventlog.Accounts.Account;
import dev.holdfast.postgres.eventlog.Accounts.Close;
import dev.holdfast.postgres.eventlog.Accounts.Closed;
import dev.holdfast.postgres.eventlog.Accounts.Overdrawn;
import dev.holdfast.postgres.eventlog.Accounts.PaidIn;
import dev.holdfast.postgres.eventlog.Accounts.PaidOut;
import dev.holdfast.postgres.eventlog.Accounts.PayIn;
import dev.holdfast.postgres.eventlog.Accounts.PayOut;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Commands that are carried out on streams. */
final class DecisionsTest {
  /** Of all runs of the crash lab, which have to do the same. */
  private static final Log CRASHED = new Log();

  private final Log log = new Log();
  private final Decisions<Accounts.Command, Accounts.Event, Account> accounts =
      new Decisions<>(log.holdfast, Accounts.DECIDER, Accounts.TYPES);

  @AfterAll
  static void endAll() {
    CRASHED.close();
  }

  @AfterEach
  void end() {
    log.close();
  }

  private List<String> types(String stream) {
    return log.log.read(StreamQuery.of(stream)).stream().map(RecordedEvent::type).toList();
  }

  @Test
  void appendWhatTheyHaveDecidedBehindWhatTheyHaveRead() {
    assertThat(accounts.handle("a", UUID.randomUUID(), new PayIn(10)).state())
        .isEqualTo(new Account(10, false));
    var closed = accounts.handle("a", UUID.randomUUID(), new Close());
    assertThat(closed.events()).containsExactly(new PaidOut(10), new Closed());
    assertThat(closed.version()).isEqualTo(3);
    assertThat(accounts.state("a").state()).isEqualTo(new Account(0, true));
    assertThat(accounts.state("a").version()).isEqualTo(3);
    assertThat(accounts.handle("a", UUID.randomUUID(), new Close()).events()).isEmpty();
    assertThat(types("a")).containsExactly("paid-in", "paid-out", "closed");
    assertThat(log.log.read(StreamQuery.of("a").from(3)).get(0).metadata())
        .containsKey("causationid");
  }

  @Test
  void areCarriedOutOnceForEachId() {
    UUID id = UUID.randomUUID();
    accounts.handle("a", id, new PayIn(10));
    accounts.handle("a", UUID.randomUUID(), new PayOut(4));
    var again = accounts.handle("a", id, new PayIn(10));
    assertThat(again.events()).containsExactly(new PaidIn(10));
    assertThat(again.state()).isEqualTo(new Account(6, false));
    assertThat(types("a")).containsExactly("paid-in", "paid-out");
  }

  /** Somebody else's command, and this one by a retry, come between its reading and its append. */
  @Test
  void sayWhatTheStateIsThoughTheSameHasCarriedThemOutMeanwhile() {
    UUID id = UUID.randomUUID();
    accounts.handle("a", UUID.randomUUID(), new PayIn(10));
    AtomicBoolean isFirst = new AtomicBoolean(true);
    var kept =
        new Decisions<>(
                log.holdfast,
                overtaken(
                    isFirst,
                    () -> {
                      accounts.handle("a", UUID.randomUUID(), new PayIn(1));
                      accounts.handle("a", id, new PayIn(100));
                    }),
                Accounts.TYPES)
            .keeping(Snapshots.of(1, Account.class, new JacksonCodec()).every(1));
    var again = kept.handle("a", id, new PayIn(100));
    assertThat(types("a")).hasSize(3);
    assertThat(again.version()).isEqualTo(3);
    assertThat(again.state()).isEqualTo(new Account(111, false));
    assertThat(kept.state("a").state()).isEqualTo(new Account(111, false));
  }

  /** The state is another one when the same is decided again, and so is what is decided. */
  @Test
  void areCarriedOutOnceThoughTheSameHasDecidedOtherwiseMeanwhile() {
    UUID id = UUID.randomUUID();
    accounts.handle("a", UUID.randomUUID(), new PayIn(10));
    AtomicBoolean isFirst = new AtomicBoolean(true);
    var again =
        new Decisions<>(
                log.holdfast,
                overtaken(
                    isFirst,
                    () -> {
                      accounts.handle("a", UUID.randomUUID(), new PayIn(1));
                      accounts.handle("a", id, new Close());
                    }),
                Accounts.TYPES)
            .handle("a", id, new Close());
    assertThat(again.events()).containsExactly(new PaidOut(11), new Closed());
    assertThat(again.state()).isEqualTo(new Account(0, true));
    assertThat(types("a")).containsExactly("paid-in", "paid-in", "paid-out", "closed");
  }

  /** Decides as accounts do, and lets others come first once. */
  private static Decider<Accounts.Command, Accounts.Event, Account> overtaken(
      AtomicBoolean isFirst, Runnable others) {
    return Decider.of(
            "overtaken", Accounts.Command.class, Accounts.Event.class, new Account(0, false))
        .decide(
            Accounts.Command.class,
            (account, command) -> {
              if (isFirst.getAndSet(false)) {
                Log.async(
                        () -> {
                          others.run();
                          return true;
                        })
                    .join();
              }
              return Accounts.DECIDER.decide(account, command);
            })
        .evolve(Accounts.Event.class, Accounts.DECIDER::evolve)
        .build();
  }

  @Test
  void leaveNothingWhenTheyAreRefused() {
    accounts.handle("a", UUID.randomUUID(), new PayIn(10));
    assertThatThrownBy(() -> accounts.handle("a", UUID.randomUUID(), new PayOut(11)))
        .isInstanceOf(Overdrawn.class);
    assertThat(types("a")).containsExactly("paid-in");
  }

  @Test
  void ofManyAtOnceNoneOverdraws() throws Exception {
    accounts.handle("a", UUID.randomUUID(), new PayIn(100));
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      all.add(threads.submit(() -> accounts.handle("a", UUID.randomUUID(), new PayOut(5))));
    }
    int paid = 0;
    for (Future<?> each : all) {
      try {
        each.get();
        paid++;
      } catch (ExecutionException e) {
        assertThat(e.getCause()).isInstanceOfAny(Overdrawn.class, WrongExpectedVersion.class);
      }
    }
    threads.shutdown();
    assertThat(accounts.state("a").state().cents()).isEqualTo(100 - 5 * paid).isNotNegative();
    assertThat(types("a")).hasSize(1 + paid);
  }

  @Test
  void standInOneTransactionWithWhateverElse() throws Exception {
    log.holdfast.transact(
        tx -> {
          accounts.handle(tx, "a", UUID.randomUUID(), new PayIn(10));
          accounts.handle(tx, "b", UUID.randomUUID(), new PayIn(20));
          assertThat(accounts.state(tx, "a").state().cents()).isEqualTo(10);
        });
    assertThatThrownBy(
            () ->
                log.holdfast.transact(
                    tx -> {
                      accounts.handle(tx, "a", UUID.randomUUID(), new PayIn(10));
                      accounts.handle(tx, "b", UUID.randomUUID(), new PayOut(21));
                    }))
        .isInstanceOf(Overdrawn.class);
    assertThat(accounts.state("a").state().cents()).isEqualTo(10);
  }

  @Test
  void stopAtAStreamThatWasChangedByHandOrHasWhatNobodyKnows() throws Exception {
    accounts.handle("a", UUID.randomUUID(), new PayIn(10));
    accounts.handle("a", UUID.randomUUID(), new PayIn(10));
    log.execute("delete from ${schema}.event where version = 1");
    assertThatThrownBy(() -> accounts.handle("a", UUID.randomUUID(), new PayOut(1)))
        .isInstanceOf(UnreadableData.class)
        .hasMessageContaining("no version 1");
    log.append("b", "{}");
    assertThatThrownBy(() -> accounts.handle("b", UUID.randomUUID(), new PayIn(1)))
        .isInstanceOf(UnreadableEvent.class)
        .hasMessageContaining("noted")
        .hasMessageContaining("no such type");
    assertThat(types("b")).hasSize(1);
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  void areCarriedOutOnceWhateverCrashes(CrashLab lab) {
    SpecificationLab.on("database", Log.server().jdbcUrl())
        .schema(CRASHED.schema)
        .run(
            lab,
            Specification.of(Accounts.DECIDER).given(new PaidIn(7)).when(new Close()),
            Accounts.TYPES);
  }
}
