package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class SettingsTest {
  @Test
  void valueThatKafkaCannotReadIsRefusedWhenTheTargetIsMade() {
    assertThatThrownBy(() -> Kafka.to(Map.of("bootstrap.servers", "b:1", "linger.ms", "soon")))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("linger.ms")
        .hasMessageContaining("soon")
        .hasMessageContaining("Nothing was started");
  }

  @Test
  void settingsThatKafkaDoesNotKnowReachThePluginsOfAllClients() {
    Settings settings =
        Kafka.to(
                Map.of(
                    "bootstrap.servers", "b:1",
                    "my.plugin.setting", "x",
                    "linger.ms", "7",
                    "group.id", "shipping"))
            .settings();

    assertThat(settings.producer()).containsEntry("my.plugin.setting", "x");
    assertThat(settings.admin())
        .containsEntry("my.plugin.setting", "x")
        .doesNotContainKeys("linger.ms", "group.id");
    assertThat(settings.consumer()).containsEntry("my.plugin.setting", "x");
  }
}
