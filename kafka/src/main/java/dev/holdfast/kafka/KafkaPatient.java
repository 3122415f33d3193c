package dev.holdfast.kafka;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;

/** The cluster under examination. */
record KafkaPatient(Admin admin, Settings settings, KafkaDoctor.Outbox outbox) {
  private static final int LONGEST_TOPIC_NAMES = 500;

  /** What the cluster says of a topic: a description, or why there is none. */
  record Topic(@Nullable TopicDescription description, @Nullable KafkaException error) {}

  /** The topics named without a pattern, those that messages were recorded for, and matches. */
  Set<String> wanted() {
    Set<String> result = new TreeSet<>(outbox.topics());
    Set<String> there = Topics.await(admin.listTopics().names());
    for (String pattern : patterns()) {
      if (!pattern.contains("*")) {
        result.add(pattern);
      } else {
        matches(pattern, there).stream().limit(LONGEST_TOPIC_NAMES).forEach(result::add);
      }
    }
    result.remove(settings.progressTopic());
    return result;
  }

  Set<String> patterns() {
    Set<String> result = new TreeSet<>();
    outbox.channels().values().forEach(result::addAll);
    return result;
  }

  Set<String> matching(String pattern) {
    return matches(pattern, Topics.await(admin.listTopics().names()));
  }

  private static Set<String> matches(String pattern, Set<String> names) {
    Pattern regex = Pattern.compile(Pattern.quote(pattern).replace("*", "\\E.*\\Q"));
    Set<String> result = new TreeSet<>();
    for (String name : names) {
      if (regex.matcher(name).matches()) {
        result.add(name);
      }
    }
    return result;
  }

  Map<String, Topic> describe(Collection<String> names) {
    Map<String, KafkaFuture<TopicDescription>> futures =
        admin
            .describeTopics(names, new DescribeTopicsOptions().includeAuthorizedOperations(true))
            .topicNameValues();
    Map<String, Topic> result = new HashMap<>();
    futures.forEach(
        (name, future) -> {
          try {
            result.put(name, new Topic(Topics.await(future), null));
          } catch (KafkaException e) {
            result.put(name, new Topic(null, e));
          }
        });
    return result;
  }

  /** The settings of those topics that let us read them. */
  Map<String, Map<String, String>> configs(Collection<String> topics) {
    Set<ConfigResource> resources = new HashSet<>();
    topics.forEach(name -> resources.add(new ConfigResource(ConfigResource.Type.TOPIC, name)));
    Map<String, Map<String, String>> result = new HashMap<>();
    admin
        .describeConfigs(resources)
        .values()
        .forEach(
            (resource, future) -> {
              try {
                result.put(resource.name(), values(Topics.await(future)));
              } catch (KafkaException refused) {
                // left out: the check says that it was not told
              }
            });
    return result;
  }

  /** The settings of one broker. */
  Map<String, String> broker() {
    String id = Topics.await(admin.describeCluster().nodes()).iterator().next().idString();
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, id);
    return values(
        Topics.await(
            Objects.requireNonNull(admin.describeConfigs(List.of(broker)).values().get(broker))));
  }

  private static Map<String, String> values(Config config) {
    Map<String, String> values = new HashMap<>();
    for (ConfigEntry entry : config.entries()) {
      if (entry.value() != null && !entry.isSensitive()) {
        values.put(entry.name(), entry.value());
      }
    }
    return values;
  }
}
