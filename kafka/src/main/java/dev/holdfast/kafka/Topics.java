package dev.holdfast.kafka;

import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * Which topics the broker has. A producer blocks for its whole {@code max.block.ms} on a topic that
 * does not exist and then says "timeout", as for a broker that is down; the two must be told apart,
 * since one is a bad message and the other an outage. Used by one thread.
 */
final class Topics implements AutoCloseable {
  private static final Duration BELIEVE_MISSING = Duration.ofSeconds(2);
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(10);

  private final Admin admin;
  private final Set<String> known = new HashSet<>();
  private final Map<String, Missing> missing = new HashMap<>();

  private record Missing(String reason, long since) {}

  /**
   * @param admin closed with this
   */
  Topics(Admin admin) {
    this.admin = admin;
  }

  /**
   * The topics among the messages' that cannot be written to, and why.
   *
   * @throws KafkaException when the broker does not answer
   */
  Map<String, String> unusable(List<OutboxRecord> messages) {
    Map<String, String> result = new HashMap<>();
    for (OutboxRecord message : messages) {
      String topic = message.topic();
      if (!known.contains(topic) && !result.containsKey(topic)) {
        String reason = ask(topic);
        if (reason != null) {
          result.put(topic, reason);
        }
      }
    }
    return result;
  }

  /** A topic may have been deleted: ask again before the next use. */
  void forget() {
    known.clear();
  }

  private @Nullable String ask(String topic) {
    Missing before = missing.get(topic);
    if (before != null && !Doorbell.hasPassed(BELIEVE_MISSING, before.since())) {
      return before.reason();
    }
    String reason = describe(topic);
    if (reason == null) {
      missing.remove(topic);
      known.add(topic);
    } else {
      missing.put(topic, new Missing(reason, Doorbell.nanos()));
    }
    return reason;
  }

  private @Nullable String describe(String topic) {
    try {
      await(admin.describeTopics(List.of(topic)).allTopicNames());
      return null;
    } catch (UnknownTopicOrPartitionException e) {
      return "the broker does not know the topic " + topic + "; create it, then unpark";
    } catch (InvalidTopicException e) {
      return "the broker does not allow the topic name " + topic;
    } catch (TopicAuthorizationException e) {
      return "the broker refuses this user access to the topic " + topic;
    }
  }

  static <T> T await(KafkaFuture<T> future) {
    try {
      return future.get(LONGEST_ANSWER.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KafkaException kafka) {
        throw kafka;
      }
      throw new KafkaException(e.getCause());
    } catch (TimeoutException e) {
      throw new org.apache.kafka.common.errors.TimeoutException(
          "no answer within " + LONGEST_ANSWER, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new org.apache.kafka.common.errors.InterruptException(e);
    }
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO);
  }
}
