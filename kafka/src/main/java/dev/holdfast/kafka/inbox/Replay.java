package dev.holdfast.kafka.inbox;

import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.ConsumerParking.Parked;
import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Handles again what is parked, where somebody has released it, in order and for a while. */
final class Replay {
  private static final Logger log = LoggerFactory.getLogger(Replay.class);

  private static final Duration LONGEST = Duration.ofSeconds(5);
  private static final int RECORDS = 100;

  private final String consumer;
  private final ConsumerParking parking;
  private final Effects effects;
  private final BooleanSupplier closing;
  private final Runnable handled;

  /**
   * @param handled told of each record that is handled
   */
  Replay(
      String consumer,
      ConsumerParking parking,
      Effects effects,
      BooleanSupplier closing,
      Runnable handled) {
    this.consumer = consumer;
    this.parking = parking;
    this.effects = effects;
    this.closing = closing;
    this.handled = handled;
  }

  void of(Reading reading) {
    if (reading.lanes.isEmpty()) {
      return;
    }
    long since = Doorbell.nanos();
    for (String lane : parking.releasing(consumer, reading.partition)) {
      boolean more = true;
      while (more && !Doorbell.hasPassed(LONGEST, since) && !closing.getAsBoolean()) {
        List<Parked> records = parking.first(consumer, reading.partition, lane, RECORDS);
        if (records.isEmpty()) {
          end(lane, reading);
        }
        more = !records.isEmpty() && handle(records, lane, reading);
      }
    }
  }

  /** Nothing is left of the lane, unless more came meanwhile; then the next time. */
  private void end(String lane, Reading reading) {
    if (effects.endParking(lane, reading)) {
      reading.lanes.remove(lane);
      log.info("consumer {}: {} of {} is parked no longer", consumer, lane, reading.at);
    }
  }

  /** Whether there may be more. */
  private boolean handle(List<Parked> records, String lane, Reading reading) {
    for (Parked record : records) {
      try {
        if (effects.replay(Item.of(record), reading)) {
          handled.run();
        }
      } catch (HandlerFailed e) {
        if (!e.isOutage()) {
          parking.keep(consumer, reading.partition, lane, record.offset(), e.reason());
          log.warn(
              "consumer {}: {} of {} stays parked, offset {} could not be handled",
              consumer,
              lane,
              reading.at,
              record.offset(),
              e.getCause());
        }
        return false;
      }
    }
    return true;
  }
}
