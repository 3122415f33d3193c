package dev.holdfast.spring.health;

import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.projection.FollowerState;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the relays and consumers of this process say of their health: it is down while one of the
 * relays is stopped, cannot reach its target or the database, or has another problem, and while a
 * partition is stopped that a consumer reads here, a consumer of a queue is not connected to its
 * broker, it runs workflows and has lost its lease, or something keeps it from following the event
 * log where it is to. A standby is well, and so is a channel that an operator has paused.
 * Immutable. Asks nobody, so it costs nothing.
 *
 * @param well whether all are
 * @param channels by channel: its phase, what it has delivered and parked in this process and, if
 *     there is one, its problem; by consumer: its partitions here and their lag, or where it
 *     receives from and what it has done with its messages; for workflows: which are run here; by
 *     projection or channel of events: at how many of its slots it is
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

  /** The same with these, each under its name behind a word that says what it is. */
  public OutboxHealth with(List<ConsumerState> consumers) {
    boolean all = well;
    Map<String, Map<String, Object>> details = new LinkedHashMap<>(channels);
    for (ConsumerState consumer : consumers) {
      Map<String, Object> said = new LinkedHashMap<>();
      said.put("partitions", consumer.partitions());
      said.put("lag", consumer.lag());
      if (!consumer.stopped().isEmpty()) {
        said.put("stopped", consumer.stopped());
      }
      details.put("consumer " + consumer.consumer(), said);
      all &= consumer.stopped().isEmpty();
    }
    return new OutboxHealth(all, details);
  }

  /**
   * The same with consumers of queues; it is down while one of them is not connected to its broker
   * at all, or waits since no more may be parked.
   */
  public OutboxHealth withListeners(List<ListenerState> listeners) {
    boolean all = well;
    Map<String, Map<String, Object>> details = new LinkedHashMap<>(channels);
    for (ListenerState listener : listeners) {
      ListenerStatus status = listener.status();
      Map<String, Object> said = new LinkedHashMap<>();
      said.put("source", listener.source());
      said.put("connected", status.connected());
      said.put("handled", status.handled());
      said.put("failed", status.failed());
      said.put("givenUp", status.givenUp());
      said.put("parked", status.parked());
      if (status.full()) {
        said.put("full", true);
      }
      details.put("consumer " + listener.consumer(), said);
      all &= status.connected() > 0 && !status.full();
    }
    return new OutboxHealth(all, details);
  }

  /** The same with what is said of workflows; it is down while this process has lost its lease. */
  public OutboxHealth with(WorkflowState workflows) {
    Map<String, Map<String, Object>> details = new LinkedHashMap<>(channels);
    details.put("workflows", Map.of("runs", workflows.runs(), "leased", workflows.leased()));
    return new OutboxHealth(well && workflows.leased(), details);
  }

  /**
   * The same with what is said of projections and of channels of events; it is down while something
   * keeps this process from going on with one of them.
   */
  public OutboxHealth withFollowers(List<FollowerState> followers) {
    boolean all = well;
    Map<String, Map<String, Object>> details = new LinkedHashMap<>(channels);
    for (FollowerState follower : followers) {
      Map<String, Object> said = new LinkedHashMap<>();
      said.put("slots", follower.slots());
      said.put("led", follower.led());
      if (follower.problem() != null) {
        said.put("problem", follower.problem());
      }
      details.put("projection " + follower.version(), said);
      all &= follower.problem() == null;
    }
    return new OutboxHealth(all, details);
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
