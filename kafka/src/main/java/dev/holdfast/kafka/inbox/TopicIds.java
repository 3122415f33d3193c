package dev.holdfast.kafka.inbox;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** Which topics those names are now. */
final class TopicIds {
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(10);

  private static final DescribeTopicsOptions OPTIONS =
      new DescribeTopicsOptions().timeoutMs(Math.toIntExact(LONGEST_ANSWER.toMillis()));

  private final Admin admin;

  TopicIds(Admin admin) {
    this.admin = admin;
  }

  private static @Nullable TopicDescription await(KafkaFuture<TopicDescription> answer) {
    try {
      return answer.get(LONGEST_ANSWER.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException
          || e.getCause() instanceof UnknownTopicIdException) {
        return null;
      }
      throw e.getCause() instanceof KafkaException kafka ? kafka : new KafkaException(e.getCause());
    } catch (java.util.concurrent.TimeoutException e) {
      throw new TimeoutException("no answer within " + LONGEST_ANSWER, e);
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  /**
   * The topics of these names that there are.
   *
   * @throws KafkaException when nobody answers
   */
  Map<String, TopicDescription> named(Collection<String> names) {
    Map<String, TopicDescription> topics = new HashMap<>();
    admin
        .describeTopics(names, OPTIONS)
        .topicNameValues()
        .forEach(
            (name, answer) -> {
              TopicDescription topic = await(answer);
              if (topic != null) {
                topics.put(name, topic);
              }
            });
    return topics;
  }

  /** A question that was asked, and is answered when it is needed. */
  static final class Question {
    private final Map<Uuid, KafkaFuture<TopicDescription>> answers;

    private Question(Map<Uuid, KafkaFuture<TopicDescription>> answers) {
      this.answers = answers;
    }

    /** Whether it is answered, well or badly. */
    boolean isAnswered() {
      return answers.values().stream().allMatch(KafkaFuture::isDone);
    }

    /**
     * Those of the topics that are there no longer, whatever has their names now.
     *
     * @throws KafkaException when nobody answers
     */
    Set<UUID> gone() {
      Set<UUID> gone = new HashSet<>();
      answers.forEach(
          (id, answer) -> {
            if (await(answer) == null) {
              gone.add(new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits()));
            }
          });
      return gone;
    }
  }

  /** Asks whether these topics are there. One request, where asking by name takes two. */
  Question ask(Set<UUID> topicIds) {
    return new Question(
        admin
            .describeTopics(
                TopicCollection.ofTopicIds(
                    topicIds.stream()
                        .map(
                            id ->
                                new Uuid(id.getMostSignificantBits(), id.getLeastSignificantBits()))
                        .toList()),
                OPTIONS)
            .topicIdValues());
  }

  static List<TopicPartition> partitions(TopicDescription topic) {
    return IntStream.range(0, topic.partitions().size())
        .mapToObj(number -> new TopicPartition(topic.name(), number))
        .toList();
  }

  /** Whether a broker leads the partition, as far as is known. */
  static boolean isLed(TopicDescription topic, int partition) {
    return partition < topic.partitions().size()
        && topic.partitions().get(partition).leader() != null;
  }

  static UUID id(TopicDescription topic) {
    return new UUID(
        topic.topicId().getMostSignificantBits(), topic.topicId().getLeastSignificantBits());
  }
}
