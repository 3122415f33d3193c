package dev.holdfast.postgres;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.Transaction;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.Scenario;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A receiver that is crashed at each of its commits, or is not heard, and gets the message again.
 */
final class InboxCrashTest {
  private static final String SCHEMA = TestDatabase.newSchema();
  private static final String SHIPMENT = SCHEMA + ".shipment";

  @BeforeAll
  static void begin() throws SQLException {
    PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), SCHEMA);
    store.schema().migrate();
    store.channels().register("c", List.of("shipments"));
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("create table " + SHIPMENT + " (id text not null)");
      statement.execute("create table " + SCHEMA + ".seen (id text primary key)");
    }
  }

  /** A process that receives. */
  private record Receiver(Holdfast holdfast, Inbox inbox) {
    static Receiver start(Resources resources) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", TestDatabase.server().jdbcUrl()));
      config.setMaximumPoolSize(4);
      config.setMinimumIdle(0);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      Holdfast holdfast = Holdfast.on(pool).schema(SCHEMA).schemaManagedElsewhere().start();
      resources.onStop(holdfast);
      return new Receiver(holdfast, holdfast.inbox("shipping", InboxSettings.DEFAULT));
    }

    void receive(String key) {
      inbox.once(Incoming.of(key), tx -> ship(tx, key));
    }

    /** As it is often done: the effect is one commit, and the note that it has happened another. */
    void receiveInTwoCommits(String key) {
      boolean isNew =
          holdfast.transactReturning(
              tx -> {
                try (var statement =
                    tx.connection()
                        .prepareStatement("select 1 from " + SCHEMA + ".seen where id = ?")) {
                  statement.setString(1, key);
                  return !statement.executeQuery().next();
                }
              });
      if (isNew) {
        holdfast.transact(tx -> ship(tx, key));
        holdfast.transact(tx -> tx.update("insert into " + SCHEMA + ".seen values (?)", key));
      }
    }

    private static Reply ship(Transaction tx, String key) throws SQLException {
      tx.update("insert into " + SHIPMENT + " values (?)", key);
      tx.publish(Message.of("shipments", key, "{}"));
      return Reply.text("shipped " + key);
    }
  }

  private static Scenario<Receiver> expectOnce(CrashLab lab, Scenario.Work<Receiver> work) {
    return lab.application(Receiver::start)
        .operation(work)
        .recoveredByRetry(2)
        .ignoring("pg_notify")
        .expect(row(SHIPMENT).byKey("id").once(), row(SCHEMA + ".message").byKey("key").once());
  }

  @CrashTest(
      carriers = {Carrier.FENCED, Carrier.LOST_ACK},
      crashesDuringRecovery = 1)
  @Attacks({"inbox.atomicity", "inbox.once", "inbox.answer"})
  void aMessageThatIsBroughtUntilItIsAnswered(CrashLab lab) {
    expectOnce(lab, Receiver::receive);
  }

  @Test
  void aReceiverOfTwoCommitsHandlesItTwice() {
    ExplorationReport report =
        CrashLab.explore(
            "two commits",
            CrashLab.Options.defaults(),
            lab -> expectOnce(lab, Receiver::receiveInTwoCommits));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
