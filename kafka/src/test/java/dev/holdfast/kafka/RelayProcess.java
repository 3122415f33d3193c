package dev.holdfast.kafka;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.ChannelConfig;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Relay;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.ParkingStore;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * A relay in a process of its own, which dies at a named point: no shutdown hook, no finally, no
 * goodbye to the servers.
 */
final class RelayProcess implements AutoCloseable {

  /** Where a relay dies, on the n-th time that it comes there. */
  enum Point {
    NEVER,
    /** A batch is read, nothing of it sent. */
    BEFORE_SEND,
    /** The whole batch is acknowledged by the broker, the transaction not committed. */
    AFTER_SEND_BEFORE_COMMIT,
    /** Committed at Kafka, not copied back to the database. */
    AFTER_COMMIT,
    BEFORE_PARK,
    AFTER_PARK,
    /** The parked messages of a replay are read, not sent. */
    AFTER_RELEASABLE,
    BEFORE_FINISH_RELEASE,
    AFTER_FINISH_RELEASE
  }

  private final Process process;

  private RelayProcess(Process process) {
    this.process = process;
  }

  /**
   * @param forgetful whether the target forgets its progress: a step of the protocol taken out
   */
  static RelayProcess start(
      String jdbcUrl, String schema, String topic, Point point, int n, boolean forgetful) {
    try {
      return new RelayProcess(
          new ProcessBuilder(
                  ProcessHandle.current().info().command().orElse("java"),
                  "-Xmx160m",
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  System.getProperty(
                      "surefire.test.class.path", System.getProperty("java.class.path")),
                  RelayProcess.class.getName(),
                  jdbcUrl,
                  TestServers.KAFKA.bootstrapServers(),
                  schema,
                  topic,
                  point.name(),
                  Integer.toString(n),
                  Boolean.toString(forgetful))
              .redirectErrorStream(true)
              .redirectOutput(
                  new File(
                      System.getProperty("java.io.tmpdir"),
                      "relay-" + schema + "-" + point + ".log"))
              .start());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
    process.onExit().join();
  }

  /** SIGSTOP and SIGCONT: a long pause, as of a garbage collector or a moved machine. */
  void signal(String name) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().onExit().join();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    signal("CONT");
    kill();
  }

  public static void main(String[] args) throws InterruptedException {
    String schema = args[2];
    String topic = args[3];
    Trap trap = new Trap(Point.valueOf(args[4]), Integer.parseInt(args[5]));
    Trap.current = trap;
    HikariDataSource pool = TestServers.pool(args[0]);
    Store store = trapped(PostgresStore.open(pool, schema), trap);
    Target target =
        new TrappedTarget(
            Kafka.to(
                Map.of(
                    ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                    args[1],
                    ProducerConfig.INTERCEPTOR_CLASSES_CONFIG,
                    DyingInterceptor.class.getName())),
            trap,
            Boolean.parseBoolean(args[6]));
    Relay.start(
        store,
        List.of(new ChannelConfig("orders", target, List.of(topic + "*"))),
        settings(),
        "relay-" + ProcessHandle.current().pid());
    new CountDownLatch(1).await();
  }

  static RelaySettings settings() {
    return RelaySettings.DEFAULT
        .withLeaseDuration(Duration.ofSeconds(1))
        .withPage(25, 1 << 20)
        .withProgressInterval(Duration.ofSeconds(1));
  }

  /** Counts the visits of the point. */
  private static final class Trap {
    static Trap current = new Trap(Point.NEVER, 1);
    private final Point point;
    private final AtomicInteger left;

    Trap(Point point, int n) {
      this.point = point;
      this.left = new AtomicInteger(n);
    }

    void at(Point here) {
      if (here == point && left.decrementAndGet() == 0) {
        Runtime.getRuntime().halt(137);
      }
    }
  }

  /** Dies once the broker has acknowledged the progress record, the last of its transaction. */
  public static final class DyingInterceptor implements ProducerInterceptor<byte[], byte[]> {
    /** Records that carry messages in the transaction under way. */
    private final AtomicInteger messages = new AtomicInteger();

    @Override
    public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> record) {
      return record;
    }

    @Override
    public void onAcknowledgement(RecordMetadata metadata, Exception exception) {
      if (!metadata.topic().equals("holdfast-progress")) {
        messages.incrementAndGet();
      } else if (messages.getAndSet(0) > 0) {
        Trap.current.at(Point.AFTER_SEND_BEFORE_COMMIT);
      }
    }

    @Override
    public void close() {}

    @Override
    public void configure(Map<String, ?> configs) {}
  }

  private record TrappedTarget(Target target, Trap trap, boolean forgetful) implements Target {
    @Override
    public TargetSession open(Context context) {
      TargetSession session = target.open(context);
      return new TargetSession() {
        @Override
        public Optional<String> peekProgress() {
          return forgetful ? Optional.empty() : session.peekProgress();
        }

        @Override
        public void takeOver() {
          session.takeOver();
        }

        @Override
        public Optional<String> progress() {
          return forgetful ? Optional.empty() : session.progress();
        }

        @Override
        public Delivery send(List<OutboxRecord> messages, String progress) {
          if (!messages.isEmpty()) {
            trap.at(Point.BEFORE_SEND);
          }
          Delivery delivery = session.send(messages, progress);
          if (!messages.isEmpty() && delivery instanceof Delivery.Done) {
            trap.at(Point.AFTER_COMMIT);
          }
          return delivery;
        }

        @Override
        public void close() {
          session.close();
        }
      };
    }

    @Override
    public String description() {
      return target.description();
    }

    @Override
    public Set<Capability> capabilities() {
      return target.capabilities();
    }

    @Override
    public Acknowledgment acknowledgment() {
      return target.acknowledgment();
    }
  }

  private static Store trapped(Store store, Trap trap) {
    ParkingStore real = store.parking();
    ParkingStore parking =
        proxy(
            ParkingStore.class,
            real,
            Map.of("park", Point.BEFORE_PARK, "finishRelease", Point.BEFORE_FINISH_RELEASE),
            Map.of(
                "park",
                Point.AFTER_PARK,
                "releasable",
                Point.AFTER_RELEASABLE,
                "finishRelease",
                Point.AFTER_FINISH_RELEASE),
            trap);
    return (Store)
        Proxy.newProxyInstance(
            RelayProcess.class.getClassLoader(),
            new Class<?>[] {Store.class},
            (self, method, args) ->
                method.getName().equals("parking") ? parking : method.invoke(store, args));
  }

  private static <T> T proxy(
      Class<T> type, T real, Map<String, Point> before, Map<String, Point> after, Trap trap) {
    return type.cast(
        Proxy.newProxyInstance(
            RelayProcess.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, args) -> {
              Optional.ofNullable(before.get(method.getName())).ifPresent(trap::at);
              try {
                Object result = method.invoke(real, args);
                Optional.ofNullable(after.get(method.getName())).ifPresent(trap::at);
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            }));
  }
}
