package dev.holdfast.kafka;

import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * What is done to a relay that runs in a process of its own: it dies or stops at a named point, or
 * a step of the protocol is taken out of it.
 *
 * @param point where it dies or stops, on the {@code nth} time that it comes there
 * @param stops whether it stops (SIGSTOP) there, rather than dies
 */
record Sabotage(Point point, int nth, boolean stops, Without without) {
  static final Sabotage NONE = new Sabotage(Point.NEVER, 1, false, Without.NOTHING);

  /** Where a relay can be hit. */
  enum Point {
    NEVER,
    /** A batch is read, nothing of it sent. */
    BEFORE_SEND,
    /** The whole batch is acknowledged by the broker, the transaction not committed. */
    AFTER_SEND_BEFORE_COMMIT,
    /** Committed at Kafka, not copied back to the database. */
    AFTER_COMMIT
  }

  /** A step of the protocol that is taken out, to see the attack succeed. */
  enum Without {
    NOTHING,
    /** The target forgets the progress that was committed with the messages. */
    PROGRESS_RECORD,
    /** What a window saw is sent whether or not it is on the database's disk. */
    FLUSH_FENCE,
    /** Opening the target leaves the session of the leader before as it is. */
    TARGET_FENCE,
    /** The target is not told how many copies of the progress the database has. */
    COUNT_OF_COPIES
  }

  static Sabotage diesAt(Point point, int nth) {
    return new Sabotage(point, nth, false, Without.NOTHING);
  }

  static Sabotage stopsAt(Point point, int nth) {
    return new Sabotage(point, nth, true, Without.NOTHING);
  }

  Sabotage without(Without step) {
    return new Sabotage(point, nth, stops, step);
  }

  List<String> toArguments() {
    return List.of(point.name(), Integer.toString(nth), Boolean.toString(stops), without.name());
  }

  static Sabotage ofArguments(List<String> arguments) {
    return new Sabotage(
        Point.valueOf(arguments.get(0)),
        Integer.parseInt(arguments.get(1)),
        Boolean.parseBoolean(arguments.get(2)),
        Without.valueOf(arguments.get(3)));
  }

  /** Counts the visits of the point. */
  static final class Trap {
    /** For the interceptor, which the producer makes. */
    static volatile Trap current = new Trap(NONE);

    private final Sabotage sabotage;
    private final AtomicInteger left;

    Trap(Sabotage sabotage) {
      this.sabotage = sabotage;
      this.left = new AtomicInteger(sabotage.nth());
    }

    void at(Point here) {
      if (here == sabotage.point() && left.decrementAndGet() == 0) {
        if (sabotage.stops()) {
          RelayProcess.signal("STOP", ProcessHandle.current().pid());
        } else {
          Runtime.getRuntime().halt(137);
        }
      }
    }
  }

  /** Springs the trap once the broker has acknowledged the last record of a transaction. */
  public static final class TrappedInterceptor implements ProducerInterceptor<byte[], byte[]> {
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

  Target target(Target real, Trap trap) {
    Target target =
        switch (without) {
          case NOTHING, FLUSH_FENCE -> real;
          case PROGRESS_RECORD -> new ForgetfulTarget(real);
          case TARGET_FENCE -> new UnfencedTarget(real);
          case COUNT_OF_COPIES -> new UncountingTarget(real);
        };
    return new TrappedTarget(target, trap);
  }

  private record TrappedTarget(Target target, Trap trap) implements WrappedTarget {
    @Override
    public TargetSession open(Context context) {
      return new TrappedSession(target.open(context), trap);
    }
  }

  private record TrappedSession(TargetSession session, Trap trap) implements WrappedTarget.Session {
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
  }

  private record ForgetfulTarget(Target target) implements WrappedTarget {
    @Override
    public TargetSession open(Context context) {
      return new ForgetfulSession(target.open(context));
    }
  }

  private record ForgetfulSession(TargetSession session) implements WrappedTarget.Session {
    @Override
    public Optional<String> peekProgress() {
      // Asked in any case: it is the question that creates the topic.
      return session.peekProgress().filter(record -> false);
    }

    @Override
    public Optional<String> progress() {
      return Optional.empty();
    }
  }

  private record UncountingTarget(Target target) implements WrappedTarget {
    @Override
    public TargetSession open(Context context) {
      return new UncountingSession(target.open(context));
    }
  }

  private record UncountingSession(TargetSession session) implements WrappedTarget.Session {
    @Override
    public Delivery send(List<OutboxRecord> messages, String progress) {
      return session.send(messages, progress.replaceAll(" copies=\\d+", " copies=0"));
    }
  }

  /**
   * Every leader has a producer of its own name, and so none fences another. What they know of one
   * another's progress is the newest of their records.
   */
  private record UnfencedTarget(Target target) implements WrappedTarget {
    @Override
    public TargetSession open(Context context) {
      return new UnfencedSession(target.open(named(context, 1)), target.open(named(context, 2)));
    }

    private static Context named(Context context, int leader) {
      return new Context(context.channel(), context.scope() + "-" + leader);
    }
  }

  /** As many as ever lead the channel in one test. */
  private static final class UnfencedSession implements WrappedTarget.Session {
    private final TargetSession first;
    private final TargetSession second;
    private TargetSession own;
    private Optional<String> found = Optional.empty();

    UnfencedSession(TargetSession first, TargetSession second) {
      this.first = first;
      this.second = second;
      this.own = first;
    }

    @Override
    public TargetSession session() {
      return own;
    }

    @Override
    public Optional<String> peekProgress() {
      Optional<String> newest = second.peekProgress();
      return newest.isPresent() ? newest : first.peekProgress();
    }

    @Override
    public void takeOver() {
      found = peekProgress();
      own = found.isPresent() ? second : first;
      own.takeOver();
    }

    @Override
    public Optional<String> progress() {
      return found;
    }

    @Override
    public void close() {
      first.close();
      second.close();
    }
  }

  /**
   * The same database without the flush fence, if so asked. The relay's own commits, which renew
   * leases and copy progress several times a second, do not force the log out either: they would
   * stand in for the fence by chance, and the fence alone is to be tried.
   */
  DataSource dataSource(DataSource real) {
    return without == Without.FLUSH_FENCE
        ? RewrittenSql.of(
            real,
            (connection, sql) -> {
              if (sql.contains(".lease set")) {
                // A commit of its own, which would force out what others have written.
                try (Statement statement = connection.createStatement()) {
                  statement.execute("set synchronous_commit = off");
                }
              }
              return sql.contains("pg_logical_emit_message")
                  ? "select ?::pg_lsn"
                  : sql.replace("synchronous_commit = on", "synchronous_commit = off");
            })
        : real;
  }
}
