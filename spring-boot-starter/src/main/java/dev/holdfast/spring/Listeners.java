package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import java.lang.reflect.Parameter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.ResolvableType;
import org.springframework.util.StringUtils;

/** Finds the methods that handle records, and refuses those of which it is open what they mean. */
final class Listeners {
  /** Kafka's; a pattern would match nothing. */
  private static final Pattern TOPIC = Pattern.compile("[a-zA-Z0-9._-]{1,249}");

  private final AnnotatedMethods methods;
  private final ObjectProvider<PayloadReader> readers;
  private final Map<String, KafkaMethods> found = new TreeMap<>();

  private Listeners(AnnotatedMethods methods, ObjectProvider<PayloadReader> readers) {
    this.methods = methods;
    this.readers = readers;
  }

  /**
   * By consumer.
   *
   * @throws InvalidConfiguration when one cannot be used
   */
  static Map<String, KafkaMethods> find(
      ConfigurableListableBeanFactory beans, ObjectProvider<PayloadReader> readers) {
    Listeners listeners = new Listeners(new AnnotatedMethods(beans), readers);
    listeners.methods.with(HoldfastListener.class).forEach(listeners::add);
    return listeners.found;
  }

  private void add(AnnotatedMethods.Found<HoldfastListener> listener) {
    String name = listener.name();
    String consumer = methods.consumer(listener, listener.annotation().consumer());
    List<String> topics =
        Arrays.stream(listener.annotation().topics())
            .map(topic -> methods.resolve(listener, topic))
            .flatMap(some -> Arrays.stream(StringUtils.commaDelimitedListToStringArray(some)))
            .map(String::strip)
            .filter(topic -> !topic.isEmpty())
            .toList();
    if (topics.isEmpty()) {
      throw ListenerMethod.refused(name, "names no topics", "Set topics = \"…\"");
    }
    Adding adding = adding(listener);
    for (String topic : topics) {
      if (!TOPIC.matcher(topic).matches()) {
        throw ListenerMethod.refused(
            name,
            "names the topic %s, which no topic can be called".formatted(topic),
            "Name topics in full; there are no patterns");
      }
      ListenerMethod<?> other =
          adding.to(found.computeIfAbsent(consumer, key -> new KafkaMethods()), topic);
      if (other != null) {
        throw new InvalidConfiguration(
            "The topic %s of the consumer %s has two listeners, %s and %s, so it is open which is to handle a record. Nothing was started. Give one of them another topic, or a consumer of its own, which then handles each record as well."
                .formatted(topic, consumer, other, name));
      }
    }
  }

  /** Gives a topic to a method, and tells which has it already. */
  @FunctionalInterface
  private interface Adding {
    @Nullable ListenerMethod<?> to(KafkaMethods methods, String topic);
  }

  private Adding adding(AnnotatedMethods.Found<HoldfastListener> listener) {
    PayloadReader reader = readers.getIfUnique();
    if (Arrays.stream(listener.method().getParameters()).anyMatch(Listeners::areRecords)) {
      ListenerMethod<List<ConsumerRecord<byte[], byte[]>>> batches =
          methods.method(listener, KafkaBatches.KIND, reader);
      return (all, topic) -> all.addTogether(topic, batches);
    }
    ListenerMethod<ConsumerRecord<byte[], byte[]>> records =
        methods.method(listener, KafkaRecords.KIND, reader);
    return (all, topic) -> all.addEach(topic, records);
  }

  /** A list of anything else is a payload. */
  private static boolean areRecords(Parameter parameter) {
    return parameter.getType() == List.class
        && ResolvableType.forType(parameter.getParameterizedType()).getGeneric().toClass()
            == ConsumerRecord.class;
  }
}
