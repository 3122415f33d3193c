package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Stepper;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReservationState;
import dev.holdfast.reservation.SemanticLock;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The printed roles suffice, and whoever has them cannot make units out of nothing. */
final class ReservationRightsTest {
  private final Stocks stocks = new Stocks().with("widget", 10, 2);

  @AfterEach
  void end() throws SQLException {
    stocks.assertBalanced();
    stocks.close();
  }

  private HikariDataSource as(String role) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(Stocks.server().jdbcUrl());
    config.setMaximumPoolSize(3);
    config.setMinimumIdle(0);
    config.setConnectionInitSql("set role " + role);
    return new HikariDataSource(config);
  }

  @Test
  void aWriterReservesAndARelayTends() throws SQLException {
    stocks.execute(stocks.holdfast.store().schema().printRoles());
    try (HikariDataSource writers = as("holdfast_writer");
        Holdfast writer = Holdfast.on(writers).schema(stocks.schema).manual().holdfast()) {
      writer.transact(
          tx -> {
            writer.reservations().setCapacity(tx, "gadget", 100);
            writer.reservations().reserve(tx, Reservation.of("a", "widget", 2)).orThrow();
            writer.reservations().reserve(tx, Reservation.of("b", "gadget", 2)).orThrow();
          });
      writer.transact(
          tx -> {
            writer.reservations().confirm(tx, "a").orThrow();
            writer.reservations().cancel(tx, "b").orThrow();
            SemanticLock lock =
                writer
                    .semanticLocks()
                    .acquire(tx, "order/1", "me", Duration.ofMinutes(1))
                    .orThrow();
            writer.semanticLocks().require(tx, lock);
            writer.semanticLocks().renew(tx, lock, Duration.ofMinutes(2));
            writer.semanticLocks().release(tx, lock);
            assertThat(writer.reservations().state(tx, "a")).isEqualTo(ReservationState.CONFIRMED);
            assertThat(writer.reservations().available(tx, "gadget")).isEqualTo(100);
          });
      writer.reservations().keepFor(Duration.ofDays(3));
      for (String forbidden :
          List.of(
              "update ${schema}.stock_stripe set free = free + 1",
              "insert into ${schema}.stock_change (stock, returned) values ('widget', 1)",
              "update ${schema}.reservation set state = 'CANCELLED'",
              "select ${schema}.spread_stock('widget', '{0}', 1000)",
              "select ${schema}.take_free('widget', 1)",
              "delete from ${schema}.reservation")) {
        assertThatThrownBy(
                () -> {
                  try (Connection connection = writers.getConnection();
                      Statement statement = connection.createStatement()) {
                    statement.execute(stocks.in(forbidden));
                  }
                })
            .as(forbidden)
            .isInstanceOf(SQLException.class)
            .extracting(e -> ((SQLException) e).getSQLState())
            .isEqualTo("42501");
      }
    }
    stocks.reserveUntilDue(Reservation.of("c", "widget", 2));
    try (HikariDataSource relays = as("holdfast_relay");
        Stepper relay = Holdfast.on(relays).schema(stocks.schema).manual()) {
      relay.upkeep();
    }
    assertThat(stocks.state("c")).isEqualTo(ReservationState.EXPIRED);
    assertThat(stocks.ask("select count(*) from ${schema}.stock_change")).isZero();
  }
}
