package dev.holdfast.devservices;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** Makes a topic that can be used at once. */
final class KafkaTopic {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Duration LOOK = Duration.ofSeconds(5);

  private KafkaTopic() {}

  /**
   * Returns when the leader of each partition has answered as such: metadata names it before it
   * knows, and a producer that is refused meanwhile may never get its sequence in order again.
   *
   * @param logTail what to say beside, when it takes too long
   */
  static void create(
      String bootstrapServers, String name, int partitions, Supplier<String> logTail) {
    try (Admin admin =
        Admin.create(
            Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "default.api.timeout.ms",
                Long.toString(TIMEOUT.toMillis()),
                "request.timeout.ms",
                "10000"))) {
      admin
          .createTopics(List.of(new NewTopic(name, partitions, (short) 1)))
          .all()
          .get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      Await.until(
          TIMEOUT,
          () -> answers(admin, name, partitions),
          () ->
              "Topic %s was created, but its partitions have no leaders after %s.%s"
                  .formatted(name, TIMEOUT, logTail.get()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DevServiceException(
          "Interrupted while creating topic " + name + ", which may exist.", e);
    } catch (ExecutionException | TimeoutException | KafkaException e) {
      throw new DevServiceException(
          "Kafka at %s did not create topic %s: %s"
              .formatted(bootstrapServers, name, e.getMessage()),
          e);
    }
  }

  static String clusterId(String bootstrapServers) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
      return admin.describeCluster().clusterId().get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DevServiceException(
          "Interrupted while asking for the cluster. Nothing was started.", e);
    } catch (ExecutionException | TimeoutException | KafkaException e) {
      throw new DevServiceException(
          "Kafka at %s does not say which cluster it is: %s. Nothing was started."
              .formatted(bootstrapServers, e.getMessage()),
          e);
    }
  }

  /** Asks for the end of each partition, which only its leader tells. */
  private static boolean answers(Admin admin, String topic, int partitions) {
    Map<TopicPartition, OffsetSpec> ends =
        IntStream.range(0, partitions)
            .mapToObj(partition -> new TopicPartition(topic, partition))
            .collect(Collectors.toMap(partition -> partition, partition -> OffsetSpec.latest()));
    try {
      admin.listOffsets(ends).all().get(LOOK.toSeconds(), TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException | TimeoutException e) {
      // Created at the controller, but not yet known to the broker.
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DevServiceException(
          "Interrupted while waiting for topic " + topic + ", which was created.", e);
    }
  }
}
