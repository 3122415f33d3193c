package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.ProjectionSettings;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * A database that is restored to an earlier state, and has been appended to since, gives positions
 * that Kafka has seen to other events.
 */
final class KafkaEventChannelRestoreTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  private final String name = TestServers.unique("restored_");
  private final String topic = TestServers.unique("restored");

  @Test
  @Attacks("events.restored")
  void nothingIsPassedOverWhereTheDatabaseWasRestored() throws Exception {
    TestServers.KAFKA.createTopic(topic, 1);
    TestServers.POSTGRES.createDatabase(name);
    try (HikariDataSource pool = TestServers.pool(TestServers.POSTGRES.jdbcUrl(name));
        Holdfast holdfast = Holdfast.on(pool).start()) {
      publish(holdfast, "channel", append(holdfast, "1", "2", "3"));
    }
    copyDatabase(name, name + "_dump");
    try (HikariDataSource pool = TestServers.pool(TestServers.POSTGRES.jdbcUrl(name));
        Holdfast holdfast = Holdfast.on(pool).start()) {
      publish(holdfast, "channel", append(holdfast, "4", "5"));
    }

    try (HikariDataSource pool = TestServers.pool(TestServers.POSTGRES.jdbcUrl(name + "_dump"));
        Holdfast holdfast = Holdfast.on(pool).start()) {
      // Behind the dump, and further than the channel had come.
      long last = append(holdfast, "x4", "x5", "x6");
      try (EventChannels channels = start(holdfast, "channel")) {
        Awaitility.await()
            .atMost(SOON)
            .untilAsserted(
                () ->
                    assertThat(channels.trouble("channel"))
                        .hasValueSatisfying(
                            text ->
                                assertThat(text)
                                    .contains(
                                        "has lost commits",
                                        "Nothing was sent",
                                        "a channel of another name")));
        assertThat(channels.awaitPublished("channel", last, Duration.ofMillis(100))).isFalse();
      }
      assertThat(values()).containsExactly("1", "2", "3", "4", "5");
      publish(holdfast, "channel-2", last);
      assertThat(values())
          .containsExactly("1", "2", "3", "4", "5", "1", "2", "3", "x4", "x5", "x6");
    }
  }

  private static long append(Holdfast holdfast, String... bodies) {
    long last = 0;
    for (String body : bodies) {
      last =
          holdfast
              .eventLog()
              .append(
                  Append.to("s", ExpectedVersion.any(), EventData.json("noted", '"' + body + '"')))
              .position();
    }
    return last;
  }

  private EventChannels start(Holdfast holdfast, String channel) {
    return EventChannels.start(
        holdfast,
        ProjectionSettings.DEFAULT,
        EventChannel.named(
                channel,
                Kafka.to(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers())))
            .topic(topic));
  }

  private void publish(Holdfast holdfast, String channel, long last) throws InterruptedException {
    try (EventChannels channels = start(holdfast, channel)) {
      assertThat(channels.awaitPublished(channel, last, SOON)).isTrue();
      assertThat(channels.trouble(channel)).isEmpty();
    }
  }

  /** Who has a dump restored has just this. */
  private static void copyDatabase(String from, String to) throws SQLException {
    try (HikariDataSource pool = TestServers.pool(TestServers.POSTGRES.jdbcUrl());
        Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      Awaitility.await()
          .atMost(SOON)
          .ignoreExceptions()
          .until(
              () -> {
                statement.execute("create database " + to + " template " + from);
                return true;
              });
    }
  }

  private List<String> values() {
    try (CommittedReader reader = new CommittedReader(TestServers.KAFKA.bootstrapServers())) {
      return reader.read(topic).stream().map(record -> record.value().replace("\"", "")).toList();
    }
  }
}
