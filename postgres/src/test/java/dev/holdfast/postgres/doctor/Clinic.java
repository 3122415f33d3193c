package dev.holdfast.postgres.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Message;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.postgres.PostgresStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** A server of its own for the doctor's tests, which set it ill; each patient has a database. */
final class Clinic {
  static final PostgresServer SERVER =
      PostgresServer.builder()
          .setting("max_connections", "20")
          .setting("superuser_reserved_connections", "1")
          .start();
  private static final AtomicInteger COUNT = new AtomicInteger();

  final String database = "patient_" + COUNT.incrementAndGet();
  final PGSimpleDataSource dataSource;
  final PostgresStore store;

  Clinic() {
    SERVER.createDatabase(database);
    dataSource = source(SERVER.jdbcUrl(database));
    store = PostgresStore.open(dataSource, "holdfast");
  }

  /** One with tables and a channel that somebody leads. */
  static Clinic healthy() {
    Clinic clinic = new Clinic();
    clinic.store.schema().migrate();
    clinic.store.channels().register("orders", List.of("orders"));
    assertThat(clinic.store.leases().tryAcquire("channel/orders", "relay-1", Duration.ofHours(1)))
        .isPresent();
    return clinic;
  }

  static PGSimpleDataSource source(String url) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(url + "&sslmode=disable&gssEncMode=disable");
    return source;
  }

  Connection connect() throws SQLException {
    return dataSource.getConnection();
  }

  void execute(String... statements) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  /** Publishes in a transaction that stays open. */
  Connection publishing(String key) throws SQLException {
    Connection connection = connect();
    connection.setAutoCommit(false);
    store.writer().publish(connection, "op", List.of(Message.of("orders", key, "{}")));
    return connection;
  }

  void publish(String key) throws SQLException {
    try (Connection connection = publishing(key)) {
      connection.commit();
    }
  }

  List<Finding> examine(Limits limits) {
    return examine(limits, null);
  }

  List<Finding> examine(Limits limits, PostgresDoctor.@Nullable Role role) {
    return new PostgresDoctor(dataSource, "holdfast", limits, InstantSource.system()).examine(role);
  }

  /** The findings of one check. */
  List<Finding> of(String id, Limits limits) {
    return new PostgresDoctor(dataSource, "holdfast", limits, InstantSource.system())
        .only(id).stream().filter(each -> each.id().equals(id)).toList();
  }

  /** The one finding of a check. */
  Finding one(String id, Limits limits) {
    List<Finding> found = of(id, limits);
    assertThat(found).as(id).hasSize(1);
    return found.get(0);
  }

  Finding one(String id) {
    return one(id, Limits.DEFAULT);
  }

  /** What an ill finding has to have. */
  static Finding ill(Finding finding, Severity severity) {
    assertThat(finding.severity()).as("%s", finding).isEqualTo(severity);
    assertThat(finding.meaning()).isNotBlank();
    assertThat(finding.remedy()).isNotBlank();
    return finding;
  }

  static Limits limits(Duration all) {
    return new Limits(
        all, all, all, all, all, Limits.DEFAULT.clocks(), 400_000_000, 1_000_000, all, all);
  }
}
