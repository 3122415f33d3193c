package dev.holdfast.mariadb;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.twophase.Joined;
import dev.holdfast.twophase.Participant;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** SIGKILL at the points of the protocol: of the application, of MariaDB, and of both. */
final class KilledTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  /** Where the application is when it happens. */
  private enum Point {
    WORKING(false),
    PREPARED(false),
    DECIDED(true),
    DONE(true);

    private final boolean isCommitted;

    Point(boolean isCommitted) {
      this.isCommitted = isCommitted;
    }
  }

  /** The application: does one operation up to a point, says so, and waits. */
  static final class Application {
    private Application() {}

    public static void main(String[] args) throws Exception {
      Point point = Point.valueOf(args[2]);
      try (HikariDataSource orders = TestServers.pool(args[0]);
          HikariDataSource ledger = TestServers.pool(args[1])) {
        Participant participant = Participant.of("ledger", ledger);
        try (Holdfast holdfast = OrdersAndLedger.process(orders, participant);
            Connection connection = orders.getConnection()) {
          run(holdfast, connection, participant, point);
        }
      }
    }

    private static void run(
        Holdfast holdfast, Connection connection, Participant participant, Point point)
        throws SQLException {
      connection.setAutoCommit(false);
      try (Joined<Boolean> joined =
          holdfast
              .atomic()
              .with(participant)
              .join(
                  connection,
                  tx -> {
                    tx.update("insert into entry (id) values (?)", "a");
                    tx.on(participant).update("insert into entry (id) values (?)", "a");
                    waitAt(Point.WORKING, point);
                    return true;
                  })) {
        waitAt(Point.PREPARED, point);
        connection.commit();
        waitAt(Point.DECIDED, point);
        joined.committed();
        waitAt(Point.DONE, point);
      }
    }

    private static void waitAt(Point here, Point point) {
      if (here == point) {
        System.out.println("at " + here);
        try {
          System.in.read();
        } catch (IOException e) {
          throw new IllegalStateException(e);
        }
      }
    }
  }

  private OrdersAndLedger databases;
  private Holdfast holdfast;

  @BeforeEach
  void open() throws SQLException {
    databases = new OrdersAndLedger();
    holdfast = databases.process();
    holdfast.twoPhase().recover();
  }

  @AfterEach
  void close() {
    holdfast.close();
    databases.close();
  }

  private Process application(Point point) throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Application.class.getName(),
                databases.orders.getJdbcUrl(),
                databases.ledger.getJdbcUrl(),
                point.name())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    var output = process.inputReader(StandardCharsets.UTF_8);
    String line = output.readLine();
    while (line != null && !line.equals("at " + point)) {
      line = output.readLine();
    }
    assertThat(line).as("what the application says").isEqualTo("at " + point);
    return process;
  }

  private void assertRecovered(Point point) {
    Awaitility.await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              holdfast.twoPhase().recover();
              assertThat(databases.prepared(holdfast)).isZero();
              List<String> expected = point.isCommitted ? List.of("a") : List.of();
              assertThat(databases.inOrders()).isEqualTo(expected);
              assertThat(databases.inLedger()).isEqualTo(expected);
            });
    holdfast.twoPhase().clean();
    assertThat(holdfast.twoPhase().heuristics(10)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Point.class)
  void ofTheApplication(Point point) throws Exception {
    Process application = application(point);
    application.destroyForcibly().waitFor();
    assertRecovered(point);
  }

  @Tag("long")
  @ParameterizedTest
  @EnumSource(Point.class)
  void ofBoth(Point point) throws Exception {
    Process application = application(point);
    TestServers.MariaDb.SERVER.kill();
    application.destroyForcibly().waitFor();
    TestServers.MariaDb.SERVER.restart();
    assertRecovered(point);
  }

  /** The application goes on, and finds its connection gone. */
  @Tag("long")
  @ParameterizedTest
  @EnumSource(Point.class)
  void ofMariaDb(Point point) throws Exception {
    Process application = application(point);
    TestServers.MariaDb.SERVER.kill();
    TestServers.MariaDb.SERVER.restart();
    application.outputWriter(StandardCharsets.UTF_8).append('\n').flush();
    application.waitFor();
    // What was prepared is committed by an application that goes on; what was not cannot be.
    assertRecovered(point == Point.PREPARED ? Point.DECIDED : point);
  }
}
