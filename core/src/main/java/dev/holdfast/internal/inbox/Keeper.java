package dev.holdfast.internal.inbox;

import dev.holdfast.inbox.store.ConsumerParking.Header;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the messages of a kind of broker are kept in the database while they are parked. Thread-safe.
 *
 * @param <M> a message as the broker's client has it
 */
public interface Keeper<M> {

  /** The kind of broker, by which queues of one name are told apart. Never to be changed. */
  String kind();

  /** What operators call the queue. Never to be changed. */
  String queue();

  /** How many messages of the consumer may be parked. */
  int maxParked();

  /** How often a handler may fail before its message is parked. */
  int attempts();

  /** Whose order is kept; {@code null} for a message that has no key. */
  @Nullable String key(M message) throws Exception;

  /**
   * The message as it is kept.
   *
   * @throws dev.holdfast.InvalidMessage when it cannot be, with the reason
   */
  Kept keep(M message) throws Exception;

  /**
   * Begins to make messages of what is kept.
   *
   * @throws Exception when the broker is needed for that and cannot be reached; it is tried again
   */
  Rebuilding<M> open() throws Exception;

  /**
   * What is kept of a message.
   *
   * @param createdMs its timestamp, milliseconds since 1970; 0 when it has none
   */
  record Kept(long createdMs, byte @Nullable [] body, List<Header> headers) {}

  /** Makes messages of what is kept. One thread's. */
  interface Rebuilding<M> extends AutoCloseable {

    M rebuild(Kept kept) throws Exception;

    @Override
    void close();
  }
}
