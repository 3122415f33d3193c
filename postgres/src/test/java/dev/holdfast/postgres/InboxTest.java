package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.InvalidMessage;
import dev.holdfast.Isolation;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.Transaction;
import dev.holdfast.TransactionOptions;
import dev.holdfast.UnroutedTopic;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.inbox.FingerprintMismatch;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxHandler;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Receipt;
import dev.holdfast.inbox.Reply;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A message that comes again has its effects once and is answered as the first time. */
final class InboxTest {
  private static final Incoming MESSAGE = Incoming.of("m-1").ofOperation("op-1");

  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private final AtomicInteger handled = new AtomicInteger();
  private Cursor start = Cursor.at("");
  private Holdfast holdfast;
  private Inbox inbox;

  @BeforeEach
  void begin() throws SQLException {
    store.schema().migrate();
    store.channels().register("c", List.of("shipments"));
    start = store.channels().progress("c").cursor();
    execute("create table " + schema + ".shipment (id text)");
    holdfast =
        Holdfast.on(TestDatabase.dataSource()).schema(schema).schemaManagedElsewhere().start();
    inbox = holdfast.inbox("shipping", InboxSettings.DEFAULT);
  }

  @AfterEach
  void end() {
    holdfast.close();
  }

  private static void execute(String sql) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private long shipments() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select count(*) from " + schema + ".shipment")) {
      row.next();
      return row.getLong(1);
    }
  }

  private List<OutboxRecord> published() {
    return store.log().read("c", start, new OutboxLog.Limit(100, 1 << 20), true).records();
  }

  private Reply ship(Transaction tx) throws SQLException {
    int number = handled.incrementAndGet();
    tx.update("insert into " + schema + ".shipment values ('s')");
    tx.publish(Message.of("shipments", "k", "{}"));
    return Reply.json("{\"number\":" + number + "}");
  }

  private void assertHappenedOnce() throws SQLException {
    assertThat(shipments()).isEqualTo(1);
    assertThat(published()).extracting(OutboxRecord::operationId).containsExactly("op-1");
  }

  @Test
  @Attacks({"inbox.once", "inbox.answer"})
  void aRepeatedMessageIsAnsweredAsTheFirstTimeAndNotHandled() throws SQLException {
    Receipt first = inbox.once(MESSAGE, this::ship);
    Receipt again = inbox.once(MESSAGE, this::ship);

    assertThat(first).isEqualTo(new Receipt(false, Reply.json("{\"number\":1}"), "op-1"));
    assertThat(again).isEqualTo(new Receipt(true, Reply.json("{\"number\":1}"), "op-1"));
    assertHappenedOnce();
  }

  @Test
  void consumersDoNotKnowOfOneAnother() throws SQLException {
    inbox.once(MESSAGE, this::ship);
    Receipt other = holdfast.inbox("billing", InboxSettings.DEFAULT).once(MESSAGE, this::ship);

    assertThat(other.repeated()).isFalse();
    assertThat(shipments()).isEqualTo(2);
  }

  @Test
  void aHandlerWithNothingToSayIsRememberedWithoutAReply() {
    inbox.once(MESSAGE, tx -> Reply.NONE);

    assertThat(inbox.once(MESSAGE, this::ship)).isEqualTo(new Receipt(true, Reply.NONE, "op-1"));
  }

  @Test
  @Attacks("inbox.atomicity")
  void whatAHandlerThatThrowsHasDoneIsGoneAndTheMessageIsAsNew() throws SQLException {
    InboxHandler failing =
        tx -> {
          ship(tx);
          throw new IllegalStateException("no stock");
        };
    assertThatThrownBy(() -> inbox.once(MESSAGE, failing)).hasMessage("no stock");
    assertThat(shipments()).isZero();

    assertThat(inbox.once(MESSAGE, this::ship).repeated()).isFalse();
    assertHappenedOnce();
  }

  @Test
  @Attacks("inbox.atomicity")
  void insideATransactionAHandlerThatThrowsTakesBackNothingButItsOwn() throws SQLException {
    holdfast.transact(
        TransactionOptions.DEFAULT.withOperationId("op-1"),
        tx -> {
          assertThatThrownBy(
                  () ->
                      inbox.once(
                          tx,
                          Incoming.of("bad"),
                          same -> {
                            ship(same);
                            throw new IllegalStateException("no stock");
                          }))
              .hasMessage("no stock");
          inbox.once(tx, MESSAGE, this::ship);
        });

    assertHappenedOnce();
    assertThat(inbox.once(Incoming.of("bad"), tx -> Reply.NONE).repeated()).isFalse();
  }

  @Test
  @Attacks("inbox.atomicity")
  void inSomebodyElsesTransactionItHappensWithTheirCommit() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      inbox.once(connection, MESSAGE, this::ship);
      connection.rollback();
      assertThat(shipments()).isZero();

      assertThat(inbox.once(connection, MESSAGE, this::ship).repeated()).isFalse();
      connection.commit();
      connection.setAutoCommit(true);
    }
    assertHappenedOnce();
  }

  @Test
  void withoutATransactionNothingIsHandled() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      assertThatThrownBy(() -> inbox.once(connection, MESSAGE, this::ship))
          .isInstanceOf(NoTransaction.class)
          .hasMessageContaining("autocommit");
    }
    assertThat(handled).hasValue(0);
  }

  @Test
  @Attacks("inbox.fingerprint")
  void anotherMessageUnderTheSameIdIsRefused() {
    Incoming first = MESSAGE.saying("10 pieces".getBytes(StandardCharsets.UTF_8));
    inbox.once(first, this::ship);

    assertThat(inbox.once(first, this::ship).repeated()).isTrue();
    assertThat(inbox.once(MESSAGE, this::ship).repeated()).as("without fingerprint").isTrue();
    Incoming other = MESSAGE.saying("20 pieces".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> inbox.once(other, this::ship))
        .isInstanceOf(FingerprintMismatch.class)
        .hasMessageContaining("m-1")
        .hasMessageContaining("op-1");
    assertThat(handled).hasValue(1);
  }

  @Test
  @Attacks({"inbox.once", "inbox.answer"})
  void ofManyThatBringTheSameMessageOneHandlesItAndAllAnswerAlike() throws Exception {
    int callers = 16;
    CountDownLatch ready = new CountDownLatch(callers);
    List<CompletableFuture<Receipt>> receipts = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      receipts.add(
          CompletableFuture.supplyAsync(
              () -> {
                ready.countDown();
                return inbox.once(MESSAGE, this::ship);
              },
              command -> new Thread(command).start()));
    }
    List<Receipt> all = receipts.stream().map(CompletableFuture::join).toList();

    assertThat(all).filteredOn(receipt -> !receipt.repeated()).hasSize(1);
    assertThat(all).extracting(Receipt::reply).containsOnly(Reply.json("{\"number\":1}"));
    assertHappenedOnce();
  }

  @Test
  @Attacks("inbox.once")
  void underAStricterIsolationARepeatedMessageIsSeenToo() throws SQLException {
    TransactionOptions serializable =
        TransactionOptions.DEFAULT.withIsolation(Isolation.SERIALIZABLE).withOperationId("op-1");
    CountDownLatch snapshotTaken = new CountDownLatch(1);
    CountDownLatch committed = new CountDownLatch(1);
    CompletableFuture<Receipt> late =
        CompletableFuture.supplyAsync(
            () ->
                holdfast.transactReturning(
                    serializable,
                    tx -> {
                      tx.update("delete from " + schema + ".shipment where id = 'none'");
                      snapshotTaken.countDown();
                      await(committed);
                      return inbox.once(tx, MESSAGE, this::ship);
                    }),
            command -> new Thread(command).start());
    await(snapshotTaken);
    inbox.once(MESSAGE, this::ship);
    committed.countDown();

    assertThat(late.join().repeated()).isTrue();
    assertHappenedOnce();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  @Attacks("inbox.answer")
  void aLostReplyToTheCommitIsAskedAboutByTakingTheMessageUpAgain() throws SQLException {
    try (TcpRelay network = TcpRelay.to("127.0.0.1", TestDatabase.server().port());
        HikariDataSource pool = distant(network);
        Holdfast distant = Holdfast.on(pool).schema(schema).schemaManagedElsewhere().start()) {
      distant.transact(tx -> {});
      Inbox far = distant.inbox("shipping", InboxSettings.DEFAULT);

      Receipt receipt =
          far.once(
              MESSAGE,
              tx -> {
                ship(tx);
                network.swallowNextReply();
                return Reply.NONE;
              });

      assertThat(receipt).isEqualTo(new Receipt(true, Reply.NONE, "op-1"));
      assertHappenedOnce();
    }
  }

  @Test
  @Attacks("inbox.stuck")
  void aHandlerThatNeverReturnsLosesItsTransaction() throws SQLException {
    Inbox impatient =
        holdfast.inbox("shipping", InboxSettings.DEFAULT.withHandlerSilence(Duration.ofSeconds(1)));
    CountDownLatch over = new CountDownLatch(1);
    CompletableFuture<Receipt> stuck =
        CompletableFuture.supplyAsync(
            () ->
                impatient.once(
                    MESSAGE,
                    tx -> {
                      ship(tx);
                      await(over);
                      return Reply.text("too late");
                    }),
            command -> new Thread(command).start());

    // Waits for the one that is stuck, and no longer than it may be.
    Receipt other =
        Awaitility.await()
            .until(
                () -> handled.get() == 0 ? null : inbox.once(MESSAGE, this::ship),
                Objects::nonNull);
    assertThat(other.repeated()).isFalse();
    over.countDown();

    assertThatThrownBy(stuck::join).hasCauseInstanceOf(StoreUnavailable.class);
    assertHappenedOnce();
  }

  /** As Agroal's connections do while they are enlisted in JTA. */
  @Test
  @Attacks("inbox.atomicity")
  void whereSavepointsCannotBeRolledBackToTheWholeTransactionCanOnlyBe() throws SQLException {
    try (Connection real = TestDatabase.dataSource().getConnection()) {
      real.setAutoCommit(false);
      Connection stubborn =
          (Connection)
              Proxy.newProxyInstance(
                  InboxTest.class.getClassLoader(),
                  new Class<?>[] {Connection.class},
                  (self, method, args) -> {
                    if (method.getName().equals("rollback") && args != null) {
                      throw new SQLException("Attempting to rollback while enlisted");
                    }
                    return method.invoke(real, args);
                  });
      assertThatThrownBy(
              () ->
                  inbox.once(
                      stubborn,
                      MESSAGE,
                      tx -> {
                        ship(tx);
                        throw new IllegalStateException("no stock");
                      }))
          .hasMessage("no stock");
      // Whether the driver says so or not, it is rolled back.
      try (Statement statement = real.createStatement()) {
        statement.execute("commit");
      }
      real.setAutoCommit(true);
    }
    assertThat(shipments()).isZero();
    assertThat(inbox.once(MESSAGE, this::ship).repeated()).isFalse();
  }

  @Test
  void inSomebodyElsesTransactionWhatCannotBePublishedTakesBackTheMessageAlone()
      throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      assertThatThrownBy(
              () ->
                  inbox.once(
                      connection,
                      Incoming.of("bad"),
                      tx -> {
                        ship(tx);
                        tx.publish(Message.of("nowhere", "k", "{}"));
                        return Reply.NONE;
                      }))
          .isInstanceOf(UnroutedTopic.class);
      inbox.once(connection, MESSAGE, this::ship);
      connection.commit();
      connection.setAutoCommit(true);
    }
    assertHappenedOnce();
    assertThat(inbox.once(Incoming.of("bad"), tx -> Reply.NONE).repeated()).isFalse();
  }

  @Test
  void aLostReplyStaysUnknownWhileTheDatabaseDoesNotAnswer() throws SQLException {
    try (TcpRelay network = TcpRelay.to("127.0.0.1", TestDatabase.server().port());
        HikariDataSource pool = distant(network);
        Holdfast distant = Holdfast.on(pool).schema(schema).schemaManagedElsewhere().start()) {
      distant.transact(tx -> {});
      Inbox far = distant.inbox("shipping", InboxSettings.DEFAULT);

      assertThatThrownBy(
              () ->
                  far.once(
                      MESSAGE,
                      tx -> {
                        ship(tx);
                        network.cut();
                        return Reply.NONE;
                      }))
          .isInstanceOfSatisfying(
              OutcomeUnknown.class, e -> assertThat(e.operationId()).isEqualTo("op-1"));
      network.restore();
    }
  }

  private static HikariDataSource distant(TcpRelay network) {
    return TestDatabase.pool(
        "jdbc:postgresql://127.0.0.1:"
            + network.port()
            + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable",
        3);
  }

  @Test
  void anotherOnesUnknownOutcomeIsNotTakenForOurs() {
    AtomicInteger runs = new AtomicInteger();
    assertThatThrownBy(
            () ->
                inbox.once(
                    MESSAGE,
                    tx -> {
                      runs.incrementAndGet();
                      throw new OutcomeUnknown(
                          "elsewhere",
                          tx.operationId(),
                          new SQLException(),
                          Outcome.Committed::new);
                    }))
        .hasMessage("elsewhere");
    assertThat(runs).hasValue(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "commit",
        "COMMIT and chain",
        "\n\t/* of what\n is done */ -- now\n ;Commit;",
        "rollback",
        "abort work",
        "end",
        "prepare transaction 'x'"
      })
  @Attacks("inbox.atomicity")
  void aHandlerCannotEndTheTransactionBySqlEither(String sql) throws SQLException {
    for (boolean prepared : List.of(true, false)) {
      assertThatThrownBy(
              () ->
                  inbox.once(
                      MESSAGE,
                      tx -> {
                        ship(tx);
                        if (prepared) {
                          tx.update(sql);
                        } else {
                          try (Statement statement = tx.connection().createStatement()) {
                            statement.execute(sql);
                          }
                        }
                        return Reply.NONE;
                      }))
          .hasMessageContaining("To roll back, throw; to commit, return.");
      assertThat(shipments()).isZero();
    }
    assertThat(inbox.once(MESSAGE, this::ship).repeated()).isFalse();
  }

  @Test
  void sqlThatOnlyLooksLikeAnEndIsExecuted() throws SQLException {
    inbox.once(
        MESSAGE,
        tx -> {
          ship(tx);
          try (Statement statement = tx.connection().createStatement()) {
            statement.execute("savepoint a");
            statement.execute("rollback work to savepoint a");
            statement.execute("rollback to a");
            statement.execute("select 'commit' as ended; -- commit");
            statement.execute("prepare p as select 1");
          }
          return Reply.NONE;
        });
    assertThat(shipments()).isOne();
  }

  @Test
  void aHandlerCannotEndTheTransaction() throws SQLException {
    assertThatThrownBy(
            () ->
                inbox.once(
                    MESSAGE,
                    tx -> {
                      ship(tx);
                      tx.connection().commit();
                      return Reply.NONE;
                    }))
        .hasMessageContaining("commit");
    assertThat(shipments()).isZero();
  }

  @Test
  void badInputIsAnsweredInWords() {
    assertThatThrownBy(() -> Incoming.of("")).isInstanceOf(InvalidMessage.class);
    assertThatThrownBy(() -> Incoming.of("a\0b")).isInstanceOf(InvalidMessage.class);
    assertThatThrownBy(() -> Incoming.of("a").ofOperation("x".repeat(201)))
        .isInstanceOf(InvalidMessage.class);
    assertThatThrownBy(() -> Incoming.of("x".repeat(513)))
        .isInstanceOf(InvalidMessage.class)
        .hasMessageContaining("513");
    assertThatThrownBy(() -> new Reply("text/plain", new byte[Reply.MAX_BYTES + 1]))
        .isInstanceOf(InvalidMessage.class);
    assertThatThrownBy(() -> holdfast.inbox("", InboxSettings.DEFAULT))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> InboxSettings.DEFAULT.withRedelivery(Duration.ofDays(8)))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("handled twice");
    assertThatThrownBy(() -> InboxSettings.DEFAULT.withHandlerSilence(Duration.ZERO))
        .isInstanceOf(InvalidConfiguration.class);
  }

  @Test
  void whoTriesWhileAnotherIsAtItIsToldSoAtOnceAndGetsTheReplyLater() throws Exception {
    CountDownLatch began = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CompletableFuture<Optional<Receipt>> first =
        CompletableFuture.supplyAsync(
            () ->
                inbox.tryOnce(
                    MESSAGE,
                    tx -> {
                      began.countDown();
                      awaitUninterruptibly(goOn);
                      return ship(tx);
                    }));
    began.await();

    assertThat(inbox.tryOnce(MESSAGE, this::ship)).as("while it is handled").isEmpty();
    assertThat(inbox.tryOnce(Incoming.of("m-2"), tx -> Reply.NONE)).as("another id").isPresent();

    goOn.countDown();
    Receipt done = first.join().orElseThrow();
    Receipt again = inbox.tryOnce(MESSAGE, this::ship).orElseThrow();
    assertThat(again.repeated()).isTrue();
    assertThat(again.reply()).isEqualTo(done.reply());
    assertHappenedOnce();
  }

  @Test
  void aTriedMessageWhoseHandlerThrowsIsAsNew() throws SQLException {
    assertThatThrownBy(
            () ->
                inbox.tryOnce(
                    MESSAGE,
                    tx -> {
                      ship(tx);
                      throw new IllegalStateException("no");
                    }))
        .hasMessage("no");
    assertThat(inbox.tryOnce(MESSAGE, this::ship).orElseThrow().repeated()).isFalse();
    assertHappenedOnce();
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
