package dev.holdfast.workflow;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a run is started with beside its input. Immutable. */
public record StartOptions(
    @Nullable String operationId,
    Map<String, String> attributes,
    @Nullable Duration delay,
    @Nullable Instant startAt,
    @Nullable Duration deadline,
    @Nullable String queue,
    @Nullable String queueKey) {

  public static final StartOptions DEFAULT =
      new StartOptions(null, Map.of(), null, null, null, null, null);

  public StartOptions {
    attributes = Map.copyOf(attributes);
    check("delay", delay);
    check("deadline", deadline);
    if (attributes.size() > 20
        || attributes.entrySet().stream()
            .anyMatch(each -> each.getKey().length() + each.getValue().length() > 500)) {
      throw new InvalidConfiguration(
          "A run has at most 20 attributes of at most 500 characters each. Nothing was started.");
    }
    if (queueKey != null && (queue == null || queueKey.length() > 200)) {
      throw new InvalidConfiguration(
          "A run's key in its queue has at most 200 characters, and needs a queue. Nothing was started.");
    }
  }

  private static void check(String name, @Nullable Duration value) {
    if (value != null && (value.isNegative() || value.compareTo(Duration.ofDays(3_650)) > 0)) {
      throw new InvalidConfiguration(
          "%s is %s, and must be 0 to 3,650 days. Nothing was started.".formatted(name, value));
    }
  }

  /** Whether it does not begin at once. */
  boolean waits() {
    return delay != null || startAt != null || queue != null;
  }

  /** The business operation; the run's id, or the transaction's operation, when not set. */
  public StartOptions withOperationId(String value) {
    return new StartOptions(value, attributes, delay, startAt, deadline, queue, queueKey);
  }

  /** What it can be searched by, in the view {@code workflow_run}. */
  public StartOptions withAttributes(Map<String, String> value) {
    return new StartOptions(operationId, value, delay, startAt, deadline, queue, queueKey);
  }

  /** How long after the commit it begins. */
  public StartOptions withDelay(Duration value) {
    return new StartOptions(operationId, attributes, value, startAt, deadline, queue, queueKey);
  }

  /** When it begins, by the database's clock; at once where that is past. */
  public StartOptions withStartAt(Instant value) {
    return new StartOptions(operationId, attributes, delay, value, deadline, queue, queueKey);
  }

  /** How long after the commit it is given up, and undone, unless it is behind its pivot. */
  public StartOptions withDeadline(Duration value) {
    return new StartOptions(operationId, attributes, delay, startAt, value, queue, queueKey);
  }

  /** Where it waits until it is let in; a {@link WorkflowQueue} of this name lets it in. */
  public StartOptions withQueue(String name) {
    return new StartOptions(operationId, attributes, delay, startAt, deadline, name, queueKey);
  }

  /** As {@link #withQueue(String)}, among the runs of a key: a customer, an account. */
  public StartOptions withQueue(String name, String key) {
    return new StartOptions(operationId, attributes, delay, startAt, deadline, name, key);
  }
}
