package dev.holdfast.postgres.reconcile;

import dev.holdfast.reconcile.Entry;

/**
 * A row with its content.
 *
 * @param entry what it is compared by
 * @param json the columns that were asked for, as one JSON object
 */
public record PostgresRow(Entry entry, String json) {
  /** Without the content. */
  @Override
  public String toString() {
    return "row " + entry.key();
  }
}
