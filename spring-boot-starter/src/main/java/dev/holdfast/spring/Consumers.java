package dev.holdfast.spring;

import dev.holdfast.inbox.ConsumerProgress;
import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.spring.health.ConsumerState;
import dev.holdfast.spring.health.ListenerState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.context.SmartLifecycle;

/**
 * The consumers whose messages listener methods handle: checked when all beans are there, started
 * in a late phase, and the first to be stopped. Thread-safe.
 */
final class Consumers implements SmartInitializingSingleton, SmartLifecycle, DisposableBean {
  private static final Logger log = LoggerFactory.getLogger(Consumers.class);

  /**
   * That of Spring's own listeners of Kafka and JMS: behind web servers at the start, before them
   * at the end.
   */
  static final int PHASE = Integer.MAX_VALUE - 100;

  /** A consumer that can be started. */
  interface Plan {
    String consumer();

    Running start();
  }

  /** One that has been started. */
  interface Running {
    String consumer();

    /** What ends it, each returning when its messages in hand are committed or rolled back. */
    List<Runnable> closing();
  }

  private final Supplier<List<Plan>> planning;
  private @Nullable List<Plan> plans;
  private volatile List<Running> running = List.of();
  private volatile boolean started;

  /**
   * @param planning asked once, when all beans are there
   */
  Consumers(Supplier<List<Plan>> planning) {
    this.planning = planning;
  }

  @Override
  public void afterSingletonsInstantiated() {
    plans();
  }

  /** For whoever comes when all beans are there, in whatever order. */
  synchronized List<Plan> plans() {
    List<Plan> made = plans;
    if (made == null) {
      made = planning.get();
      plans = made;
    }
    return made;
  }

  @Override
  public synchronized void start() {
    if (started) {
      return;
    }
    List<Running> begun = new ArrayList<>();
    try {
      for (Plan plan : plans()) {
        begun.add(plan.start());
      }
    } catch (RuntimeException | Error e) {
      close(begun);
      throw e;
    }
    running = List.copyOf(begun);
    started = true;
    if (!begun.isEmpty()) {
      log.info("Consumers {} have started", begun.stream().map(Running::consumer).toList());
    }
  }

  /** Returns when what is in hand is committed or rolled back. */
  @Override
  public synchronized void stop() {
    List<Running> ending = running;
    running = List.of();
    started = false;
    close(ending);
  }

  /** At the same time, so that the longest of them is waited for, and not their sum. */
  private static void close(List<Running> ending) {
    List<Thread> closing =
        ending.stream()
            .flatMap(one -> one.closing().stream())
            .map(close -> new Thread(close, "holdfast-consumers-close"))
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

  private <T extends Running> Stream<T> running(Class<T> kind) {
    return running.stream().filter(kind::isInstance).map(kind::cast);
  }

  /** Those of Kafka, as of about a second ago. */
  List<ConsumerState> status() {
    return running(KafkaConsumers.Reading.class).map(KafkaConsumers.Reading::state).toList();
  }

  /** Those of queues. */
  List<ListenerState> listeners() {
    return running(QueueConsumers.Receiving.class).map(QueueConsumers.Receiving::state).toList();
  }

  /** Of one of Kafka; empty while it does not run. */
  Optional<ConsumerProgress> progress(String consumer) {
    return running(KafkaConsumers.Reading.class)
        .filter(one -> one.consumer().equals(consumer))
        .map(KafkaConsumers.Reading::progress)
        .findAny();
  }

  /** Of one of a queue; empty while it does not run. */
  Optional<ListenerStatus> listener(String consumer) {
    return listeners().stream()
        .filter(state -> state.consumer().equals(consumer))
        .map(ListenerState::status)
        .findAny();
  }
}
