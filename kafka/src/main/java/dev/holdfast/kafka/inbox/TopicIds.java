package dev.holdfast.kafka.inbox;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Which topics those names are now. */
final class TopicIds {
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(10);

  private final Admin admin;

  TopicIds(Admin admin) {
    this.admin = admin;
  }

  /** What was asked, and is answered when it is needed. */
  static final class Question {
    private final Map<String, KafkaFuture<TopicDescription>> answers;

    private Question(Map<String, KafkaFuture<TopicDescription>> answers) {
      this.answers = answers;
    }

    /**
     * The topics that there are.
     *
     * @throws KafkaException when nobody answers
     */
    Map<String, TopicDescription> answer() {
      Map<String, TopicDescription> topics = new HashMap<>();
      answers.forEach(
          (name, answer) -> {
            try {
              topics.put(name, answer.get(LONGEST_ANSWER.toMillis(), TimeUnit.MILLISECONDS));
            } catch (ExecutionException e) {
              if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return;
              }
              throw e.getCause() instanceof KafkaException kafka
                  ? kafka
                  : new KafkaException(e.getCause());
            } catch (java.util.concurrent.TimeoutException e) {
              throw new TimeoutException("no answer within " + LONGEST_ANSWER, e);
            } catch (InterruptedException e) {
              throw new InterruptException(e);
            }
          });
      return topics;
    }
  }

  Question ask(Collection<String> topics) {
    return new Question(
        admin
            .describeTopics(
                topics,
                new DescribeTopicsOptions().timeoutMs(Math.toIntExact(LONGEST_ANSWER.toMillis())))
            .topicNameValues());
  }

  static UUID id(TopicDescription topic) {
    return new UUID(
        topic.topicId().getMostSignificantBits(), topic.topicId().getLeastSignificantBits());
  }
}
