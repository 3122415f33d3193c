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
  void settingsThatKafkaDoesNotKnowPassThroughForPlugins() {
    assertThat(Kafka.to(Map.of("bootstrap.servers", "b:1", "my.plugin.setting", "x"))).isNotNull();
  }
}
