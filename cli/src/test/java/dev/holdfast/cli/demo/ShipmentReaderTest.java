package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.HoldfastException;
import dev.holdfast.cli.TestDatabases;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShipmentReaderTest {
  private final String url = TestDatabases.create();

  private ShipmentReader reader(String... orders) throws Exception {
    try (Connection connection = DriverManager.getConnection(url)) {
      Shipments.createTables(connection);
      for (String order : orders) {
        Shipments.ship(connection, new OrderMessage(order, "customer-" + order.charAt(0), 1));
      }
    }
    return new ShipmentReader(Wiring.pool(url, 2), null);
  }

  @Test
  void nothingMoreIsDueWhenEveryOrderWasShippedHoweverOften() throws Exception {
    try (ShipmentReader reader = reader("a1", "b1", "a1")) {
      assertThat(reader.seen()).isEqualTo(3);
      assertThat(reader.isComplete(3)).isFalse();
      assertThat(reader.isComplete(2)).isTrue();
    }
  }

  @Test
  void shipmentsAreJudgedInTheOrderInWhichTheyWereMade() throws Exception {
    try (ShipmentReader reader = reader("a2", "b1", "a1", "b1")) {
      List<String> ids = reader.orderIds();
      assertThat(ids).containsExactly("a2", "b1", "a1", "b1");
      assertThat(
              Verdict.of(
                  4,
                  List.of(
                      new Verdict.Order("a1", "a", 1),
                      new Verdict.Order("a2", "a", 2),
                      new Verdict.Order("b1", "b", 1),
                      new Verdict.Order("b2", "b", 2)),
                  ids))
          .isEqualTo(new Verdict(4, 1, 0, 1, 1));
    }
  }

  @Test
  void halfOfATransactionIsNoticed() throws Exception {
    try (ShipmentReader reader = reader("a1")) {
      TestDatabases.execute(url, "update demo_customers set shipments = 2");
      assertThatThrownBy(reader::orderIds)
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining(
              "shipping service has customers whose total is not that of their rows");
    }
  }
}
