package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Transaction;
import dev.holdfast.kafka.inbox.KafkaHandler;
import dev.holdfast.kafka.inbox.KafkaInbox;
import dev.holdfast.kafka.inbox.KafkaInboxSettings;
import dev.holdfast.kafka.inbox.PartitionStatus;
import dev.holdfast.spring.health.ConsumerState;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.SmartLifecycle;

/**
 * The consumers whose records {@link HoldfastListener} methods handle: checked when all beans are
 * there, started in a late phase, and the first to be stopped. Thread-safe.
 */
final class Consumers implements SmartInitializingSingleton, SmartLifecycle, DisposableBean {
  private static final Logger log = LoggerFactory.getLogger(Consumers.class);

  /**
   * That of Spring's own Kafka listeners: behind web servers at the start, before them at the end.
   */
  static final int PHASE = Integer.MAX_VALUE - 100;

  private final ConfigurableListableBeanFactory beans;
  private final Holdfast holdfast;
  private final TransactionalOutbox outbox;
  private final HoldfastProperties properties;
  private final KafkaConsumerSettings kafka;
  private final HoldfastAutoConfiguration.ChosenDataSource chosen;
  private final ObjectProvider<PayloadReader> readers;

  private List<Plan> plans = List.of();
  private volatile Map<String, List<KafkaInbox>> running = Map.of();
  private volatile boolean started;

  Consumers(
      ConfigurableListableBeanFactory beans,
      Holdfast holdfast,
      TransactionalOutbox outbox,
      HoldfastProperties properties,
      KafkaConsumerSettings kafka,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ObjectProvider<PayloadReader> readers) {
    this.beans = beans;
    this.holdfast = holdfast;
    this.outbox = outbox;
    this.properties = properties;
    this.kafka = kafka;
    this.chosen = chosen;
    this.readers = readers;
  }

  /** A consumer that can be started. */
  private record Plan(
      Holdfast holdfast,
      String consumer,
      List<Map<String, Object>> clients,
      KafkaInboxSettings settings,
      Set<String> topics,
      KafkaHandler handler) {}

  @Override
  public void afterSingletonsInstantiated() {
    if (!properties.listeners().enabled()) {
      return;
    }
    Map<String, Map<String, ListenerMethod>> listeners = Listeners.find(beans, readers);
    requireListeners(listeners.keySet());
    if (listeners.isEmpty()) {
      return;
    }
    SpringTransactions transactions =
        new SpringTransactions(
            TransactionManagers.choose(beans, chosen.dataSource()),
            chosen.dataSource(),
            holdfast.store().writer());
    Holdfast inSpring = holdfast.transactingBy(transactions);
    List<Plan> made = new ArrayList<>();
    listeners.forEach(
        (consumer, methods) -> made.add(plan(inSpring, transactions, consumer, methods)));
    plans = List.copyOf(made);
  }

  private Plan plan(
      Holdfast inSpring,
      SpringTransactions transactions,
      String consumer,
      Map<String, ListenerMethod> methods) {
    ConsumerProperties own =
        properties.consumers().getOrDefault(consumer, ConsumerProperties.DEFAULT);
    List<Map<String, Object>> clients = new ArrayList<>();
    for (int number = 0; number < own.threads(consumer); number++) {
      clients.add(kafka.of(consumer, number, own.properties()));
    }
    Map<String, ListenerMethod> byTopic = Map.copyOf(methods);
    return new Plan(
        inSpring,
        consumer,
        clients,
        own.settings(consumer),
        byTopic.keySet(),
        (tx, message) -> handle(byTopic, transactions, tx, message));
  }

  /** What is set for a consumer that nobody is would be set in vain. */
  private void requireListeners(Set<String> consumers) {
    Set<String> unknown = new TreeSet<>(properties.consumers().keySet());
    unknown.removeAll(consumers);
    if (!unknown.isEmpty()) {
      throw new InvalidConfiguration(
          "holdfast.consumers names %s, of which there is no @HoldfastListener; there are %s. Nothing was started. Take the properties away, or correct the name."
              .formatted(unknown, consumers));
    }
  }

  private void handle(
      Map<String, ListenerMethod> methods,
      SpringTransactions transactions,
      Transaction tx,
      ConsumerRecord<byte[], byte[]> message)
      throws SQLException {
    ListenerMethod method = methods.get(message.topic());
    if (method == null) {
      throw new IllegalStateException(
          "no listener handles the topic " + message.topic() + " any more");
    }
    TransactionBuffer buffer = outbox.buffer();
    if (buffer != null) {
      buffer.beginPart(tx.operationId());
    }
    method.call(buffer == null ? tx : new ListenerTransaction(tx, outbox, buffer), message);
    transactions.endPart();
    if (buffer != null) {
      buffer.endPart();
    }
  }

  @Override
  public synchronized void start() {
    if (started) {
      return;
    }
    Map<String, List<KafkaInbox>> inboxes = new LinkedHashMap<>();
    try {
      for (Plan plan : plans) {
        List<KafkaInbox> threads =
            inboxes.computeIfAbsent(plan.consumer(), key -> new ArrayList<>());
        for (Map<String, Object> client : plan.clients()) {
          threads.add(
              KafkaInbox.start(
                  plan.holdfast(),
                  plan.consumer(),
                  client,
                  plan.settings(),
                  plan.topics(),
                  plan.handler()));
        }
      }
    } catch (RuntimeException e) {
      close(inboxes);
      throw e;
    }
    running = inboxes;
    started = true;
    if (!inboxes.isEmpty()) {
      log.info("Consumers {} have started", inboxes.keySet());
    }
  }

  /** Returns when what is in hand is committed or rolled back. */
  @Override
  public synchronized void stop() {
    Map<String, List<KafkaInbox>> inboxes = running;
    running = Map.of();
    started = false;
    close(inboxes);
  }

  /** At the same time, so that the longest of them is waited for, and not their sum. */
  private static void close(Map<String, List<KafkaInbox>> inboxes) {
    List<Thread> closing =
        inboxes.values().stream()
            .flatMap(List::stream)
            .map(inbox -> new Thread(inbox::close, "holdfast-consumers-close"))
            .toList();
    closing.forEach(Thread::start);
    for (Thread thread : closing) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Where a start that failed behind ours ends the beans, and no phases. */
  @Override
  public void destroy() {
    stop();
  }

  @Override
  public boolean isRunning() {
    return started;
  }

  @Override
  public int getPhase() {
    return PHASE;
  }

  /** As of about a second ago. */
  List<ConsumerState> status() {
    return running.entrySet().stream()
        .map(
            consumer ->
                state(
                    consumer.getKey(),
                    consumer.getValue().stream()
                        .flatMap(inbox -> inbox.status().stream())
                        .toList()))
        .toList();
  }

  private static ConsumerState state(String consumer, List<PartitionStatus> partitions) {
    Map<String, String> stopped = new LinkedHashMap<>();
    for (PartitionStatus partition : partitions) {
      String reason = partition.stopped();
      if (reason != null) {
        stopped.put(partition.topic() + "-" + partition.partition(), reason);
      }
    }
    long lag = partitions.stream().mapToLong(partition -> Math.max(0, partition.lag())).sum();
    return new ConsumerState(consumer, partitions.size(), lag, stopped);
  }
}
