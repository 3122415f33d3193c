package dev.holdfast.http;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.Transaction;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.Scenario;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.http.TestServers.Web;
import dev.holdfast.postgres.PostgresStore;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A server that is crashed at each of its commits, or is not heard, and a client that asks again.
 */
final class ReceiverCrashTest {
  private static final String SCHEMA = TestServers.unique("crash");
  private static final String ORDERS = SCHEMA + ".shop_order";
  private static final HikariDataSource POOL = TestServers.pool(2);

  @BeforeAll
  static void begin() {
    PostgresStore store = PostgresStore.open(POOL, SCHEMA);
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    TestServers.execute(POOL, "create table " + ORDERS + " (id text not null)");
  }

  @AfterAll
  static void end() {
    POOL.close();
  }

  /** A process that serves, and the client that calls it. */
  private record Server(URI uri, IdempotentClient client) {
    static Server start(Resources resources, IdempotencySettings settings) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", TestServers.POSTGRES.jdbcUrl()));
      config.setMaximumPoolSize(4);
      config.setMinimumIdle(0);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      Holdfast holdfast = Holdfast.on(pool).schema(SCHEMA).schemaManagedElsewhere().start();
      resources.onStop(holdfast);
      Web web =
          new Web(
              IdempotentHandler.of(
                  holdfast, settings, (tx, request) -> place(tx, request.asText())));
      resources.onStop(web);
      return new Server(
          web.uri("/orders"),
          IdempotentClient.over(TestServers.CLIENT)
              .attempts(1, Duration.ofSeconds(20), Duration.ofSeconds(20)));
    }

    static Server start(Resources resources) {
      return start(resources, IdempotencySettings.of("crash"));
    }

    static Server startWithoutKeys(Resources resources) {
      return start(resources, IdempotencySettings.of("crash").optional());
    }

    private static Answer place(Transaction tx, String id) throws SQLException {
      tx.update("insert into " + ORDERS + " values (?)", id);
      tx.publish(Message.of("orders", id, "{}"));
      return Answer.json(201, "{}");
    }

    void order(String id) {
      HttpRequest request = HttpRequest.newBuilder(uri).POST(BodyPublishers.ofString(id)).build();
      Attempted attempted = client.sendAgain(request, id);
      if (!(attempted.outcome() instanceof Outcome.Committed)) {
        throw new IllegalStateException("not known: " + attempted.outcome());
      }
    }

    void orderWithoutKey(String id) {
      HttpRequest request = HttpRequest.newBuilder(uri).POST(BodyPublishers.ofString(id)).build();
      if (TestServers.send(request).statusCode() != 201) {
        throw new IllegalStateException("not known");
      }
    }
  }

  private static Scenario<Server> expectOnce(
      CrashLab lab, Scenario.Start<Server> start, Scenario.Work<Server> work) {
    return lab.application(start)
        .operation(work)
        .recoveredByRetry(4)
        .ignoring("pg_notify")
        .expect(row(ORDERS).byKey("id").once(), row(SCHEMA + ".message").byKey("key").once());
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({
    "inbox.atomicity",
    "inbox.once",
    "inbox.answer",
    "receiver.atomicity",
    "receiver.once",
    "receiver.answer"
  })
  void aRequestThatIsRepeatedUnderItsKeyUntilItIsAnswered(CrashLab lab) {
    expectOnce(lab, Server::start, Server::order);
  }

  @Test
  void aRequestWithoutAKeyThatIsRepeatedIsExecutedTwice() {
    ExplorationReport report =
        CrashLab.explore(
            "without keys",
            CrashLab.Options.defaults(),
            lab -> expectOnce(lab, Server::startWithoutKeys, Server::orderWithoutKey));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
