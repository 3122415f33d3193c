package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.spring.HoldfastProperties.ChannelProperties;
import dev.holdfast.spring.HoldfastProperties.TopicCheckMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.NestedExceptionUtils;

/**
 * Asks Kafka at start for the topics that channels name without a pattern: a message for one that
 * is missing, or may not be written to, would be parked, with the later ones of its key. Runs
 * behind the creation of all beans, so that topics which the application itself declares are there.
 * A broker that does not answer is an outage, and no reason not to start.
 */
final class TopicCheck implements SmartLifecycle {
  private static final Logger log = LoggerFactory.getLogger(TopicCheck.class);
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(10);

  private static final Set<String> OF_THE_PRODUCER_ALONE =
      ProducerConfig.configNames().stream()
          .filter(name -> !AdminClientConfig.configNames().contains(name))
          .collect(Collectors.toUnmodifiableSet());

  private final HoldfastProperties properties;
  private final KafkaSettings kafka;
  private volatile boolean running;

  TopicCheck(HoldfastProperties properties, KafkaSettings kafka) {
    this.properties = properties;
    this.kafka = kafka;
  }

  @Override
  public void start() {
    running = true;
    TopicCheckMode mode = properties.topicCheck();
    if (mode == TopicCheckMode.OFF || !properties.relay().enabled()) {
      return;
    }
    List<String> problems = new ArrayList<>();
    properties.channels().forEach((name, channel) -> problems.addAll(problems(name, channel)));
    if (problems.isEmpty()) {
      return;
    }
    String message =
        "Kafka cannot take what the channels deliver: "
            + String.join("; ", problems)
            + ". Messages for these topics would be parked.";
    if (mode == TopicCheckMode.FAIL) {
      throw new InvalidConfiguration(
          message
              + " The application was not started. Create the topic, grant the right, or set"
              + " holdfast.topic-check=warn.");
    }
    log.warn("{} Create the topic, or grant the right.", message);
  }

  private List<String> problems(String name, ChannelProperties channel) {
    boolean isKafka =
        channel.target().equals(Channels.KAFKA) || channel.target().equals(Channels.KAFKA_PLAIN);
    List<String> topics = channel.topics().stream().filter(topic -> !topic.contains("*")).toList();
    if (!isKafka || topics.isEmpty()) {
      return List.of();
    }
    Map<String, Object> settings = new HashMap<>(kafka.of(name, channel.properties()));
    // What is no setting of the producer may be one of its plug-ins, which the admin has as well.
    settings.keySet().removeAll(OF_THE_PRODUCER_ALONE);
    settings.remove(AdminClientConfig.CLIENT_ID_CONFIG);
    try (Admin admin = Admin.create(settings)) {
      return problems(admin, name, topics);
    } catch (KafkaException | TimeoutException e) {
      log.warn(
          "Kafka at {} could not be asked for the topics of channel {} ({}). The application starts;"
              + " messages wait until Kafka can be reached.",
          settings.get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG),
          name,
          // A client that could not be made says no more than this itself.
          NestedExceptionUtils.getMostSpecificCause(e).getMessage());
      return List.of();
    }
  }

  private static List<String> problems(Admin admin, String channel, List<String> topics)
      throws TimeoutException {
    List<String> problems = new ArrayList<>();
    Map<String, KafkaFuture<TopicDescription>> answers =
        admin
            .describeTopics(
                topics,
                new DescribeTopicsOptions()
                    .includeAuthorizedOperations(true)
                    .timeoutMs((int) LONGEST_ANSWER.toMillis()))
            .topicNameValues();
    for (String topic : topics) {
      String problem = problem(answers.get(topic));
      if (problem != null) {
        problems.add("topic " + topic + " of channel " + channel + " " + problem);
      }
    }
    return problems;
  }

  private static @Nullable String problem(@Nullable KafkaFuture<TopicDescription> answer)
      throws TimeoutException {
    if (answer == null) {
      return null;
    }
    try {
      Set<AclOperation> allowed =
          answer.get(LONGEST_ANSWER.toMillis(), TimeUnit.MILLISECONDS).authorizedOperations();
      // Without an answer to this question the broker is too old for it.
      return allowed == null
              || allowed.contains(AclOperation.WRITE)
              || allowed.contains(AclOperation.ALL)
          ? null
          : "may not be written to by this user";
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return "does not exist, and Holdfast creates none";
      }
      if (e.getCause() instanceof AuthorizationException) {
        return "may not be seen by this user, who needs the rights DESCRIBE and WRITE";
      }
      throw e.getCause() instanceof KafkaException kafka ? kafka : new KafkaException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted", e);
    }
  }

  @Override
  public void stop() {
    running = false;
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** Before web servers and listeners take work. */
  @Override
  public int getPhase() {
    return Integer.MIN_VALUE;
  }
}
