package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Transaction;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * The methods of one consumer of Kafka, by topic: those that take a record, or those that take what
 * was polled at once. Thread-safe once all are added.
 */
final class KafkaMethods {
  private final Map<String, ListenerMethod<ConsumerRecord<byte[], byte[]>>> each =
      new LinkedHashMap<>();
  private final Map<String, ListenerMethod<List<ConsumerRecord<byte[], byte[]>>>> together =
      new LinkedHashMap<>();
  private final Map<String, ListenerMethod<?>> all = new LinkedHashMap<>();

  /**
   * @return the method that has the topic already, if there is one
   */
  @Nullable ListenerMethod<?> addEach(
      String topic, ListenerMethod<ConsumerRecord<byte[], byte[]>> method) {
    each.put(topic, method);
    return all.put(topic, method);
  }

  /** As {@link #addEach}. */
  @Nullable ListenerMethod<?> addTogether(
      String topic, ListenerMethod<List<ConsumerRecord<byte[], byte[]>>> method) {
    together.put(topic, method);
    return all.put(topic, method);
  }

  /** By topic, for people. */
  Map<String, ListenerMethod<?>> all() {
    return all;
  }

  /**
   * Whether they take what was polled at once.
   *
   * @throws InvalidConfiguration when some do and others do not
   */
  boolean areForBatches(String consumer) {
    if (!each.isEmpty() && !together.isEmpty()) {
      throw new InvalidConfiguration(
          "The consumer %s has %s, which takes a record, and %s, which takes what was polled at once. Nothing was started. Give each a consumer of its own."
              .formatted(
                  consumer, each.values().iterator().next(), together.values().iterator().next()));
    }
    return !together.isEmpty();
  }

  void handle(ReceivedWork work, Transaction tx, ConsumerRecord<byte[], byte[]> message)
      throws SQLException {
    work.doPart(of(each, message.topic()), tx, message);
  }

  /** A call for each topic, in the order in which their first records came. */
  void handle(ReceivedWork work, Transaction tx, List<ConsumerRecord<byte[], byte[]>> messages)
      throws SQLException {
    Map<String, List<ConsumerRecord<byte[], byte[]>>> byTopic = new LinkedHashMap<>();
    messages.forEach(
        message -> byTopic.computeIfAbsent(message.topic(), key -> new ArrayList<>()).add(message));
    for (Map.Entry<String, List<ConsumerRecord<byte[], byte[]>>> one : byTopic.entrySet()) {
      work.doPart(of(together, one.getKey()), tx, List.copyOf(one.getValue()));
    }
  }

  private static <M> ListenerMethod<M> of(Map<String, ListenerMethod<M>> methods, String topic) {
    ListenerMethod<M> method = methods.get(topic);
    if (method == null) {
      throw new IllegalStateException("no listener handles the topic " + topic + " any more");
    }
    return method;
  }
}
