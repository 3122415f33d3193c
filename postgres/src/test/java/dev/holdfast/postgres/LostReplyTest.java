package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.Message;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.TransactionBody;
import dev.holdfast.TransactionOptions;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The reply to the caller's own commit is lost on the way, with or without the commit. */
final class LostReplyTest {
  private final TcpRelay network = TcpRelay.to("127.0.0.1", TestDatabase.server().port());
  private final HikariDataSource pool =
      TestDatabase.pool(
          "jdbc:postgresql://127.0.0.1:"
              + network.port()
              + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable",
          3);
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private Cursor start = Cursor.at("");
  private Holdfast holdfast;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    start = store.channels().progress("c").cursor();
    holdfast = Holdfast.on(pool).schema(schema).schemaManagedElsewhere().start();
    // The first transaction asks for the isolation level; later ones do as in the long run.
    holdfast.transact(tx -> {});
  }

  @AfterEach
  void end() {
    holdfast.close();
    pool.close();
    network.close();
  }

  private List<OutboxRecord> recorded() {
    return store.log().read("c", start, new OutboxLog.Limit(100, 1 << 20), true).records();
  }

  private OutcomeUnknown unknown(TransactionBody body) {
    return catchThrowableOfType(
        OutcomeUnknown.class,
        () -> holdfast.transact(TransactionOptions.DEFAULT.withOperationId("op-7"), body));
  }

  /** Asks until there is an answer: the pool may hold other connections that broke. */
  private static Outcome ask(OutcomeUnknown unknown) {
    return Awaitility.await()
        .ignoreExceptionsInstanceOf(StoreUnavailable.class)
        .until(unknown::resolve, outcome -> true);
  }

  @Test
  @Attacks("transact.answer")
  void aCommitWhoseReplyIsLostIsUnknownAndThenFoundCommitted() {
    OutcomeUnknown unknown =
        unknown(
            tx -> {
              tx.publish(Message.of("orders", "k", "{}"));
              network.swallowNextReply();
            });
    assertThat(unknown.operationId()).isEqualTo("op-7");
    assertThat(unknown).hasMessageContaining("op-7").hasMessageContaining("resolve()");
    assertThat(ask(unknown)).isInstanceOf(Outcome.Committed.class);
    assertThat(ask(unknown)).as("asked again").isInstanceOf(Outcome.Committed.class);
    assertThat(recorded()).extracting(OutboxRecord::operationId).containsExactly("op-7");
  }

  @Test
  @Attacks("transact.answer")
  void aCommitThatNeverArrivedIsUnknownAndThenRejectedForGood() {
    OutcomeUnknown unknown =
        unknown(
            tx -> {
              tx.publish(Message.of("orders", "k", "{}"));
              tx.update("create table " + schema + ".never (n int)");
              network.cut();
            });
    network.restore();
    assertThat(ask(unknown)).isInstanceOf(Outcome.Rejected.class);
    assertThat(ask(unknown)).as("asked again").isInstanceOf(Outcome.Rejected.class);
    assertThat(recorded()).isEmpty();
  }

  @Test
  @Attacks("transact.answer")
  void aChangeWithoutMessagesCanBeAskedAboutToo() {
    OutcomeUnknown unknown =
        unknown(
            tx -> {
              tx.update("create table " + schema + ".there (n int)");
              network.swallowNextReply();
            });
    assertThat(ask(unknown)).isInstanceOf(Outcome.Committed.class);
  }

  @Test
  @Attacks("transact.answer")
  void whileTheDatabaseIsOutOfReachTheOutcomeStaysUnknown() {
    OutcomeUnknown unknown =
        unknown(
            tx -> {
              tx.publish(Message.of("orders", "k", "{}"));
              network.swallowNextReply();
            });
    network.cut();
    pool.getHikariConfigMXBean().setConnectionTimeout(500);
    assertThat(catchThrowableOfType(HoldfastException.class, unknown::resolve))
        .isInstanceOf(StoreUnavailable.class);
    network.restore();
    assertThat(ask(unknown)).isInstanceOf(Outcome.Committed.class);
  }

  /** What a caller does who must be sure: ask, and do it again only when it did not happen. */
  @Test
  @Attacks("transact.answer")
  void anOperationThatIsAskedAboutBeforeItIsRepeatedHappensOnce() {
    for (int round = 0; round < 6; round++) {
      boolean arrives = round % 2 == 0;
      String operation = "op-" + round;
      boolean faulty = true;
      boolean done = false;
      while (!done) {
        boolean breakIt = faulty;
        faulty = false;
        try {
          holdfast.transact(
              TransactionOptions.DEFAULT.withOperationId(operation),
              tx -> {
                tx.publish(Message.of("orders", "k", "{}"));
                if (breakIt && arrives) {
                  network.swallowNextReply();
                } else if (breakIt) {
                  network.cut();
                }
              });
          done = true;
        } catch (OutcomeUnknown e) {
          network.restore();
          done = ask(e) instanceof Outcome.Committed;
          assertThat(done).isEqualTo(arrives);
        }
      }
    }
    assertThat(recorded())
        .extracting(OutboxRecord::operationId)
        .containsExactly("op-0", "op-1", "op-2", "op-3", "op-4", "op-5");
  }

  @Test
  @Attacks("transact.answer")
  void aFailureBeforeTheCommitIsNotUnknown() {
    HoldfastException failure =
        catchThrowableOfType(
            HoldfastException.class,
            () ->
                holdfast.transact(
                    tx -> {
                      tx.publish(Message.of("orders", "k", "{}"));
                      network.cut();
                      tx.update("create table " + schema + ".x (n int)");
                    }));
    network.restore();
    assertThat(failure).isInstanceOf(StoreUnavailable.class);
    assertThat(recorded()).isEmpty();
  }

  @Test
  void anAppendWhoseReplyIsLostIsAnsweredWhenItIsAskedForAgain() {
    Append append =
        Append.to(
            "order/7",
            ExpectedVersion.none(),
            EventData.json("placed", "{}"),
            EventData.json("paid", "{}"));
    network.swallowNextReply();
    assertThat(
            catchThrowableOfType(StoreUnavailable.class, () -> holdfast.eventLog().append(append)))
        .isNotNull();
    Appended again =
        Awaitility.await()
            .ignoreExceptionsInstanceOf(StoreUnavailable.class)
            .until(() -> holdfast.eventLog().append(append), answer -> true);
    assertThat(again.repeated()).isTrue();
    assertThat(again.version("order/7")).isEqualTo(2);
    assertThat(holdfast.eventLog().read(StreamQuery.of("order/7"))).hasSize(2);
  }
}
