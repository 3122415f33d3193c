package dev.holdfast.outbox.store;

import java.util.List;

/**
 * A part of a window, in the order of position.
 *
 * @param records at most the limit asked for
 * @param start the cursor before the first record
 * @param end the cursor once all of it is delivered; between windows when this was the last page
 */
public record Page(List<OutboxRecord> records, Cursor start, Cursor end) {
  public boolean isEmpty() {
    return records.isEmpty();
  }

  /** Whether the window goes on after this page. */
  public boolean hasNext() {
    return end.insideWindow();
  }
}
