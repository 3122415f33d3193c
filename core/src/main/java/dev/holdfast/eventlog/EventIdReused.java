package dev.holdfast.eventlog;

import dev.holdfast.HoldfastException;
import java.util.UUID;

/**
 * The id of an event is there already, with another stream, type or body, or with only a part of
 * the events that it is appended with. Nothing was appended, and the transaction can go on.
 */
public final class EventIdReused extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private final UUID id;

  public EventIdReused(String message, UUID id) {
    super(message);
    this.id = id;
  }

  public UUID id() {
    return id;
  }
}
