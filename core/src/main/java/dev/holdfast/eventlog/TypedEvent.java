package dev.holdfast.eventlog;

/** An event as {@link EventTypes} reads it. */
public sealed interface TypedEvent {

  /** As it was appended. */
  RecordedEvent event();

  /**
   * Of a type that is known.
   *
   * @param value what it says, in the schema of today
   */
  record Known(RecordedEvent event, Object value) implements TypedEvent {}

  /**
   * Of a type that nobody has named here: of another part of the application, or of a later version
   * of it. Who reads decides whether it matters.
   */
  record UnknownType(RecordedEvent event) implements TypedEvent {}

  /**
   * For whoever has to know all types.
   *
   * @return what it says
   * @throws UnreadableEvent when its type is not known
   */
  default Object orThrow() {
    if (this instanceof Known known) {
      return known.value();
    }
    throw new UnreadableEvent(
        event(),
        "nobody has named its type. Name it with type(), or run the version that appended it",
        null);
  }
}
