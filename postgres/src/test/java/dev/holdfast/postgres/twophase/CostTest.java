package dev.holdfast.postgres.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.guarantee.Advisor;
import dev.holdfast.guarantee.Need;
import dev.holdfast.guarantee.Needs;
import dev.holdfast.guarantee.Resolution;
import dev.holdfast.postgres.PostgresBoundary;
import dev.holdfast.postgres.RoundTrips;
import dev.holdfast.twophase.AtomicBody;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an operation across two databases costs, counted: forced writes, and round trips. */
final class CostTest {
  private static final int TIMES = 20;
  private static final String INSERT = "insert into entry (id) values (?)";

  private PostgresServer ordersServer;
  private PostgresServer ledgerServer;
  private RoundTrips ordersWire;
  private RoundTrips ledgerWire;
  private HikariDataSource orders;
  private HikariDataSource ledger;
  private Participant participant;
  private final AtomicInteger ids = new AtomicInteger();

  private record Cost(long ordersForced, long ledgerForced, int ordersTrips, int ledgerTrips) {}

  @BeforeEach
  void start() throws SQLException {
    ordersServer = server();
    ledgerServer = server();
    ordersWire = new RoundTrips(ordersServer.port());
    ledgerWire = new RoundTrips(ledgerServer.port());
    orders = pool(ordersWire.jdbcUrl());
    ledger = pool(ledgerWire.jdbcUrl());
    TwoDatabases.execute(orders, "create table entry (id text primary key)");
    TwoDatabases.execute(ledger, "create table entry (id text primary key)");
    participant = Participant.of("ledger", ledger);
  }

  @AfterEach
  void end() throws IOException {
    orders.close();
    ledger.close();
    ordersWire.close();
    ledgerWire.close();
    ordersServer.close();
    ledgerServer.close();
  }

  /** Nobody else forces the log out: neither a background writer nor a vacuum. */
  private static PostgresServer server() {
    return PostgresServer.builder()
        // A quarter of these may wait for their second phase.
        .setting("max_prepared_transactions", "100")
        .setting("wal_writer_delay", "10s")
        .setting("autovacuum", "off")
        .start();
  }

