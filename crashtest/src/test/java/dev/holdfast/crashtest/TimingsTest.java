package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.record;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.resource.KafkaBroker;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Prints what a run costs, with servers that are there: an operation of three commits, on
 * PostgreSQL alone and with Kafka as the third, in this JVM and in forked ones. It must make every
 * run; how fast depends on the machine.
 */
@Tag("long")
final class TimingsTest {
  private static final int ROUNDS = 5;

  /** Saves a row in each of its tables, and sends a record if there is a topic. */
  private record Service(
      DataSource database,
      @Nullable Producer<String, String> producer,
      List<String> tables,
      String topic) {

    void run(String key) throws Exception {
      for (String table : tables) {
        save(table, key);
      }
      if (producer != null) {
        producer.send(new ProducerRecord<>(topic, key, "saved")).get();
      }
    }

    private void save(String table, String key) throws SQLException {
      try (Connection connection = database.getConnection()) {
        TwoTables.insertOnce(connection, table, key);
      }
    }
  }

  /** Made once, and not in a forked JVM, which is told. */
  private static final class Names {
    static final String FIRST = LabServers.keyedTable("first");
    static final String SECOND = LabServers.keyedTable("second");
    static final String THIRD = LabServers.keyedTable("third");
  }

  private static final class Topic {
    static final String THIRD = LabServers.Kafka.topic("third");
  }

  /** Three commits, of which the last may be at the broker. */
  private abstract static class ThreeCommits implements Consumer<CrashLab> {
    private final boolean withKafka;

    private ThreeCommits(boolean withKafka) {
      this.withKafka = withKafka;
    }

    @Override
    public final void accept(CrashLab lab) {
      String url = lab.share("url", LabServers::url);
      String first = lab.share("first", () -> Names.FIRST);
      String second = lab.share("second", () -> Names.SECOND);
      if (!withKafka) {
        String third = lab.share("third", () -> Names.THIRD);
        lab.application(
                r -> new Service(r.dataSource("db", url), null, List.of(first, second, third), ""))
            .operation(Service::run)
            .recoveredByRetry(2)
            .expect(
                row(first).byKey().once(), row(second).byKey().once(), row(third).byKey().once());
        return;
      }
      String topic = lab.share("topic", () -> Topic.THIRD);
      KafkaBroker broker = lab.shareBroker("broker", () -> LabServers.Kafka.BROKER);
      lab.application(
              r ->
                  new Service(
                      r.dataSource("db", url),
                      r.producer("kafka", broker, Map.of()),
                      List.of(first, second),
                      topic))
          .operation(Service::run)
          .recoveredByRetry(2)
          .expect(
              row(first).byKey().once(), row(second).byKey().once(), record(topic).byKey().once());
    }
  }

  private static final class OnPostgres extends ThreeCommits {
    private OnPostgres() {
      super(false);
    }
  }

  private static final class WithKafka extends ThreeCommits {
    private WithKafka() {
      super(true);
    }
  }

  @Test
  void aRunOnPostgresAlone() {
    print("fenced, PostgreSQL", new OnPostgres(), Carrier.FENCED, ROUNDS);
    print("lost acknowledgment, PostgreSQL", new OnPostgres(), Carrier.LOST_ACK, ROUNDS);
    print("forked, PostgreSQL", new OnPostgres(), Carrier.FORKED, 1);
  }

  @Test
  void aRunWithKafka() {
    print("fenced, with Kafka", new WithKafka(), Carrier.FENCED, ROUNDS);
    print("lost acknowledgment, with Kafka", new WithKafka(), Carrier.LOST_ACK, ROUNDS);
    print("forked, with Kafka", new WithKafka(), Carrier.FORKED, 1);
  }

  private static void print(
      String what, Consumer<CrashLab> operation, Carrier carrier, int rounds) {
    List<Long> millis = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      ExplorationReport report =
          CrashLab.explore(what, CrashLab.Options.defaults().withCarriers(carrier), operation);
      assertThat(report.points()).hasSize(3);
      assertThat(report.runs()).allMatch(run -> run.problem() == null);
      report.runs().stream()
          .filter(run -> !run.isGolden())
          .map(RunReport::took)
          .map(Duration::toMillis)
          .forEach(millis::add);
    }
    List<Long> sorted = millis.stream().sorted().toList();
    System.out.printf(
        "%s: median %d ms, least %d, most %d, of %d runs%n",
        what,
        sorted.get(sorted.size() / 2),
        sorted.get(0),
        Objects.requireNonNull(sorted.get(sorted.size() - 1)),
        sorted.size());
  }
}
