package dev.holdfast.eventlog.store;

import java.util.Set;

/**
 * A look at how far positions have come, and then at who may be about to commit one of them.
 *
 * @param last the highest position that was drawn
 * @param sessions transactions that hold the lock under which positions are drawn, by names that no
 *     two of them have at a time
 * @param prepared the same of prepared transactions that may have had another name before, among
 *     those of the sessions
 */
public record Mark(long last, Set<String> sessions, Set<String> prepared) {
  public Mark {
    sessions = Set.copyOf(sessions);
    prepared = Set.copyOf(prepared);
  }

  boolean isFree() {
    return sessions.isEmpty() && prepared.isEmpty();
  }
}
