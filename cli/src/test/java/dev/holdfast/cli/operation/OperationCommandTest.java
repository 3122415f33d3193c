package dev.holdfast.cli.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.TransactionOptions;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.cli.TestKafka;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.outbox.RelaySettings;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** One operation that has gone everywhere it can go, asked for by its id. */
class OperationCommandTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  @Test
  void timelineTellsWhatHappenedWhatIsOwedAndByWhom() throws Exception {
    String url = TestDatabases.create();
    Run.line("schema migrate --database", url).result();
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(url);
    TestKafka.createTopic("shipments.placed", 1);
    KafkaTarget target = Kafka.to(Map.of("bootstrap.servers", TestKafka.bootstrapServers()));
    try (Holdfast holdfast =
        Holdfast.on(dataSource)
            .channel("orders", target, "shipments.*")
            .relay(RelaySettings.DEFAULT.withProgressInterval(Duration.ofMillis(100)))
            .start()) {
      // Nobody runs this one.
      holdfast.store().channels().register("audit", List.of("shipments.placed"));
      holdfast.transact(
          TransactionOptions.DEFAULT.withOperationId("order-4711"),
          tx -> {
            tx.publish(Message.of("shipments.placed", "4711", "{}"));
            tx.publish(Message.of("shipments.nowhere", "4712", "{}"));
            tx.publish(
                Message.to("shipments.reminder")
                    .deliverAt(Instant.now().plus(Duration.ofHours(1)))
                    .build());
          });
      await().atMost(BOUND).until(() -> json(url).at("/owed").asInt() == 3);

      JsonNode events = json(url).path("events");
      assertThat(events.findValuesAsText("state"))
          .containsExactly("DONE", "DELAYED", "DONE", "WAITING", "DELIVERED", "DONE", "PARKED");
      String text = Run.of("operation", "order-4711", "--database", url).result();
      assertThat(text)
          .contains("record shipments.placed", "channel orders", "delivered")
          .contains("by nobody: no relay leads the channel. Start a process that runs")
          .contains("holdfast outbox unpark --channel orders KEY")
          .contains("Owed: record shipments.reminder, database, by ");

      String position = events.at("/6/position").asText();
      Run.of("outbox", "skip", "--database", url, "--channel", "orders", position).result();
      assertThat(Run.of("operation", "order-4711", "--database", url).result())
          .contains("skipped", "skip in channel orders");
    }
  }

  private static JsonNode json(String url) {
    return Run.of("operation", "order-4711", "--database", url, "--json").json();
  }

  @Test
  void operationOfWhichNothingIsKnownIsAnErrorThatSaysWhy() {
    String url = TestDatabases.create();
    assertThat(Run.of("operation", "x", "--database", url).error()).contains("schema migrate");
    Run.line("schema migrate --database", url).result();

    assertThat(Run.of("operation", "x", "--database", url).error())
        .contains("Nothing is known of operation x, or nothing any more");
    assertThat(Run.of("operation", "x", "--limit", "0", "--database", url).error())
        .contains("--limit is 0");
  }

  @Test
  void whoHasReceivedAMessageOfTheOperationIsToldAndWhatAConsumerHoldsBackIsOwed()
      throws Exception {
    String url = TestDatabases.create();
    Run.line("schema migrate --database", url).result();
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(url);
    try (Holdfast holdfast = Holdfast.on(dataSource).schemaManagedElsewhere().start()) {
      holdfast
          .inbox("shipping", InboxSettings.DEFAULT)
          .once(Incoming.of("m-1").ofOperation("order-4711"), tx -> Reply.json("{}"));
      holdfast.store().offsets().register("billing");
    }
    assertThat(Run.of("operation", "order-4711", "--database", url).result())
        .contains("consumer shipping", "handle m-1", "a reply is kept: application/json")
        .contains("Nothing is owed.");

    TestDatabases.execute(
        url,
        """
        insert into holdfast.log_lane (consumer, topic, topic_id, partition_no, lane, reason)
        values ('billing', 'orders', '00000000-0000-0000-0000-000000000001', 0, 'k:4711', 'it is poison')
        """,
        """
        insert into holdfast.log_parked (consumer, topic_id, partition_no, record_offset, lane,
                                         created_ms, header_names, header_values)
        values ('billing', '00000000-0000-0000-0000-000000000001', 0, 17, 'k:4711', 0,
                '{ce_operationid}', array['order-4711'::bytea])
        """);
    assertThat(Run.of("operation", "order-4711", "--database", url).result())
        .contains(
            "Owed: handle orders-0 at offset 17, consumer billing, by an operator: the key is parked.",
            "See: holdfast consumer list billing.",
            "lane k:4711: it is poison");
    TestDatabases.execute(url, "update holdfast.log_lane set releasing = true");
    Run.of("consumer", "pause", "billing", "--database", url).result();
    assertThat(json(url).at("/owed").asInt()).isEqualTo(1);
    assertThat(json(url).findValuesAsText("remedy"))
        .contains("When the cause is removed: holdfast consumer resume billing.");
  }
}
