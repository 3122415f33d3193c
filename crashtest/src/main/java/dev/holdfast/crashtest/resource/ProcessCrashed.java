package dev.holdfast.crashtest.resource;

/**
 * Ends a thread of a process that the lab has crashed. An error, so that the least code catches it;
 * code that does catch it and goes on meets it again at its next use of a resource.
 */
public final class ProcessCrashed extends Error {
  private static final long serialVersionUID = 1L;

  public ProcessCrashed(String point) {
    super(
        "The lab has crashed this process "
            + point
            + ". Whatever it still does through its resources has no effect.",
        null,
        false,
        // Where it was thrown says nothing, and threads without a handler print it.
        false);
  }
}
