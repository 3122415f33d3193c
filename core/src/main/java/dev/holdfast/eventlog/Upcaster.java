package dev.holdfast.eventlog;

/**
 * Brings the data of an event from one schema version to the next. Thread-safe, without effects,
 * and always with the same result: it runs whenever such an event is read.
 */
@FunctionalInterface
public interface Upcaster {

  /**
   * Does so, or throws: then the event is not readable, and nobody passes over it.
   *
   * @param event as it was appended, or as the upcaster before has left it
   */
  Upcast upcast(RecordedEvent event);

  /**
   * What an event has become.
   *
   * @param type its type, which may have another name than before
   * @param data its body, of the next schema version
   */
  record Upcast(String type, byte[] data) {}
}
