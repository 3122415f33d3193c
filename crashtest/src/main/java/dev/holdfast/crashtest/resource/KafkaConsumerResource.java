package dev.holdfast.crashtest.resource;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * A consumer of one process. {@code commitSync} and {@code commitAsync} are commit points when
 * something was polled since the last; a loop that commits nothing over and over makes none.
 *
 * <p>The fence wakes the consumer up and closes it without leaving the group, as a crash does. A
 * group would miss the dead only after its session timeout; so that nobody has to wait for that,
 * they are removed from it when the next process may begin.
 */
public final class KafkaConsumerResource implements InvocationHandler, Fence {
  private static final Duration FENCING = Duration.ofSeconds(10);

  private final String name;
  private final Hook hook;
  private final KafkaBroker broker;
  private final Consumer<?, ?> real;
  private final String group;

  /** A consumer is for one thread at a time; the fence must be the last. */
  private final ReentrantLock lock = new ReentrantLock();

  private boolean polled;

  private KafkaConsumerResource(
      String name, Hook hook, KafkaBroker broker, Consumer<?, ?> real, String group) {
    this.name = name;
    this.hook = hook;
    this.broker = broker;
    this.real = real;
    this.group = group;
  }

  /** Makes a consumer of strings. */
  public static Consumer<String, String> ofStrings(
      String name, Hook hook, KafkaBroker broker, Map<String, ?> config) {
    return of(name, hook, broker, config, new StringDeserializer(), new StringDeserializer());
  }

  /** Makes a consumer; its {@code bootstrap.servers} are the broker's. */
  @SuppressWarnings("unchecked")
  public static <K, V> Consumer<K, V> of(
      String name,
      Hook hook,
      KafkaBroker broker,
      Map<String, ?> config,
      Deserializer<K> keys,
      Deserializer<V> values) {
    hook.check();
    Map<String, Object> settings = new HashMap<>(config);
    Object group = settings.get("group.id");
    if (group != null && !"false".equals(String.valueOf(settings.get("enable.auto.commit")))) {
      throw new IllegalArgumentException(
          "Consumer '%s' commits offsets by itself, at times that nobody chooses, so no crash can be planned there. Set enable.auto.commit to false and commit in the code."
              .formatted(name));
    }
    settings.put("bootstrap.servers", broker.forProcesses());
    KafkaConsumer<K, V> real = new KafkaConsumer<>(settings, keys, values);
    KafkaConsumerResource resource =
        new KafkaConsumerResource(
            name, hook, broker, real, group == null ? "" : String.valueOf(group));
    hook.fence(resource);
    return (Consumer<K, V>) Reflect.proxy(Consumer.class, resource);
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args) {
    Object identity = Reflect.identity(proxy, "consumer of " + name, method, args);
    if (identity != null) {
      return identity;
    }
    String called = method.getName();
    if (called.equals("wakeup") || (called.equals("close") && hook.isDead())) {
      return hook.isDead() ? null : call(method, args);
    }
    hook.check();
    if (!lock.tryLock()) {
      throw new java.util.ConcurrentModificationException(
          "Consumer '" + name + "' is used by two threads at once. Nothing was done.");
    }
    try {
      return use(method, args);
    } finally {
      lock.unlock();
      // What fails because the process was crashed meanwhile is no answer to anybody.
      hook.check();
    }
  }

  private @Nullable Object use(Method method, @Nullable Object @Nullable [] args) {
    return switch (method.getName()) {
      case "poll" -> {
        Object records = call(method, args);
        polled |= records instanceof ConsumerRecords<?, ?> some && !some.isEmpty();
        yield records;
      }
      case "commitSync", "commitAsync" -> {
        if (polled) {
          polled = false;
          commit(method, args);
          yield null;
        }
        yield call(method, args);
      }
      default -> call(method, args);
    };
  }

  private void commit(Method method, @Nullable Object @Nullable [] args) {
    Change change = new Change("offsets of " + group, Site.current());
    hook.commit(
        new Commit(name, method.getName(), group, List.of(change)),
        new CommitAction<Boolean, RuntimeException>() {
          private boolean lost;

          @Override
          public Boolean perform() {
            call(method, args);
            return true;
          }

          @Override
          public boolean awaitEffect(Boolean answer) {
            if (!lost && method.getName().equals("commitAsync")) {
              // Behind it, on the same connection.
              real.commitSync();
            }
            return true;
          }

          @Override
          public Boolean performLosingAnswer() {
            lost = true;
            return KafkaAnswers.lose(
                broker, KafkaLooks.offsets(broker, group), this::perform, answer -> false);
          }
        });
  }

  private @Nullable Object call(Method method, @Nullable Object @Nullable [] args) {
    return Reflect.call(RuntimeException.class, real, method, args);
  }

  @Override
  public void cut() {
    broker.cut();
  }

  @Override
  public void end() {
    // The thread that crashes may be the consumer's own, deep inside a call.
    if (!lock.isHeldByCurrentThread()) {
      real.wakeup();
    }
    try {
      if (!lock.tryLock(FENCING.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException(
            "Consumer '%s' does not return from a call within %s, though woken up. It is not fenced."
                .formatted(name, FENCING.toSeconds() + " s"));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted; consumer '" + name + "' is not fenced.", e);
    }
    try {
      real.close(stay().withTimeout(Duration.ZERO));
    } finally {
      lock.unlock();
    }
  }

  private static CloseOptions stay() {
    return CloseOptions.groupMembershipOperation(
        CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP);
  }

  @Override
  public void reopen() {
    if (!group.isEmpty()) {
      removeTheDead();
    }
    broker.restore();
  }

  private void removeTheDead() {
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", broker.direct()))) {
      admin
          .removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions())
          .all()
          .get(FENCING.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // Then the group waits for the session timeout, as after any crash.
    }
  }

  @Override
  public void close() {
    if (lock.tryLock()) {
      try {
        real.close(CloseOptions.timeout(FENCING));
      } finally {
        lock.unlock();
      }
    } else {
      // A thread that the application has left behind.
      end();
    }
  }
}
