package dev.holdfast.crashtest.resource;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/**
 * A producer of one process. Without transactions each {@code send} is a commit point, whose effect
 * is there when it is acknowledged; with them {@code commitTransaction} is.
 *
 * <p>The fence closes the producer with a timeout of zero, which fails what it has buffered, and
 * returns when its I/O thread has ended. Callbacks of a dead process are not called.
 */
public final class KafkaProducerResource implements InvocationHandler, Fence {
  private static final Duration ACKNOWLEDGMENT = Duration.ofSeconds(10);

  private final String name;
  private final Hook hook;
  private final KafkaBroker broker;
  private final Producer<?, ?> real;
  private final boolean transactional;

  /** Set when the client is made to hold back what it is given. */
  private volatile @Nullable Runnable withheld;

  private final List<Change> pending = new CopyOnWriteArrayList<>();

  private KafkaProducerResource(
      String name, Hook hook, KafkaBroker broker, Producer<?, ?> real, boolean transactional) {
    this.name = name;
    this.hook = hook;
    this.broker = broker;
    this.real = real;
    this.transactional = transactional;
  }

  /** Makes a producer of strings. */
  public static Producer<String, String> ofStrings(
      String name, Hook hook, KafkaBroker broker, Map<String, ?> config) {
    return of(name, hook, broker, config, new StringSerializer(), new StringSerializer());
  }

  /** Makes a producer; its {@code bootstrap.servers} are the broker's. */
  @SuppressWarnings("unchecked")
  public static <K, V> Producer<K, V> of(
      String name,
      Hook hook,
      KafkaBroker broker,
      Map<String, ?> config,
      Serializer<K> keys,
      Serializer<V> values) {
    hook.check();
    Map<String, Object> settings = new HashMap<>(config);
    settings.put("bootstrap.servers", broker.forProcesses());
    KafkaProducer<K, V> real = new KafkaProducer<>(settings, keys, values);
    KafkaProducerResource resource =
        new KafkaProducerResource(
            name, hook, broker, real, settings.get("transactional.id") != null);
    hook.fence(resource);
    return (Producer<K, V>) Reflect.proxy(Producer.class, resource);
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args) {
    Object identity = Reflect.identity(proxy, "producer to " + name, method, args);
    if (identity != null) {
      return identity;
    }
    if (method.getName().equals("close")) {
      return hook.isDead() ? null : call(method, args);
    }
    hook.check();
    try {
      return switch (method.getName()) {
        case "send" -> send(record(args), callback(args));
        case "flush" -> {
          Runnable waiting = withheld;
          if (waiting != null) {
            waiting.run();
          }
          yield call(method, args);
        }
        case "beginTransaction", "abortTransaction" -> {
          pending.clear();
          yield call(method, args);
        }
        case "sendOffsetsToTransaction" -> {
          pending.add(new Change("offsets", Site.current()));
          yield call(method, args);
        }
        case "commitTransaction" -> {
          commitTransaction();
          yield null;
        }
        default -> call(method, args);
      };
    } finally {
      // What fails because the process was crashed meanwhile is no answer to anybody.
      hook.check();
    }
  }

  private Object send(ProducerRecord<?, ?> record, @Nullable Callback callback) {
    Runnable waiting = withheld;
    if (waiting != null) {
      // A client does not send the later before the earlier.
      return new Withheld<>(waiting);
    }
    Change change = new Change(record.topic(), Site.current());
    if (transactional) {
      pending.add(change);
      return new Acknowledgment<>(hook, sendNow(record, callback));
    }
    return hook.commit(
        new Commit(name, "send", record.topic(), List.of(change)),
        new DeferredAction<Future<?>, RuntimeException>() {
          @Override
          public Future<?> perform() {
            return new Acknowledgment<>(hook, sendNow(record, callback));
          }

          @Override
          public boolean awaitEffect(Future<?> answer) {
            return isDone(answer);
          }

          @Override
          public Future<?> withhold(Runnable onWaiting) {
            withheld = onWaiting;
            return new Withheld<>(onWaiting);
          }

          @Override
          public Future<?> performLosingAnswer() {
            return KafkaAnswers.lose(
                broker,
                KafkaLooks.ends(broker, List.of(record.topic())),
                this::perform,
                answer -> answer != null && answer.isDone());
          }
        });
  }

  @SuppressWarnings("unchecked")
  private Future<?> sendNow(ProducerRecord<?, ?> record, @Nullable Callback callback) {
    Producer<Object, Object> producer = (Producer<Object, Object>) real;
    return producer.send(
        (ProducerRecord<Object, Object>) record,
        (metadata, exception) -> {
          if (callback != null && !hook.isDead()) {
            callback.onCompletion(metadata, exception);
          }
        });
  }

  private static boolean isDone(Future<?> answer) {
    try {
      answer.get(ACKNOWLEDGMENT.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void commitTransaction() {
    List<Change> changes = new ArrayList<>(pending);
    pending.clear();
    TreeSet<String> topics = new TreeSet<>();
    changes.forEach(change -> topics.add(change.what()));
    String detail = String.join(", ", topics);
    topics.remove("offsets");
    hook.commit(
        new Commit(name, "commitTransaction", detail, changes),
        new CommitAction<Boolean, RuntimeException>() {
          @Override
          public Boolean perform() {
            real.commitTransaction();
            return true;
          }

          @Override
          public boolean awaitEffect(Boolean answer) {
            return true;
          }

          @Override
          public Boolean performLosingAnswer() {
            // The records themselves move the topics' ends; only the commit is to be watched for.
            real.flush();
            return KafkaAnswers.lose(
                broker,
                KafkaLooks.ends(broker, topics),
                this::perform,
                answer -> answer != null && answer);
          }
        });
  }

  private @Nullable Object call(Method method, @Nullable Object @Nullable [] args) {
    return Reflect.call(RuntimeException.class, real, method, args);
  }

  @SuppressWarnings("NullAway")
  private static ProducerRecord<?, ?> record(@Nullable Object @Nullable [] args) {
    return (ProducerRecord<?, ?>) args[0];
  }

  private static @Nullable Callback callback(@Nullable Object @Nullable [] args) {
    return args != null && args.length > 1 ? (Callback) args[1] : null;
  }

  @Override
  public void cut() {
    broker.cut();
  }

  @Override
  public void end() {
    real.close(Duration.ZERO);
  }

  @Override
  public void reopen() {
    broker.restore();
  }

  @Override
  public void close() {
    real.close(ACKNOWLEDGMENT);
  }
}
