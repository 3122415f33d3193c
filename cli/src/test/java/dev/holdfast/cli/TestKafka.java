package dev.holdfast.cli;

import dev.holdfast.devservices.KafkaServer;

/**
 * One Kafka for the tests of the commands in this JVM; topics are the test's own. Whoever ends or
 * changes a server starts one of its own.
 */
public final class TestKafka {
  private static final KafkaServer SERVER = KafkaServer.start();

  private TestKafka() {}

  public static String bootstrapServers() {
    return SERVER.bootstrapServers();
  }

  /** Creates a topic, whose name no other test uses. */
  public static void createTopic(String name, int partitions) {
    SERVER.createTopic(name, partitions);
  }
}
