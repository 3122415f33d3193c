package dev.holdfast.crashtest.resource;

import java.util.List;

/**
 * A commit-like event, as a wrapper reports it: something becomes durable, or visible to others.
 *
 * @param resource the name under which the resource was wrapped
 * @param action what is done there, such as {@code commit} or {@code send}
 * @param detail the statements, without their values, or the topic
 * @param changes what takes effect with it, in order
 */
public record Commit(String resource, String action, String detail, List<Change> changes) {
  public Commit {
    changes = List.copyOf(changes);
  }
}
