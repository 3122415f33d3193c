package dev.holdfast.crashtest.resource;

/**
 * Who commits what, where: the part of a commit point's identity that is the same in every run.
 * Nothing in it counts or is random, so that heartbeats, batching and generated names do not move a
 * point.
 *
 * @param resource the name under which the resource was wrapped
 * @param action what is done there, such as {@code commit} or {@code send}
 * @param detail the statements, without their values, or the topic
 * @param thread {@link #CALLER}, or the name of another thread without its numbers
 */
public record Role(String resource, String action, String detail, String thread) {

  /** The thread that the operation was called on. */
  public static final String CALLER = "caller";

  /** Whether it happens on the operation's own thread, hence in the same order in every run. */
  public boolean byCaller() {
    return thread.equals(CALLER);
  }

  /** For people, and short. */
  @Override
  public String toString() {
    String what = detail.isEmpty() ? action : action + " (" + detail + ")";
    return resource + ": " + what + (byCaller() ? "" : " on " + thread);
  }
}
