package dev.holdfast.crashtest.resource;

/**
 * How what was made for one process is taken from it. After {@link #cut} nothing leaves the process
 * any more, after {@link #end} nothing of it is left; both return only when that is so, and neither
 * throws for what is broken or closed already.
 */
public interface Fence {

  /** Cuts the network, so that threads inside a client library cannot send what they hold. */
  void cut();

  /** Ends clients and physical connections, without any of the orderly farewells they know. */
  void end();

  /** Lets the network serve the next process. Called after every fence of this one has ended. */
  void reopen();

  /** The process stops in order, uncrashed: closes what its own code was not given to close. */
  void close();
}
