package dev.holdfast.crashtest.resource;

import java.util.List;

/**
 * A commit-like event, as a wrapper reports it: something becomes durable, or visible to others.
 *
 * @param resource the name under which the resource was wrapped
 * @param action what is done there, such as {@code commit} or {@code send}
 * @param detail the statements, without their values, or the topic
 * @param changes what takes effect with it, in order
 * @param deferred whether the client may hold it back for a while after it has returned
 */
public record Commit(
    String resource, String action, String detail, List<Change> changes, boolean deferred) {
  public Commit {
    changes = List.copyOf(changes);
  }

  /** A commit that is over when it returns. */
  public Commit(String resource, String action, String detail, List<Change> changes) {
    this(resource, action, detail, changes, false);
  }
}
