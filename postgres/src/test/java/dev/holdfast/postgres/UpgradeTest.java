package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Message;
import dev.holdfast.SchemaMismatch;
import dev.holdfast.outbox.store.OperationEvent;
import dev.holdfast.outbox.store.OperationEvent.State;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** From schema version 1 to 2 while the version before goes on working. */
final class UpgradeTest {
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);

  private void installVersion1() throws SQLException {
    String all = store.schema().print(0);
    String first = all.substring(0, all.length() - store.schema().print(1).length());
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(first);
    }
  }

  @Test
  void publisherOfTheVersionBeforeHoldsNothingUpAndGoesOn() throws SQLException {
    installVersion1();
    assertThatThrownBy(() -> store.schema().verify())
        .isInstanceOf(SchemaMismatch.class)
        .hasMessageContaining("at version 1");
    store.channels().register("c", List.of("orders"));
    try (Connection publisher = TestDatabase.dataSource().getConnection();
        Connection impatient = TestDatabase.dataSource().getConnection()) {
      publisher.setAutoCommit(false);
      store.writer().publish(publisher, "op", List.of(Message.of("orders", "k", "1")));

      // Waiting for the publisher, which waits for us, would fail here.
      try (Statement statement = impatient.createStatement()) {
        statement.execute("set lock_timeout = '2s'");
        statement.execute(store.schema().print(1));
        statement.execute("reset lock_timeout");
      }

      store.writer().publish(publisher, "op", List.of(Message.of("orders", "k", "2")));
      publisher.commit();
    }
    store.schema().verify();
    assertThat(store.schema().migrate()).isEmpty();
    assertThat(store.operations().of("op", 10))
        .extracting(OperationEvent::state)
        .containsExactly(State.DONE, State.WAITING, State.DONE, State.WAITING);
    assertThat(store.channels().register("c", List.of("orders", "more")))
        .containsExactly("more", "orders");
  }
}
