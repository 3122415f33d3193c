package dev.holdfast.crashtest;

import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Where to begin an {@link Expectation}. Effects are counted by the operation's key, at the
 * resource itself: past the wrappers and past the process.
 */
public final class Expect {
  private Expect() {}

  /** Rows of a table, by its name as it is written in SQL. */
  public static Rows row(String table) {
    return new Rows(table, "");
  }

  /** Records of a Kafka topic, as a {@code read_committed} reader sees them. */
  public static Records record(String topic) {
    return new Records(topic, "");
  }

  /** What a service has executed. */
  public static Executions http(HttpLedger ledger) {
    return new Executions(ledger, "");
  }

  /**
   * Effects at a resource that the lab cannot ask itself.
   *
   * @param resource the name under which it was wrapped
   * @param what for people, such as {@code charge}
   * @param counter counts them for a key, without going through the process under test
   */
  public static Counted effect(String resource, String what, Counter counter) {
    String described = what + " at " + resource;
    return new Counted(
        described,
        resource,
        (truths, key) -> {
          truths.find(resource, Truth.class, described);
          return Collections.nCopies(counter.count(key), what);
        });
  }

  /**
   * Effects with values, which have an order, at a resource that the lab cannot ask itself.
   *
   * @param resource the name under which it was wrapped
   * @param what for people, such as {@code message}
   * @param values finds them for a key, without going through the process under test
   */
  public static Counted effects(
      String resource, String what, Function<String, List<String>> values) {
    String described = what + " at " + resource;
    return new Counted(
        described,
        resource,
        (truths, key) -> {
          truths.find(resource, Truth.class, described);
          return values.apply(key);
        });
  }

  /** Counts the effects of a key. */
  @FunctionalInterface
  public interface Counter {
    int count(String key);
  }

  /** Rows, to be told which. */
  public static final class Rows {
    private final String table;
    private final String resource;

    private Rows(String table, String resource) {
      this.table = table;
      this.resource = resource;
    }

    /** In the data source that was wrapped under this name; not needed when there is only one. */
    public Rows in(String resource) {
      return new Rows(table, resource);
    }

    /** Those whose primary key is the operation's key. */
    public Counted byKey() {
      return by(null);
    }

    /** Those that have the operation's key in a column, as text. */
    public Counted byKey(String column) {
      return by(Objects.requireNonNull(column));
    }

    private Counted by(@Nullable String column) {
      String what = "row in " + table;
      return new Counted(
          what,
          table,
          (truths, key) ->
              truths.find(resource, DatabaseTruth.class, what).rows(table, column, key));
    }
  }

  /** Records, to be told which. */
  public static final class Records {
    private final String topic;
    private final String resource;

    private Records(String topic, String resource) {
      this.topic = topic;
      this.resource = resource;
    }

    /** Of the broker that was wrapped under this name; not needed when there is only one. */
    public Records in(String resource) {
      return new Records(topic, resource);
    }

    /** Those whose key is the operation's; their values are those of the records, as text. */
    public Counted byKey() {
      String what = "record in " + topic;
      return new Counted(
          what,
          topic,
          (truths, key) -> truths.find(resource, KafkaTruth.class, what).records(topic, key));
    }
  }

  /** Executions, to be told which. */
  public static final class Executions {
    private final HttpLedger ledger;
    private final String resource;

    private Executions(HttpLedger ledger, String resource) {
      this.ledger = ledger;
      this.resource = resource;
    }

    /** Through the client that was wrapped under this name; not needed when there is only one. */
    public Executions in(String resource) {
      return new Executions(ledger, resource);
    }

    /** Those whose {@code Idempotency-Key} is the operation's key. */
    public Counted byIdempotencyKey() {
      String what = "execution at " + (resource.isEmpty() ? ledger.uri() : resource);
      return new Counted(
          what,
          ledger.uri().getAuthority(),
          (truths, key) -> {
            truths.find(resource, ServiceTruth.class, what);
            return Collections.nCopies(ledger.executions(key), "executed");
          });
    }
  }

  /** Effects of one key, to be told how many. */
  public static final class Counted {
    private final String what;
    private final @Nullable String madeThrough;
    private final Expectation.Probe probe;

    Counted(String what, @Nullable String madeThrough, Expectation.Probe probe) {
      this.what = what;
      this.madeThrough = madeThrough;
      this.probe = probe;
    }

    /**
     * Those of another key, for operations that have effects under several.
     *
     * @param other makes it of the operation's key
     */
    public Counted ofKey(UnaryOperator<String> other) {
      return new Counted(
          what, madeThrough, (truths, key) -> probe.values(truths, other.apply(key)));
    }

    /** Equal ones counted as one, at a resource that may repeat what it has. */
    public Counted distinct() {
      return new Counted(
          what,
          madeThrough,
          (truths, key) -> List.copyOf(new LinkedHashSet<>(probe.values(truths, key))));
    }

    /** One, when the operation has happened. */
    public Expectation once() {
      return times(1);
    }

    /** So many, when the operation has happened. */
    public Expectation times(int times) {
      return Expectation.times(what, madeThrough, probe, times);
    }

    /** These, once each and in this order, when the operation has happened. */
    public Expectation inOrder(String... values) {
      return Expectation.inOrder(what, madeThrough, probe, List.of(values));
    }
  }
}