  /** As the manual advises: the bound on waits is the session's, so that nobody has to set it. */
  private static HikariDataSource pool(String url) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url + "&options=-c%20lock_timeout=5s");
    config.setMaximumPoolSize(5);
    config.setMinimumIdle(1);
    return new HikariDataSource(config);
  }

  @Test
  @Attacks("twophase.durability")
  void threeForcedWritesForTwoDatabases() throws SQLException {
    try (Holdfast holdfast = process(TwoDatabases.SETTINGS)) {
      Cost cost = costOf(holdfast, bothWrite());

      assertThat(cost.ordersForced()).as("the decision").isEqualTo(TIMES);
      assertThat(cost.ledgerForced()).as("prepare and commit").isEqualTo(2L * TIMES);
      assertThat(cost.ordersForced() + cost.ledgerForced())
          .as("what the advisor counts")
          .isEqualTo((long) TIMES * advised().forcedWrites());
      // The insert, the decision, the commit; the insert, witness and prepare, the second phase.
      assertThat(cost.ordersTrips()).isEqualTo(3 * TIMES);
      assertThat(cost.ledgerTrips()).isEqualTo(3 * TIMES);
      // The inserts, the commit and the second phase, which need not be waited for, aside.
      assertThat(cost.ordersTrips() - 2 * TIMES + cost.ledgerTrips() - 2 * TIMES)
          .as("what the advisor counts")
          .isEqualTo(TIMES * advised().callerRoundTrips());
    }
  }

  /** What the advisor says that it costs. */
  private static dev.holdfast.guarantee.Cost advised() {
    Boundary here = new PostgresBoundary();
    Boundary there =
        new Boundary() {
          @Override
          public String description() {
            return "postgresql of the ledger";
          }

          @Override
          public Set<Capability> capabilities() {
            return here.capabilities();
          }

          @Override
          public Acknowledgment acknowledgment() {
            return here.acknowledgment();
          }
        };
    return Advisor.rank(List.of(here, there), Needs.of(Need.NOW)).sound().stream()
        .filter(advice -> advice.resolution() == Resolution.TWO_PHASE_COMMIT)
        .findFirst()
        .orElseThrow()
        .cost();
  }

  /** The second phase is kept from running, so that what is counted came before the reply. */
  @Test
  @Attacks("twophase.durability")
  void twoOfThemBeforeTheReplyWhenTheSecondPhaseIsAsynchronous() throws SQLException {
    CountDownLatch replied = new CountDownLatch(1);
    AtomicBoolean waits = new AtomicBoolean();
    participant =
        Participant.of(
            "ledger",
            Meddled.before(
                participant.branches(),
                "connect",
                gid -> {
                  boolean isSecondPhase =
                      Thread.currentThread().getName().startsWith("holdfast-second-phase");
                  if (isSecondPhase && waits.get()) {
                    assertThat(replied.await(60, TimeUnit.SECONDS)).isTrue();
                  }
                }));
    TwoPhaseSettings settings = TwoDatabases.SETTINGS.withAsynchronousSecondPhase(true);
    try (Holdfast holdfast = process(settings)) {
      costOf(holdfast, bothWrite());
      waits.set(true);
      long ordersBefore = forced(ordersServer);
      long ledgerBefore = forced(ledgerServer);
      for (int i = 0; i < 10; i++) {
        holdfast.atomically(holdfast.decider(), participant, bothWrite());
      }
      assertThat(forced(ordersServer) - ordersBefore).isEqualTo(10);
      assertThat(forced(ledgerServer) - ledgerBefore).isEqualTo(10);
      assertThat(advised().callerForcedWrites()).as("what the advisor counts").isEqualTo(2);

      int trips = ledgerWire.count();
      replied.countDown();
      awaitNothingPrepared();
      assertThat(ledgerWire.count() - trips)
          .as("what came while the first was held is committed together")
          .isLessThan(10);
      // Two are committed side by side, and may share one.
      assertThat(forced(ledgerServer) - ledgerBefore).isBetween(15L, 20L);
    }
  }

  @Test
  @Attacks("twophase.plain")
  void oneForcedWriteWhenOnlyOneDatabaseIsChanged() throws SQLException {
    try (Holdfast holdfast = process(TwoDatabases.SETTINGS)) {
      Cost here = costOf(holdfast, (o, l) -> o.update(INSERT, id()));
      assertThat(here).isEqualTo(new Cost(TIMES, 0, 2 * TIMES, 0));

      Cost there = costOf(holdfast, (o, l) -> l.update(INSERT, id()));
      assertThat(there).isEqualTo(new Cost(0, TIMES, 0, 2 * TIMES));

      Cost readingThere =
          costOf(
              holdfast,
              (o, l) -> {
                o.update(INSERT, id());
                l.connection().prepareStatement("select 1 from entry").executeQuery().close();
              });
      assertThat(readingThere.ordersForced()).isEqualTo(TIMES);
      assertThat(readingThere.ledgerForced()).isZero();
    }
  }

  @Test
  void cleaningIsDoneForManyAtOnce() throws SQLException {
    try (Holdfast holdfast = process(TwoDatabases.SETTINGS)) {
      costOf(holdfast, bothWrite());
      long ordersBefore = forced(ordersServer);
      long ledgerBefore = forced(ledgerServer);
      holdfast.twoPhase().clean();

      assertThat(TwoDatabases.list(orders, "select count(*) from holdfast.decision"))
          .containsExactly("0");
      assertThat(TwoDatabases.list(ledger, "select count(*) from holdfast.witness"))
          .containsExactly("0");
      // What was handed out is flushed, and refused from now on; and then the deletions are.
      assertThat(forced(ordersServer) - ordersBefore).isLessThanOrEqualTo(2);
      assertThat(forced(ledgerServer) - ledgerBefore).isLessThanOrEqualTo(2);

      long afterwards = forced(ordersServer);
      holdfast.twoPhase().clean();

      assertThat(forced(ordersServer)).isEqualTo(afterwards);
    }
  }

  private Holdfast process(TwoPhaseSettings settings) {
    return Holdfast.on(orders).participant(participant).twoPhase(settings).manual().holdfast();
  }

  private AtomicBody bothWrite() {
    return (o, l) -> {
      String id = id();
      o.update(INSERT, id);
      l.update(INSERT, id);
    };
  }

  private String id() {
    return "id-" + ids.incrementAndGet();
  }

  private Cost costOf(Holdfast holdfast, AtomicBody body) throws SQLException {
    // The driver prepares statements on the server after some uses, and asks for what it remembers.
    for (int i = 0; i < 12; i++) {
      holdfast.atomically(holdfast.decider(), participant, body);
    }
    awaitNothingPrepared();
    for (PostgresServer server : new PostgresServer[] {ordersServer, ledgerServer}) {
      // No new segment of the log, with a forced write of its own, in the middle.
      admin(server, "select pg_switch_wal()");
      admin(server, "checkpoint");
    }
    long ordersBefore = forced(ordersServer);
    long ledgerBefore = forced(ledgerServer);
    int ordersTrips = ordersWire.count();
    int ledgerTrips = ledgerWire.count();
    for (int i = 0; i < TIMES; i++) {
      holdfast.atomically(holdfast.decider(), participant, body);
    }
    ordersTrips = ordersWire.count() - ordersTrips;
    ledgerTrips = ledgerWire.count() - ledgerTrips;
    awaitNothingPrepared();
    return new Cost(
        forced(ordersServer) - ordersBefore,
        forced(ledgerServer) - ledgerBefore,
        ordersTrips,
        ledgerTrips);
  }

  private void awaitNothingPrepared() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(admin(ledgerServer, "select count(*) from pg_prepared_xacts"))
                    .isEqualTo("0"));
  }

  private long forced(PostgresServer server) throws SQLException {
    flushStatistics(server == ordersServer ? orders : ledger);
    return Long.parseLong(
        admin(
            server,
            "select coalesce(sum(fsyncs), 0) from pg_stat_get_io()"
                + " as io where io.object = 'wal' and io.backend_type = 'client backend'"));
  }

  /** Every session that the pool has reports what it has done. */
  private static void flushStatistics(HikariDataSource pool) throws SQLException {
    List<Connection> all = new ArrayList<>();
    try {
      int count = pool.getHikariPoolMXBean().getIdleConnections();
      for (int i = 0; i < count; i++) {
        Connection connection = pool.getConnection();
        all.add(connection);
        try (Statement statement = connection.createStatement()) {
          statement.execute("select pg_stat_force_next_flush()");
        }
      }
    } finally {
      for (Connection connection : all) {
        connection.close();
      }
    }
  }

  private static String admin(PostgresServer server, String sql) throws SQLException {
    try (Connection connection = java.sql.DriverManager.getConnection(server.jdbcUrl());
        Statement statement = connection.createStatement()) {
      if (sql.equals("checkpoint")) {
        statement.execute(sql);
        return "";
      }
      try (var rows = statement.executeQuery(sql)) {
        rows.next();
        return rows.getString(1);
      }
    }
  }
}
