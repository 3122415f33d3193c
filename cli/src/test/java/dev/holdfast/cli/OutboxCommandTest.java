package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.UnroutedTopic;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.outbox.RelaySettings;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * An operator's day at a channel that is led by a relay and delivers to a real Kafka. The operator
 * has the role {@code holdfast_admin} and nothing else.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@SuppressWarnings("NullAway.Init")
class OutboxCommandTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  private static Holdfast holdfast;
  private static String owner;
  private static String operator;

  @BeforeAll
  static void startRelay() throws Exception {
    TestKafka.createTopic("orders.placed", 2);
    owner = TestDatabases.create();
    Run.line("schema migrate --database", owner).result();
    TestDatabases.execute(
        owner,
        Run.line("schema print --roles").result(),
        "create role operator login password 'right' in role holdfast_admin");
    operator = owner.replace("user=postgres", "user=operator&password=right");
    assertThat(command("status").result()).contains("No channel has been registered yet");
    assertThat(command("pause").error()).contains("No channel has been registered yet");
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(owner);
    holdfast =
        Holdfast.on(dataSource)
            .channel(
                "orders",
                Kafka.to(Map.of("bootstrap.servers", TestKafka.bootstrapServers())),
                "orders.*")
            .relay(RelaySettings.DEFAULT.withProgressInterval(Duration.ofMillis(100)))
            .start();
  }

  @AfterAll
  static void close() {
    if (holdfast != null) {
      holdfast.close();
    }
  }

  private static Run command(String line, String... more) {
    List<String> arguments = new ArrayList<>(List.of("--database", operator));
    arguments.addAll(List.of(more));
    return Run.line("outbox " + line, arguments.toArray(String[]::new));
  }

  private static Run onOrders(String line, String... more) {
    List<String> arguments = new ArrayList<>(List.of("--channel", "orders"));
    arguments.addAll(List.of(more));
    return command(line, arguments.toArray(String[]::new));
  }

  private static void publish(String topic, String key, String value) {
    Message.Builder message = Message.to(topic).json(value);
    holdfast.transact(tx -> tx.publish((key.isEmpty() ? message : message.key(key)).build()));
  }

  private static List<String> delivered() {
    return Topics.committed(TestKafka.bootstrapServers(), "orders.placed").stream()
        .map(ConsumerRecord::value)
        .toList();
  }

  private static JsonNode status() {
    return command("status --json").json().path("channels").path(0);
  }

  @Test
  @Order(1)
  void statusShowsTheChannelAndItsLeader() {
    await().atMost(BOUND).until(() -> status().path("leader").isTextual());

    JsonNode channel = status();
    assertThat(channel.path("channel").asText()).isEqualTo("orders");
    assertThat(channel.path("state").asText()).isEqualTo("RUNNING");
    assertThat(channel.path("reason").isNull()).isTrue();
    assertThat(channel.at("/topics/0").asText()).isEqualTo("orders.*");
    assertThat(channel.path("epoch").asInt()).isPositive();
    assertThat(channel.path("lag_messages").asInt()).isZero();
    assertThat(channel.path("lag_seconds").asDouble()).isZero();
    assertThat(channel.path("parked_keys").asInt()).isZero();
    assertThat(channel.path("parked_messages").asInt()).isZero();
    assertThat(command("status").result())
        .contains("orders   running  " + channel.path("leader").asText());
  }

  @Test
  @Order(2)
  void messagesThatCannotBeDeliveredAreListedAndSkipped() {
    publish("orders.nowhere", "ann", "1");
    publish("orders.nowhere", "ann", "2");
    publish("orders.nowhere", "", "3");

    await().atMost(BOUND).until(() -> status().path("parked_messages").asInt() == 3);
    JsonNode parked = onOrders("list --json").json().path("parked");
    assertThat(parked.findValuesAsText("state")).containsOnly("parked");
    assertThat(parked.findValuesAsText("topic")).containsOnly("orders.nowhere");
    assertThat(parked.findValuesAsText("lane"))
        .containsExactly("k:ann", "k:ann", "p:" + parked.at("/2/position").asText());
    assertThat(parked.at("/2/key").isNull()).isTrue();
    assertThat(parked.at("/0/reason").asText()).contains("orders.nowhere");
    assertThat(parked.at("/0/parked_at").asText()).matches("20.*Z");
    assertThat(onOrders("list --limit 1 --json").json().path("parked")).hasSize(1);
    assertThat(onOrders("list").result().lines()).hasSize(5);

    String position = parked.at("/0/position").asText();
    assertThat(onOrders("skip --actor ann --reason typo", position).result())
        .contains("will not be sent");
    assertThat(onOrders("list").result()).contains("skipped");
    assertThat(onOrders("skip", position).error()).contains(position, "Nothing was changed");
    assertThat(onOrders("skip --json", parked.at("/2/position").asText()).json().path("channel"))
        .hasToString("\"orders\"");
    assertThat(status().path("parked_messages").asInt()).isEqualTo(1);
  }

  @Test
  @Order(3)
  void keyThatIsParkedWaitsAndIsReplayedInOrder() {
    assertThat(onOrders("park bob").result()).contains("parked from its next message on");
    publish("orders.placed", "bob", "10");
    publish("orders.placed", "bob", "11");
    publish("orders.placed", "eve", "12");
    await().atMost(BOUND).until(() -> delivered().contains("12"));
    assertThat(delivered()).doesNotContain("10", "11");

    assertThat(onOrders("unpark bob --json").json().path("result").asText()).contains("replay");

    await().atMost(BOUND).until(() -> delivered().contains("11"));
    assertThat(delivered()).containsSubsequence("10", "11").doesNotHaveDuplicates();
    assertThat(onOrders("unpark bob").error()).contains("k:bob", "Nothing was changed");
    assertThat(onOrders("unpark --lane p:999999").error()).contains("p:999999");
  }

  @Test
  @Order(4)
  void pausedChannelWaitsAndResumes() {
    assertThat(onOrders("pause", "--reason", "broker upgrade").result()).contains("paused");
    await().atMost(BOUND).until(() -> status().path("leader").isNull());
    publish("orders.placed", "eve", "20");
    await().atMost(BOUND).until(() -> status().path("lag_messages").asInt() == 1);
    assertThat(status().path("state").asText()).isEqualTo("PAUSED");
    assertThat(command("status").result()).contains("paused", "orders: broker upgrade");

    assertThat(onOrders("resume --json").json().path("result").asText()).contains("runs");

    await().atMost(BOUND).until(() -> delivered().contains("20"));
  }

  @Test
  @Order(5)
  void newEraBeginsFromTheDatabasesCopy() {
    int before = status().path("epoch").asInt();

    assertThat(onOrders("reanchor").result()).contains("era 2");

    await().atMost(BOUND).until(() -> status().path("leader").isTextual());
    assertThat(status().path("epoch").asInt()).isGreaterThan(before);
    assertThat(onOrders("reanchor --from-beginning --json").json().path("result").asText())
        .contains("era 3");
    await().atMost(BOUND).until(() -> delivered().stream().filter("20"::equals).count() == 2);
  }

  @Test
  @Order(6)
  void closedRouteRefusesPublishers() {
    assertThat(onOrders("unroute orders.none").error())
        .contains("orders.none", "nothing was changed");

    assertThat(onOrders("unroute orders.*").result()).contains("is refused from now on");

    assertThatThrownBy(() -> publish("orders.placed", "bob", "30"))
        .isInstanceOf(UnroutedTopic.class);
    assertThat(status().path("topics")).isEmpty();
    assertThat(onOrders("remove").error()).contains("is led by", "Nothing was changed");
  }

  @Test
  @Order(7)
  void ordersAreWrittenDownWithWhoAndWhy() throws SQLException {
    List<String> audit = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(owner);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select action, actor, detail from holdfast.audit order by at")) {
      while (row.next()) {
        audit.add(row.getString(1) + " " + row.getString(2) + " " + row.getString(3));
      }
    }
    String user = System.getProperty("user.name");
    assertThat(audit)
        .contains("SKIP ann typo", "PAUSED " + user + " broker upgrade")
        .anyMatch(line -> line.startsWith("PARK " + user))
        .anyMatch(line -> line.startsWith("UNPARK " + user))
        .anyMatch(line -> line.startsWith("RUNNING " + user))
        .anyMatch(line -> line.startsWith("REANCHOR " + user));
  }

  @ParameterizedTest
  @Order(8)
  @ValueSource(
      strings = {
        "list",
        "park k",
        "unpark k",
        "skip 1",
        "pause",
        "resume",
        "unroute orders.*",
        "remove",
        "reanchor",
      })
  void channelThatIsNotThereIsNamedWithThoseThatAre(String line) {
    assertThat(command(line, "--channel", "nope").error())
        .contains("'nope'", "nothing was done", "The channels are: orders", "--channel");
    assertThat(command(line).error()).contains("'default'");
  }

  @Test
  @Order(9)
  void boundOfTheListIsChecked() {
    assertThat(onOrders("list --limit 0").error()).contains("--limit is 0");
  }
}
