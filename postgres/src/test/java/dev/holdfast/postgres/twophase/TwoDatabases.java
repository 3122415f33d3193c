package dev.holdfast.postgres.twophase;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * Two servers for all tests of this JVM, orders and ledger; each test has databases of its own
 * there, with a table {@code entry} of ids.
 */
final class TwoDatabases implements AutoCloseable {
  private static final PostgresServer ORDERS =
      PostgresServer.builder().setting("max_prepared_transactions", "20").start();
  private static final PostgresServer LEDGER =
      PostgresServer.builder().setting("max_prepared_transactions", "1200").start();
  private static final AtomicInteger DATABASES = new AtomicInteger();

  /** Nothing happens by itself within a test, and nothing is too young to be recovered. */
  static final TwoPhaseSettings SETTINGS =
      TwoPhaseSettings.DEFAULT
          .withLockTimeout(Duration.ofSeconds(1))
          .withRecoverAfter(Duration.ZERO)
          .withRecoveryInterval(Duration.ofMinutes(10))
          .withKeepDecisions(Duration.ZERO);

  final String name = "two_phase_" + DATABASES.incrementAndGet();
  private final List<HikariDataSource> pools = new ArrayList<>();
  final HikariDataSource orders;
  final HikariDataSource ledger;
  private final Participant participant;

  TwoDatabases() throws SQLException {
    ORDERS.createDatabase(name);
    LEDGER.createDatabase(name);
    orders = pool(ORDERS.jdbcUrl(name), 20);
    ledger = pool(LEDGER.jdbcUrl(name), 20);
    participant = Participant.of("ledger", ledger);
    createTables();
  }

  private TwoDatabases(HikariDataSource orders, HikariDataSource ledger) {
    this.orders = orders;
    this.ledger = ledger;
    participant = Participant.of("ledger", ledger);
  }

  /** The databases {@code postgres} of servers of the test's own. */
  static TwoDatabases at(PostgresServer orders, PostgresServer ledger) {
    HikariDataSource deciding = connect(orders.jdbcUrl(), 20);
    HikariDataSource other = connect(ledger.jdbcUrl(), 20);
    TwoDatabases databases = new TwoDatabases(deciding, other);
    databases.pools.add(deciding);
    databases.pools.add(other);
    return databases;
  }

  void createTables() throws SQLException {
    execute(orders, "create table entry (id text primary key, value integer)");
    execute(ledger, "create table entry (id text primary key, value integer)");
  }

  /** The same ledger beside another deciding database. */
  TwoDatabases decidedBy(HikariDataSource other) {
    return new TwoDatabases(other, ledger);
  }

  static PostgresServer ordersServer() {
    return ORDERS;
  }

  static PostgresServer ledgerServer() {
    return LEDGER;
  }

  HikariDataSource pool(String url, int size) {
    HikariDataSource pool = connect(url, size);
    pools.add(pool);
    return pool;
  }

  private static HikariDataSource connect(String url, int size) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    // A server that is just recovering is asked again when it is used.
    config.setInitializationFailTimeout(-1);
    return new HikariDataSource(config);
  }

  Participant participant() {
    return participant;
  }

  /** A process that has both databases; the stepped kind, of which nothing runs by itself. */
  Holdfast process(Participant participant) {
    return process(participant, SETTINGS);
  }

  Holdfast process(Participant participant, TwoPhaseSettings settings) {
    return Holdfast.on(orders).participant(participant).twoPhase(settings).manual().holdfast();
  }

  static void execute(DataSource dataSource, String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static void insertOrder(Connection connection, String id) throws SQLException {
    try (var statement = connection.prepareStatement("insert into shop_order (id) values (?)")) {
      statement.setString(1, id);
      statement.executeUpdate();
    }
  }

  static List<String> list(DataSource dataSource, String sql) throws SQLException {
    List<String> result = new ArrayList<>();
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        result.add(rows.getString(1));
      }
    }
    return result;
  }

  static List<String> entries(DataSource dataSource) throws SQLException {
    return list(dataSource, "select id from entry order by id");
  }

  List<String> prepared() throws SQLException {
    return list(
        ledger, "select gid from pg_prepared_xacts where database = current_database() order by 1");
  }

  long count(DataSource dataSource, String table) throws SQLException {
    return Long.parseLong(list(dataSource, "select count(*) from " + table).get(0));
  }

  @Override
  public void close() {
    pools.forEach(HikariDataSource::close);
  }
}
