package dev.holdfast.crashtest.resource;

/**
 * One process under test, as the resources that were made for it see it. The interface for
 * resources that the lab does not know: wrap the client, call {@link #check} in every method that
 * reaches the resource, {@link #commit} in those that commit, and register a {@link Fence}.
 *
 * <p>Safe for use by several threads.
 */
public interface Hook {

  /**
   * Returns when the process is alive.
   *
   * @throws ProcessCrashed when it has crashed
   */
  void check();

  /** Whether the process has crashed. */
  boolean isCrashed();

  /**
   * Lets a commit-like event happen, or crashes the process before or after it.
   *
   * @throws ProcessCrashed when the process has crashed, here or before
   */
  <T, E extends Exception> T commit(Commit commit, CommitAction<T, E> action) throws E;

  /**
   * Registers what takes a resource from the process. When the process has crashed already, the
   * fence is applied before this returns.
   */
  void fence(Fence fence);

  /** Whether answers may have to be lost in this process, hence the network should be a relay. */
  boolean losesAnswers();
}
