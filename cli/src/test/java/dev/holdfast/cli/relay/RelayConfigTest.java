package dev.holdfast.cli.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RelayConfigTest {
  private static final String FILE =
      """
      database:
        url: postgresql://app:s3cret@db:5432/shop
        schema: outbox
      kafka:
        bootstrap.servers: broker:9092
        acks: all
      channels:
        orders:
          topics: [orders.*, returns]
        audit:
          plain: true
      relay:
        lease_ms: 2000
      health:
        port: 9400
      """;

  private static RelayPlan.Arguments arguments(String database, String kafka) {
    return new RelayPlan.Arguments(
        database.isEmpty() ? null : database,
        null,
        kafka.isEmpty() ? null : kafka,
        null,
        List.of(),
        null);
  }

  private static RelayPlan plan(RelayPlan.Arguments arguments) {
    return RelayPlan.of(RelayConfig.parse(FILE, "relay.yaml"), arguments, false, Map.of());
  }

  @Test
  void fileSaysEverything() {
    RelayPlan plan =
        RelayPlan.of(RelayConfig.parse(FILE, "relay.yaml"), arguments("", ""), false, Map.of());

    assertThat(plan.address().url()).isEqualTo("jdbc:postgresql://db:5432/shop");
    assertThat(plan.address().user()).isEqualTo("app");
    assertThat(plan.address().password()).isEqualTo("s3cret");
    assertThat(plan.address().schema()).isEqualTo("outbox");
    assertThat(plan.kafka()).containsEntry("acks", "all");
    assertThat(plan.channels())
        .containsExactly(
            new RelayPlan.Channel("orders", List.of("orders.*", "returns"), false),
            new RelayPlan.Channel("audit", List.of("*"), true));
    assertThat(plan.settings().leaseDuration()).hasMillis(2000);
    assertThat(plan.healthPort()).isEqualTo(9400);
    assertThat(plan.toString()).contains("db:5432", "broker:9092").doesNotContain("s3cret");
  }

  @Test
  void commandLineWins() {
    RelayPlan plan =
        RelayPlan.of(
            RelayConfig.parse(FILE, "relay.yaml"),
            arguments("jdbc:postgresql://other/x", "elsewhere:1"),
            false,
            Map.of());

    assertThat(plan.address().url()).isEqualTo("jdbc:postgresql://other/x");
    assertThat(plan.kafka()).containsEntry("bootstrap.servers", "elsewhere:1");
  }

  @Test
  void channelOfTheCommandLineIsOneOfTheFile() {
    assertThat(plan(new RelayPlan.Arguments(null, null, null, "audit", List.of(), null)).channels())
        .containsExactly(new RelayPlan.Channel("audit", List.of("*"), true));
    assertThat(
            plan(new RelayPlan.Arguments(null, null, null, "new", List.of("new.*"), null))
                .channels())
        .containsExactly(new RelayPlan.Channel("new", List.of("new.*"), false));
    assertThatThrownBy(
            () -> plan(new RelayPlan.Arguments(null, null, null, "new", List.of(), null)))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("'new'")
        .hasMessageContaining("orders, audit");
  }

  @Test
  void schemaOfTheCommandLineWinsAlsoWhenItIsTheUsualOne() {
    assertThat(
            plan(new RelayPlan.Arguments(null, "holdfast", null, null, List.of(), null))
                .address()
                .schema())
        .isEqualTo("holdfast");
  }

  @Test
  void healthPortThatIsNoneIsRefused() {
    assertThatThrownBy(
            () -> plan(new RelayPlan.Arguments(null, null, null, null, List.of(), 99_999)))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("99999")
        .hasMessageContaining("65535");
  }

  @Test
  void kafkaSettingWithoutValueIsNamed() {
    assertThatThrownBy(
            () ->
                RelayPlan.of(
                    RelayConfig.parse("kafka:\n  linger.ms:\n", "relay.yaml"),
                    arguments("jdbc:postgresql://h/d", "k:1"),
                    false,
                    Map.of()))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("'kafka.linger.ms'");
  }

  @Test
  void fileThatIsNoMappingIsToldWithoutOurClasses() {
    for (String text : List.of("- a\n", "hello\n", "7\n")) {
      assertThatThrownBy(() -> RelayConfig.parse(text, "relay.yaml"))
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("relay.yaml, line 1")
          .hasMessageNotContaining("dev.holdfast");
    }
  }

  @Test
  void unknownKeyIsNamedWithItsLineAndTheKnownOnes() {
    assertThatThrownBy(
            () -> RelayConfig.parse("database:\n  url: x\n  pasword: s3cret\n", "relay.yaml"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("relay.yaml, line 3")
        .hasMessageContaining("'database.pasword'")
        .hasMessageContaining("password, schema, url, user")
        .hasMessageNotContaining("s3cret");
    assertThatThrownBy(() -> RelayConfig.parse("\nkafak:\n  a: b\n", "relay.yaml"))
        .hasMessageContaining("line 2")
        .hasMessageContaining("'kafak'")
        .hasMessageContaining("channels, database, health, kafka, relay");
  }

  @Test
  void valueOfTheWrongKindIsNamedWithItsLine() {
    assertThatThrownBy(() -> RelayConfig.parse("health:\n  port: often\n", "relay.yaml"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("line 2")
        .hasMessageContaining("'health.port'");
  }

  @Test
  void brokenYamlAndMissingFileAreOneMessage() {
    assertThatThrownBy(() -> RelayConfig.parse("database: [", "relay.yaml"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("relay.yaml, line");
    assertThatThrownBy(() -> RelayConfig.read(Path.of("/nowhere/relay.yaml")))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("/nowhere/relay.yaml")
        .hasMessageContaining("there is no such file");
    assertThatThrownBy(() -> RelayConfig.read(Path.of("/")))
        .hasMessageContaining("it is a directory");
  }

  @Test
  void emptyFileIsAllDefaults() {
    assertThat(RelayConfig.parse("", "f")).isEqualTo(RelayConfig.EMPTY);
    assertThat(RelayConfig.parse("# nothing\n", "f")).isEqualTo(RelayConfig.EMPTY);
  }

  @Test
  void missingServersAreAskedFor() {
    assertThatThrownBy(() -> RelayPlan.of(RelayConfig.EMPTY, arguments("", "k:1"), false, Map.of()))
        .hasMessageContaining("--database");
    assertThatThrownBy(
            () ->
                RelayPlan.of(
                    RelayConfig.EMPTY, arguments("jdbc:postgresql://h/d", ""), false, Map.of()))
        .hasMessageContaining("--kafka");
    assertThatThrownBy(() -> RelayPlan.of(RelayConfig.EMPTY, arguments("", "k:1"), true, Map.of()))
        .hasMessageContaining("--embedded");
  }
}
