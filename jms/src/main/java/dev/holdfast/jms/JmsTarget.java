package dev.holdfast.jms;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.TargetUnavailable;
import jakarta.jms.Connection;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.JMSException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A JMS provider as the target of a channel: at least once, in order per key, each message under
 * the same id whenever it comes. Immutable and thread-safe.
 *
 * <p>A batch of persistent messages is one transaction of a session. The messages are {@code
 * BytesMessage}s (without a body where there is no payload) with the attributes of CloudEvents as
 * properties: {@code cloudEvents_id} is the message's id, {@code cloudEvents_operationid} the
 * operation.
 */
public final class JmsTarget implements Target {
  private static final List<Assumption> ALWAYS =
      List.of(
          new Assumption(
              "jms.keeps-what-it-acknowledged",
              null,
              "The broker forces what it has committed to a disk that it comes back with.",
              Set.of()),
          new Assumption(
              "jms.destinations-stay",
              null,
              "A queue is not deleted while messages are sent to it, and a topic has its durable subscriptions before they are.",
              Set.of()),
          new Assumption(
              "jms.keeps-order",
              Capability.ORDER_PER_KEY,
              "The broker keeps the order of one session's messages in a destination.",
              Set.of()));

  private static final Assumption REMEMBERS =
      new Assumption(
          "jms.remembers-ids",
          Capability.DEDUPLICATION,
          "Artemis remembers (id-cache-size, persist-id-cache) at least as many ids of each address as are sent to it in the window.",
          Set.of());

  private final Settings settings;

  /**
   * What a target is made of.
   *
   * @param groups 0 for no message groups
   * @param deduplication how long Artemis remembers ids; {@code null} when it is not asked to
   */
  record Settings(
      ConnectionFactory connectionFactory,
      String name,
      Function<String, JmsDestination> destinations,
      @Nullable String source,
      int groups,
      int maxBytes,
      @Nullable Duration deduplication) {

    static Settings of(ConnectionFactory connectionFactory) {
      return new Settings(connectionFactory, "", JmsDestination::queue, null, 0, 0, null);
    }

    /** Without the connection factory, whose text may hold a password. */
    @Override
    public String toString() {
      return "jms" + (name.isEmpty() ? "" : " " + name);
    }
  }

  JmsTarget(Settings settings) {
    this.settings = settings;
  }

  /** What people call this broker, in messages and guarantees. Do not put a password into it. */
  public JmsTarget named(String name) {
    Settings s = settings;
    return new JmsTarget(
        new Settings(
            s.connectionFactory,
            name,
            s.destinations,
            s.source,
            s.groups,
            s.maxBytes,
            s.deduplication));
  }

  /**
   * Where the messages of a topic go; the queue of the same name when not set.
   *
   * @param destinations asked by the relay's thread once for each message; must answer alike each
   *     time. What it throws refuses the message
   */
  public JmsTarget destinations(Function<String, JmsDestination> destinations) {
    Settings s = settings;
    return new JmsTarget(
        new Settings(
            s.connectionFactory,
            s.name,
            destinations,
            s.source,
            s.groups,
            s.maxBytes,
            s.deduplication));
  }

  /** The CloudEvents {@code source} of every message; {@code /holdfast/CHANNEL} when not set. */
  public JmsTarget source(String uri) {
    Settings s = settings;
    return new JmsTarget(
        new Settings(
            s.connectionFactory,
            s.name,
            s.destinations,
            uri,
            s.groups,
            s.maxBytes,
            s.deduplication));
  }

  /**
   * Sets {@code JMSXGroupID} to a number made of the key, so that a broker with message groups
   * gives the messages of a key to one of several consumers, in order. A number, and not the key:
   * brokers remember every group that they have met.
   *
   * @param groups how many there are, 1 to 65,536
   */
  public JmsTarget messageGroups(int groups) {
    if (groups < 1 || groups > 65_536) {
      throw new InvalidConfiguration(
          "%d message groups were asked for, and there must be 1 to 65536. Nothing was started."
              .formatted(groups));
    }
    Settings s = settings;
    return new JmsTarget(
        new Settings(
            s.connectionFactory,
            s.name,
            s.destinations,
            s.source,
            groups,
            s.maxBytes,
            s.deduplication));
  }

  /**
   * The most bytes of a payload that the broker takes; a longer one is refused here, and parked.
   * Not bounded here when not set.
   *
   * @param bytes at least 1
   */
  public JmsTarget maxBytes(int bytes) {
    if (bytes < 1) {
      throw new InvalidConfiguration(
          "A message may have %d bytes, and must be allowed 1 at least. Nothing was started."
              .formatted(bytes));
    }
    Settings s = settings;
    return new JmsTarget(
        new Settings(
            s.connectionFactory,
            s.name,
            s.destinations,
            s.source,
            s.groups,
            bytes,
            s.deduplication));
  }

  /**
   * Lets ActiveMQ Artemis drop repeats by their ids ({@code _AMQ_DUPL_ID}). Artemis remembers a
   * number of ids for each address ({@code id-cache-size}, 20,000 unless set), not a time; this
   * says for how long that number lasts at your rate.
   *
   * @param window 1 s at least
   */
  public JmsTarget artemisDeduplication(Duration window) {
    if (window.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new InvalidConfiguration(
          "Ids are said to be remembered for %s, and it must be 1 s at least. Nothing was started."
              .formatted(window));
    }
    Settings s = settings;
    return new JmsTarget(
        new Settings(
            s.connectionFactory, s.name, s.destinations, s.source, s.groups, s.maxBytes, window));
  }

  @Override
  public String description() {
    return settings.toString();
  }

  @Override
  public String kind() {
    return settings.deduplication == null ? "jms" : "jms (artemis, deduplicating)";
  }

  @Override
  public Set<Capability> capabilities() {
    return settings.deduplication == null
        ? Set.of(Capability.ORDER_PER_KEY)
        : Set.of(Capability.ORDER_PER_KEY, Capability.DEDUPLICATION);
  }

  @Override
  public Optional<Duration> window(Capability capability) {
    return capability == Capability.DEDUPLICATION && settings.deduplication != null
        ? Optional.of(settings.deduplication)
        : Target.super.window(capability);
  }

  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.PERSISTED;
  }

  @Override
  public List<Assumption> assumptions() {
    List<Assumption> all = new ArrayList<>(ALWAYS);
    if (settings.deduplication != null) {
      all.add(REMEMBERS);
    }
    return List.copyOf(all);
  }

  @Override
  public TargetSession open(Context context) {
    Connection connection = null;
    try {
      connection = settings.connectionFactory.createConnection();
      JmsSender sender = new JmsSender(connection, new Encoder(settings, context.channel()));
      return new JmsTargetSession(settings, connection, sender);
    } catch (JMSException | RuntimeException e) {
      if (connection != null) {
        Closing.quickly(connection);
      }
      throw new TargetUnavailable(
          "The JMS broker (%s) could not be reached to open channel %s (%s). Nothing was delivered; messages wait and it is tried again."
              .formatted(description(), context.channel(), e.getMessage()),
          e);
    }
  }

  @Override
  public String toString() {
    return description();
  }
}
