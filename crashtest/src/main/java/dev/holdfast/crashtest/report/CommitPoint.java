package dev.holdfast.crashtest.report;

import dev.holdfast.crashtest.resource.Change;
import dev.holdfast.crashtest.resource.Role;
import dev.holdfast.crashtest.resource.Site;
import java.util.List;

/**
 * A commit-like event of a run. Two runs have the same point when phase, role and occurrence are
 * the same; the line may differ, as when a loop is entered elsewhere.
 *
 * @param phase what the process was doing
 * @param role who committed what, where
 * @param occurrence which of those with this role in this phase, from 1
 * @param site the line that committed
 * @param changes what took effect with it, and the lines that asked for it
 * @param deferred whether the client may have held it back after it had returned
 */
public record CommitPoint(
    Phase phase, Role role, int occurrence, Site site, List<Change> changes, boolean deferred) {
  public CommitPoint {
    changes = List.copyOf(changes);
  }

  public boolean isSameAs(CommitPoint other) {
    return phase == other.phase && occurrence == other.occurrence && role.equals(other.role);
  }

  /** Four characters by which a point is known again, though names may have other numbers. */
  public String digest() {
    String name =
        String.join("|", role.resource(), role.action(), role.detail(), role.thread())
            .replaceAll("[0-9]+", "#");
    int hash = name.hashCode() * 31 + occurrence;
    return "%04x".formatted((hash ^ (hash >>> 16)) & 0xffff);
  }

  /** For people: what, and the line. */
  @Override
  public String toString() {
    return role + (occurrence > 1 ? " #" + occurrence : "") + " at " + site;
  }
}
