package dev.holdfast.outbox;

import dev.holdfast.Message;
import dev.holdfast.outbox.store.OutboxRecord;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Learns what the outbox does in this process, for meters, traces and logs. It changes nothing of
 * what is promised: what it throws is logged and dropped.
 *
 * <p>It is called on the threads that do the work, publishers' and relays' at once, so it must be
 * thread-safe and quick, and must not call the database or the target.
 */
public interface OutboxListener {

  /**
   * A message is being published, on the publisher's thread and within whatever context that has. A
   * message that is published in a transaction that is run again is met again.
   *
   * @return what is recorded instead: the same, or the same with more headers. Anything with
   *     another id, topic, key or payload is not recorded; the original is
   */
  Message publishing(Message message);

  /**
   * Messages have been written, in a transaction that is committed ({@code transact}) or that the
   * caller may still roll back.
   */
  void recorded(String operationId, List<Message> messages);

  /**
   * A relay hands messages over to the channel's target.
   *
   * @param messages at least one, in order; not to be kept
   */
  Sending sending(String channel, List<OutboxRecord> messages);

  /** Messages on their way. */
  interface Sending {
    /** Nothing to do. */
    Sending IGNORED = delivery -> {};

    /**
     * What became of them. Called once, unless the process dies.
     *
     * @param delivery {@link Delivery.Unavailable} also when the target threw something
     */
    void ended(Delivery delivery);
  }

  /**
   * What a channel's relay does in this process has changed.
   *
   * @param problem what keeps it from working, for people; {@code null} when nothing does
   */
  void phase(String channel, RelayPhase from, RelayPhase to, @Nullable String problem);

  /**
   * One that calls these in order, for whom the last {@link #publishing} wins, and which never
   * throws. Without any, it does nothing.
   */
  static OutboxListener all(List<OutboxListener> listeners) {
    return new GuardedListeners(listeners);
  }
}
