package dev.holdfast.benchmarks;

/** An engine in one run: {@link #run} by as many threads at once as there are in flight. */
interface WorkflowEntry extends AutoCloseable {
  /** Starts the workflow of that number under an id of its own, and returns its result. */
  String run(long number) throws Exception;

  /** Stops the engine and closes every connection. */
  @Override
  void close() throws Exception;
}
