package dev.holdfast.spring.health;

import dev.holdfast.outbox.RelayStatus;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the relays of this process say of their health: it is down while one of them is stopped,
 * cannot reach its target or the database, or has another problem. A standby is well, and so is a
 * channel that an operator has paused. Immutable. Asks nobody, so it costs nothing.
 *
 * @param well whether all channels are
 * @param channels by channel: its phase, what it has delivered and parked in this process and, if
 *     there is one, its problem
 */
public record OutboxHealth(boolean well, Map<String, Map<String, Object>> channels) {

  public OutboxHealth {
    channels = Map.copyOf(channels);
  }

  /** Judges what {@code Holdfast.status()} says. */
  public static OutboxHealth of(List<RelayStatus> relays) {
    boolean well = true;
    Map<String, Map<String, Object>> channels = new LinkedHashMap<>();
    for (RelayStatus relay : relays) {
      Map<String, Object> details = new LinkedHashMap<>();
      details.put("phase", relay.phase().name());
      details.put("delivered", relay.delivered());
      details.put("parked", relay.parked());
      if (relay.problem() != null) {
        details.put("problem", relay.problem());
      }
      channels.put(relay.channel(), details);
      well &= isWell(relay);
    }
    return new OutboxHealth(well, channels);
  }

  private static boolean isWell(RelayStatus relay) {
    return switch (relay.phase()) {
      case STOPPED, BLOCKED -> false;
      // By an operator or by ourselves, and not by a failure.
      case PAUSED, CLOSED -> true;
      case STANDBY, TAKING_OVER, LEADING -> relay.problem() == null;
    };
  }
}
