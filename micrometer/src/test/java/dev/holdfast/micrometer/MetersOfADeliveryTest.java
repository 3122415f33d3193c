package dev.holdfast.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

final class MetersOfADeliveryTest {
  private static final Duration BOUND = Duration.ofSeconds(30);

  @Test
  void aDeliveryAndARefusalShowInTheMeters() {
    MeterRegistry registry = new SimpleMeterRegistry();
    try (PostgresServer postgres = PostgresServer.start();
        KafkaServer kafka = KafkaServer.start()) {
      kafka.createTopic("orders.placed", 1);
      PGSimpleDataSource dataSource = new PGSimpleDataSource();
      dataSource.setUrl(postgres.jdbcUrl());
      KafkaTarget target = Kafka.to(Map.of("bootstrap.servers", kafka.bootstrapServers()));
      // snippet:meters
      HoldfastMeters meters = new HoldfastMeters(registry);
      Holdfast holdfast =
          Holdfast.on(dataSource).channel("orders", target, "orders.*").listener(meters).start();
      meters.observe(holdfast);
      // end
      try (holdfast) {
        holdfast.transact(tx -> tx.publish(Message.of("orders.placed", "a", "{}")));
        await().atMost(BOUND).until(() -> value(registry, "holdfast.delivered") == 1);
        // There is no such topic.
        holdfast.transact(tx -> tx.publish(Message.of("orders.lost", "b", "{}")));
        await().atMost(BOUND).until(() -> value(registry, "holdfast.parked") == 1);

        Timer delay = registry.get("holdfast.delay").timer();
        assertThat(delay.count()).isEqualTo(1);
        assertThat(delay.max(TimeUnit.SECONDS)).isBetween(0.0, 30.0);
        assertThat(registry.get("holdfast.recorded").counter().count()).isEqualTo(2);
        assertThat(value(registry, "holdfast.leader")).isEqualTo(1);
        // The progress that the database knows of trails by about a second.
        await().atMost(BOUND).until(() -> value(registry, "holdfast.lag.messages") == 0);
        assertThat(registry.get("holdfast.sending").tag("outcome", "refused").timer().count())
            .isEqualTo(1);
        assertThat(registry.get("holdfast.phases").tag("phase", "LEADING").counter().count())
            .isEqualTo(1);
      }
    }
  }

  private static double value(MeterRegistry registry, String name) {
    return registry.get(name).meter().measure().iterator().next().getValue();
  }
}
