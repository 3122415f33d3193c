package dev.holdfast.internal.inbox;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Transaction;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.TryAgainLater;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.ConsumerParking.Header;
import dev.holdfast.inbox.store.ConsumerParking.Held;
import dev.holdfast.inbox.store.ConsumerParking.Parked;
import dev.holdfast.inbox.store.OffsetStore;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import dev.holdfast.internal.Doorbell;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a queue's listeners have parked, of one consumer. Thread-safe.
 *
 * <p>Invariant: a message is handled only in a transaction that has locked its lane and found it
 * free, or has locked it alone and removed the message as the first of it. So of a lane that is
 * parked nothing is handled but its first message, by whomever. The id of a message is recorded
 * before its lane is locked, always in this order, and no transaction locks two lanes.
 */
final class BrokerParking<M> {
  /** By which {@code holdfast operation} finds what is parked. */
  private static final String OPERATION = "ce_operationid";

  /** By the session's {@code lock_timeout}, and its {@code statement_timeout}. */
  private static final Set<String> TOO_LONG = Set.of("55P03", "57014");

  private static final Duration LONGEST_UNSEEN = Duration.ofSeconds(2);

  private final Broker<M> broker;
  private final Keeper<M> keeper;
  private final String consumer;
  private final Partition queue;
  private final ConsumerParking store;
  private final OffsetStore consumers;
  private volatile boolean paused;
  private volatile long looked;

  private BrokerParking(Broker<M> broker, Keeper<M> keeper, Inbox inbox) {
    this.broker = broker;
    this.keeper = keeper;
    this.consumer = inbox.consumer();
    this.queue = Partition.ofQueue(keeper.kind(), keeper.queue());
    this.store = inbox.holdfast().store().consumerParking();
    this.consumers = inbox.holdfast().store().offsets();
  }

  /**
   * Makes the consumer and its queue known, for operators.
   *
   * @throws InvalidConfiguration when the consumer reads something else of that name
   */
  static <M> BrokerParking<M> begin(Broker<M> broker, Keeper<M> keeper, Inbox inbox) {
    BrokerParking<M> parking = new BrokerParking<>(broker, keeper, inbox);
    Partition queue = parking.queue;
    parking.consumers.register(parking.consumer);
    parking.consumers.begin(parking.consumer, queue.topic(), queue.topicId(), Map.of(0, 0L));
    boolean ours =
        parking.consumers.positions(parking.consumer).stream()
            .anyMatch(each -> each.partition().equals(queue));
    if (!ours) {
      throw new InvalidConfiguration(
          "The consumer %s receives from something else that is called %s, so what is parked of the two could not be told apart. Nothing was started. Use an inbox of another name."
              .formatted(parking.consumer, queue.topic()));
    }
    parking.look();
    return parking;
  }

  /** Thrown by a handler's transaction that has found its message's lane parked. */
  static final class Behind extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Behind(String lane) {
      super("others are parked of " + lane, null, false, false);
    }
  }

  /** Thrown by a replay's transaction that has come too late. */
  static final class Overtaken extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Overtaken(String lane) {
      super("somebody else goes on with " + lane, null, false, false);
    }
  }

  String consumer() {
    return consumer;
  }

  int maxParked() {
    return keeper.maxParked();
  }

  int attempts() {
    return keeper.attempts();
  }

  Slot slot(M message) throws Exception {
    return Slot.of(broker, keeper, message);
  }

  /**
   * Whether an operator has paused the consumer, as of a moment ago: usually the replay has just
   * looked, but for while its handler runs.
   */
  boolean isPaused() {
    return Doorbell.hasPassed(LONGEST_UNSEEN, looked) ? look() : paused;
  }

  /** Looks whether it is. */
  boolean look() {
    // Before, so that one thread at a time looks.
    looked = Doorbell.nanos();
    paused = consumers.pausedBecause(consumer).isPresent();
    return paused;
  }

  /**
   * In the transaction that is going to handle a message.
   *
   * @throws Behind when it has to be parked instead
   */
  void pass(Transaction tx, Slot slot) throws SQLException {
    if (lock(tx, slot.lane(), false)) {
      throw new Behind(slot.lane());
    }
  }

  /**
   * Parks a message, in a transaction of its own.
   *
   * @param reason {@code null} for one that comes behind others
   * @throws dev.holdfast.InvalidMessage when it cannot be kept
   */
  Held park(M message, Slot slot, @Nullable Throwable reason) throws Exception {
    Keeper.Kept kept = keeper.keep(message);
    List<Header> headers = new ArrayList<>(kept.headers());
    Incoming incoming = slot.incoming();
    if (incoming != null && incoming.operationId() != null) {
      headers.add(new Header(OPERATION, incoming.operationId().getBytes(StandardCharsets.UTF_8)));
    }
    return store.hold(
        consumer,
        new Parked(
            queue, 0, slot.lane(), null, kept.createdMs(), slot.identity(), kept.body(), headers),
        reason == null ? null : text(reason),
        keeper.maxParked());
  }

  Keeper.Rebuilding<M> open() throws Exception {
    return keeper.open();
  }

  List<String> releasing() {
    return store.releasing(consumer, queue);
  }

  Optional<Parked> first(String lane) {
    return store.first(consumer, queue, lane, 1).stream().findFirst();
  }

  /**
   * In the transaction that handles a parked message, in front of it.
   *
   * @throws Overtaken when it is not there any more, or not to be handled
   */
  void take(Transaction tx, Parked message) throws SQLException {
    lock(tx, message.lane(), true);
    if (!store.take(tx.connection(), consumer, queue, message.lane(), message.offset())) {
      throw new Overtaken(message.lane());
    }
  }

  /** A message is not to blame for how long another one of its key takes. */
  private boolean lock(Transaction tx, String lane, boolean alone) throws SQLException {
    try {
      return store.lock(tx.connection(), consumer, queue, lane, alone);
    } catch (SQLException e) {
      if (TOO_LONG.contains(String.valueOf(e.getSQLState()))) {
        throw new TryAgainLater("others of " + lane + " are being handled, for long", e);
      }
      throw e;
    }
  }

  /** Ends a lane of which nothing is left; before that removes what was handled before. */
  boolean settle(String lane, @Nullable Parked known) {
    return store.settle(consumer, queue, lane, known == null ? null : known.offset());
  }

  /** The lane's first message could not be handled again. */
  void keep(Parked first, Throwable reason) {
    store.keep(consumer, queue, first.lane(), first.offset(), text(reason));
  }

  /** For people, not longer than they read, and without what a database does not store. */
  private static String text(Throwable reason) {
    String text = reason.toString().replace('\0', '\uFFFD');
    return text.length() <= 1_000 ? text : text.substring(0, 1_000) + " ...";
  }
}
