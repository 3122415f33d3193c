package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.inbox.store.InboxStore.Arrival;
import dev.holdfast.inbox.store.InboxStore.Known;
import dev.holdfast.internal.Doorbell;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A million messages, whose ids are forgotten in time. */
final class InboxSoakTest {
  private static final Logger log = LoggerFactory.getLogger(InboxSoakTest.class);

  private static final int MESSAGES = 2_000_000;
  private static final int BATCH = 500;
  private static final int PARTS = 10;
  private static final String SIZE =
      """
      select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = '%s' and c.relname in ('inbox_0', 'inbox_1', 'inbox_2')
      """;

  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);

  @SuppressWarnings("NullAway.Init")
  private Holdfast holdfast;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.inbox().register("c", Duration.ofSeconds(2));
  }

  @AfterEach
  void end() {
    if (holdfast != null) {
      holdfast.close();
    }
  }

  @Tag("long")
  @Test
  void storageStaysWithinABoundWhileTwoMillionAreReceived() throws SQLException {
    holdfast =
        Holdfast.on(TestDatabase.dataSource())
            .schema(schema)
            .schemaManagedElsewhere()
            .withUpkeep()
            .start();
    assertThat(soak()).as("of what all ids together would take").isLessThan(0.5);
  }

  /** The control: nobody forgets. */
  @Tag("long")
  @Test
  void withoutUpkeepStorageGrows() throws SQLException {
    assertThat(soak()).isGreaterThan(0.9);
  }

  /**
   * @return the largest size on the way, as a part of what all ids would have taken
   */
  private double soak() throws SQLException {
    List<Long> rates = new ArrayList<>();
    long largest = 0;
    double bytesEach = 0;
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      for (int part = 0; part < PARTS; part++) {
        long begun = Doorbell.nanos();
        for (int done = 0; done < MESSAGES / PARTS; done += BATCH) {
          receive(connection, part * (MESSAGES / PARTS) + done);
          if (part == 0 && done == 20 * BATCH) {
            bytesEach = (double) size() / (done + BATCH);
          }
          if (done % (20 * BATCH) == 0) {
            largest = Math.max(largest, size());
          }
        }
        rates.add(MESSAGES / PARTS * 1_000L / Math.max(1, Doorbell.since(begun).toMillis()));
      }
    }
    log.info(
        "messages/s by tenths: {}; at most {} kB, {} bytes for an id",
        rates,
        largest / 1024,
        bytesEach);
    return largest / (bytesEach * MESSAGES);
  }

  private void receive(Connection connection, int from) throws SQLException {
    List<Arrival> arrivals = new ArrayList<>(BATCH);
    for (int i = 0; i < BATCH; i++) {
      arrivals.add(new Arrival("message-" + (from + i), null, "op-" + (from + i)));
    }
    assertThat(store.inbox().receiveAll(connection, "c", arrivals))
        .hasSize(BATCH)
        .allMatch(Known::first);
    connection.commit();
  }

  private long size() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(SIZE.formatted(schema))) {
      row.next();
      return row.getLong(1);
    }
  }
}
