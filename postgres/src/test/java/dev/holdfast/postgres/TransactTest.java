package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.InvalidMessage;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.SchemaMismatch;
import dev.holdfast.StaleVersion;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.Transaction;
import dev.holdfast.TransactionOptions;
import dev.holdfast.UnroutedTopic;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code transact} and {@code publish} make of callers that do not keep to the easy way. */
final class TransactTest {
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private Cursor start = Cursor.at("");
  private Holdfast holdfast;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    start = store.channels().progress("c").cursor();
    holdfast =
        Holdfast.on(TestDatabase.dataSource()).schema(schema).schemaManagedElsewhere().start();
  }

  @AfterEach
  void end() {
    holdfast.close();
  }

  private static Message message(String key) {
    return Message.of("orders", key, "{}");
  }

  private List<String> keys() {
    return store.log().read("c", start, new OutboxLog.Limit(100, 1 << 20), true).records().stream()
        .map(OutboxRecord::key)
        .map(String::valueOf)
        .toList();
  }

  @Test
  @Attacks("transact.atomicity")
  void aRollbackToASavepointDropsWhatWasPublishedAfterIt() {
    holdfast.transact(
        tx -> {
          tx.publish(message("before"));
          Savepoint outer = tx.connection().setSavepoint();
          tx.publish(message("dropped-1"));
          tx.connection().setSavepoint("inner");
          tx.publish(message("dropped-2"));
          tx.connection().rollback(outer);
          tx.publish(message("between"));
          tx.connection().rollback(outer);
          Savepoint kept = tx.connection().setSavepoint();
          tx.publish(message("after"));
          tx.connection().releaseSavepoint(kept);
        });
    assertThat(keys()).containsExactly("before", "after");
  }

  @ParameterizedTest
  @ValueSource(strings = {"40001", "40P01"})
  @Attacks("transact.repeat")
  void anAttemptThatIsRunAgainLeavesNoMessageOfTheFirstOne(String state) {
    AtomicInteger attempts = new AtomicInteger();
    holdfast.transact(
        tx -> {
          int attempt = attempts.incrementAndGet();
          tx.publish(message("attempt-" + attempt));
          if (attempt < 3) {
            tx.update("do $$ begin raise sqlstate '" + state + "'; end $$");
          }
        });
    assertThat(attempts).hasValue(3);
    assertThat(keys()).containsExactly("attempt-3");
  }

  @Test
  void attemptsAreBounded() {
    AtomicInteger attempts = new AtomicInteger();
    assertThatThrownBy(
            () ->
                holdfast.transact(
                    TransactionOptions.DEFAULT.withAttempts(2),
                    tx -> {
                      attempts.incrementAndGet();
                      tx.update("do $$ begin raise sqlstate '40001'; end $$");
                    }))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("40001");
    assertThat(attempts).hasValue(2);
  }

  @Test
  @Attacks("transact.version")
  void aStaleVersionRollsEverythingBack() {
    assertThatThrownBy(
            () ->
                holdfast.transact(
                    tx -> {
                      tx.publish(message("k"));
                      tx.updateExpected(
                          "update "
                              + schema
                              + ".store set retention_ms = retention_ms where retention_ms = ?",
                          999);
                    }))
        .isInstanceOf(StaleVersion.class);
    assertThat(keys()).isEmpty();
  }

  @Test
  void theCallbackMayNotEndTheTransactionNorOutliveIt() {
    List<Transaction> leaked = new ArrayList<>();
    List<Connection> connections = new ArrayList<>();
    holdfast.transact(
        tx -> {
          assertThatThrownBy(() -> tx.connection().commit()).isInstanceOf(SQLException.class);
          assertThatThrownBy(() -> tx.connection().rollback()).isInstanceOf(SQLException.class);
          assertThatThrownBy(() -> tx.connection().close()).isInstanceOf(SQLException.class);
          assertThatThrownBy(() -> tx.connection().setAutoCommit(true))
              .isInstanceOf(SQLException.class);
          tx.publish(message("k"));
          leaked.add(tx);
          connections.add(tx.connection());
        });
    assertThat(keys()).containsExactly("k");
    assertThatThrownBy(() -> leaked.get(0).publish(message("late")))
        .isInstanceOf(NoTransaction.class)
        .hasMessageContaining("not recorded");
    assertThatThrownBy(() -> connections.get(0).createStatement())
        .isInstanceOf(SQLException.class)
        .hasMessageContaining("ended");
    assertThat(keys()).containsExactly("k");
  }

  @Test
  @Attacks({"transact.atomicity", "outbox.atomicity"})
  void aDeferredConstraintThatFailsAtTheCommitTakesTheMessagesWithIt() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create table " + schema + ".u (n int unique deferrable initially deferred)");
    }
    assertThatThrownBy(
            () ->
                holdfast.transact(
                    tx -> {
                      tx.update("insert into " + schema + ".u values (1), (1)");
                      tx.publish(message("k"));
                    }))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("23505");
    assertThat(keys()).isEmpty();
  }

  @Test
  void badInputIsRefusedWithWordsAndNothingIsRecorded() throws SQLException {
    assertThatThrownBy(() -> holdfast.transact(tx -> tx.publish(Message.of("bills", "k", "{}"))))
        .isInstanceOf(UnroutedTopic.class)
        .hasMessageContaining("bills")
        .hasMessageContaining("nothing was recorded");
    byte[] large = new byte[1_000_001];
    assertThatThrownBy(() -> holdfast.transact(tx -> tx.publish(Message.of("orders", "k", large))))
        .isInstanceOf(InvalidMessage.class)
        .hasMessageContaining("1000001");
    Connection closed = TestDatabase.dataSource().getConnection();
    closed.close();
    assertThatThrownBy(() -> holdfast.publish(closed, message("k")))
        .isInstanceOf(NoTransaction.class);
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      assertThatThrownBy(() -> holdfast.publish(connection, message("k")))
          .isInstanceOf(NoTransaction.class)
          .hasMessageContaining("setAutoCommit(false)");
    }
    assertThat(keys()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Upper", "a-b", "1a", "a;drop table x", "a\"b"})
  void anInvalidSchemaNameIsRefused(String name) {
    assertThatThrownBy(() -> PostgresStore.open(TestDatabase.dataSource(), name))
        .isInstanceOf(InvalidConfiguration.class);
  }

  @Test
  void aSchemaTooOldOrTooNewAndAServerOutOfReachAreNamed() throws SQLException {
    assertThatThrownBy(
            () ->
                Holdfast.on(TestDatabase.dataSource())
                    .schema(schema + "_none")
                    .schemaManagedElsewhere()
                    .start())
        .isInstanceOf(SchemaMismatch.class)
        .hasMessageContaining("holdfast schema migrate");
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "insert into " + schema + ".schema_version (version, name) values (99, 'future')");
    }
    assertThatThrownBy(() -> Holdfast.on(TestDatabase.dataSource()).schema(schema).start())
        .isInstanceOf(SchemaMismatch.class)
        .hasMessageContaining("newer version");
    org.postgresql.ds.PGSimpleDataSource nobody = new org.postgresql.ds.PGSimpleDataSource();
    nobody.setUrl("jdbc:postgresql://127.0.0.1:1/none");
    assertThatThrownBy(() -> Holdfast.on(nobody).start())
        .isInstanceOf(StoreUnavailable.class)
        .hasMessageContaining("Nothing was started");
  }
}
