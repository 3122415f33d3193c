package dev.holdfast.kafka.inbox;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidMessage;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.Transaction;
import dev.holdfast.TransactionBody;
import dev.holdfast.UnroutedTopic;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.inbox.FingerprintMismatch;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.ConsumerParking.Parked;
import dev.holdfast.inbox.store.InboxStore;
import dev.holdfast.inbox.store.OffsetStore;
import dev.holdfast.inbox.store.OffsetStore.Move;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.TopicPartition;

/**
 * The transactions of a consumer. Each begins by moving the offsets, which makes whoever believes
 * the same wait and then fail, and so comes to be committed by one of them.
 */
final class Effects {
  private final Holdfast holdfast;
  private final String consumer;
  private final KafkaInboxSettings settings;
  private final Handling handling;
  private final OffsetStore offsets;
  private final ConsumerParking parking;
  private final InboxStore ids;
  private boolean allHandled;

  Effects(Holdfast holdfast, String consumer, KafkaInboxSettings settings, Handling handling) {
    this.holdfast = holdfast;
    this.consumer = consumer;
    this.settings = settings;
    this.handling = handling;
    this.offsets = holdfast.store().offsets();
    this.parking = holdfast.store().consumerParking();
    this.ids = holdfast.store().inbox();
  }

  /** The consumer is not where this member believes. Nothing is committed. */
  static final class Overtaken extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Overtaken(String consumer) {
      super("somebody else has moved the offsets of " + consumer);
    }
  }

  /**
   * Handles records, in their order, and moves on behind them.
   *
   * @param confirm the last before the commit; what it throws rolls back
   * @throws HandlerFailed when one of them cannot be handled
   */
  void commit(List<Item> slice, Map<TopicPartition, Reading> readings, Runnable confirm) {
    judged(
        tx -> {
          move(tx, moves(slice, readings));
          List<Parked> held = new ArrayList<>();
          List<Integer> rest = new ArrayList<>();
          for (int i = 0; i < slice.size(); i++) {
            Reading reading = Objects.requireNonNull(readings.get(slice.get(i).at()));
            if (!reading.lanes.isEmpty() && reading.lanes.contains(slice.get(i).lane())) {
              held.add(slice.get(i).parked(reading.partition));
            } else {
              rest.add(i);
            }
          }
          handling.handle(tx, slice, receive(tx, slice, rest));
          parking.park(tx.connection(), consumer, held, Map.of());
          confirm.run();
        });
  }

  /**
   * Runs a transaction with handlers in it, and tells a record that cannot be handled from a
   * database that is out of reach.
   */
  private void judged(TransactionBody work) {
    handling.begin();
    try {
      holdfast.transact(
          tx -> {
            // Again, since what took long in a run that was rolled back has not ended this one.
            handling.begin();
            allHandled = false;
            work.run(tx);
            allHandled = true;
          });
    } catch (OutcomeUnknown e) {
      // The database ends a transaction that a handler leaves alone, and that is not an outage.
      if (!wasSilent() || !(e.resolve() instanceof Outcome.Rejected)) {
        throw e;
      }
      throw silent(e);
    } catch (DatabaseFailure e) {
      if (wasSilent()) {
        throw silent(e);
      }
      if ((!allHandled && !isLeftFailed(e)) || isRetryable(e)) {
        // Of Holdfast's own statements, or in the way of others.
        throw e;
      }
      // Found at the commit, such as a constraint that is checked there.
      throw new HandlerFailed(HandlerFailed.SOMEWHERE, false, e);
    } catch (InvalidMessage | UnroutedTopic e) {
      // Of what is published behind the handlers, in front of a framework's commit.
      throw allHandled ? new HandlerFailed(HandlerFailed.SOMEWHERE, false, e) : e;
    } catch (StoreUnavailable e) {
      // Met behind the handlers, by what is written in front of a framework's commit.
      throw wasSilent() ? silent(e) : e;
    } catch (HandlerFailed e) {
      throw e.isOutage() && wasSilent() ? silent(e) : e;
    }
  }

  /** Whether the database may have ended the last transaction since a handler left it alone. */
  private boolean wasSilent() {
    return handling.wasSilentFor(settings.handlerSilence());
  }

  private HandlerFailed silent(Exception cause) {
    return new HandlerFailed(
        handling.longestPlace(),
        false,
        new IllegalStateException(
            "the handler left its transaction alone for longer than "
                + settings.handlerSilence()
                + ", so the database ended it",
            cause));
  }

  /** Whether a handler has kept an error to itself, after which the database refuses everything. */
  private static boolean isLeftFailed(DatabaseFailure e) {
    return e.getCause() instanceof SQLException cause && "25P02".equals(cause.getSQLState());
  }

  private boolean isRetryable(DatabaseFailure e) {
    return e.getCause() instanceof SQLException cause
        && holdfast.store().writer().isRetryable(cause);
  }

  /** Parks a record, and moves on behind it. */
  void park(Item item, Reading reading, String reason) {
    holdfast.transact(
        tx -> {
          move(tx, moves(List.of(item), Map.of(item.at(), reading)));
          parking.park(
              tx.connection(),
              consumer,
              List.of(item.parked(reading.partition)),
              Map.of(item.lane(), reason));
        });
  }

  /** Moves on over what no reader sees. */
  void pass(Reading reading, long next) {
    holdfast.transact(
        tx -> move(tx, List.of(new Move(reading.partition, reading.next, next, null))));
  }

  /**
   * Handles a record that is parked, in the name of whoever reads its partition.
   *
   * @return whether it was still parked
   * @throws HandlerFailed when it cannot be handled
   */
  boolean replay(Item item, Reading reading) {
    AtomicBoolean removed = new AtomicBoolean();
    judged(
        tx -> {
          stay(tx, reading);
          removed.set(
              parking.remove(
                  tx.connection(), consumer, reading.partition, item.message().offset()));
          if (removed.get()) {
            List<Item> alone = List.of(item);
            handling.handle(tx, alone, receive(tx, alone, List.of(0)));
          }
        });
    return removed.get();
  }

  /** Ends the parking of a lane, if nothing of it is left. */
  boolean endParking(String lane, Reading reading) {
    return holdfast.transactReturning(
        tx -> {
          stay(tx, reading);
          return parking.end(tx.connection(), consumer, reading.partition, lane);
        });
  }

  private void stay(Transaction tx, Reading reading) throws SQLException {
    move(tx, List.of(new Move(reading.partition, reading.next, reading.next, null)));
  }

  private void move(Transaction tx, List<Move> moves) throws SQLException {
    if (!offsets.move(tx.connection(), consumer, moves, settings.handlerSilence())) {
      throw new Overtaken(consumer);
    }
  }

  private static List<Move> moves(List<Item> slice, Map<TopicPartition, Reading> readings) {
    Map<TopicPartition, Move> moves = new LinkedHashMap<>();
    for (Item item : slice) {
      Reading reading = Objects.requireNonNull(readings.get(item.at()));
      moves.put(
          item.at(), new Move(reading.partition, reading.next, item.next(), item.leaderEpoch()));
    }
    return List.copyOf(moves.values());
  }

  /** Those that have not been received before, where that is asked for. */
  private List<Integer> receive(Transaction tx, List<Item> slice, List<Integer> candidates)
      throws SQLException {
    if (settings.messageIds() == null || candidates.isEmpty()) {
      return candidates;
    }
    List<InboxStore.Arrival> arrivals = new ArrayList<>();
    for (int i : candidates) {
      try {
        Incoming incoming = slice.get(i).incoming();
        arrivals.add(
            new InboxStore.Arrival(
                incoming.id(), incoming.fingerprint(), slice.get(i).operation()));
      } catch (HoldfastException e) {
        throw new HandlerFailed(i, false, e);
      }
    }
    List<InboxStore.Known> known = ids.receiveAll(tx.connection(), consumer, arrivals);
    List<Integer> first = new ArrayList<>();
    for (int n = 0; n < known.size(); n++) {
      if (known.get(n).mismatch()) {
        throw new HandlerFailed(
            candidates.get(n),
            false,
            new FingerprintMismatch(
                "The consumer %s has handled another message under the id %s, so this one was not handled."
                    .formatted(consumer, arrivals.get(n).messageId())));
      }
      if (known.get(n).first()) {
        first.add(candidates.get(n));
      }
    }
    return first;
  }
}
