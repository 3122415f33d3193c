package dev.holdfast.crashtest;

import java.time.Duration;

/**
 * A resource, asked directly: past the wrapper, the process and the lab's network. One is kept for
 * a whole exploration.
 */
interface Truth extends AutoCloseable {

  /** A run begins: what is there already is of no interest. */
  void begin();

  /** The resource may be another one now, or have lost what was seen of it. */
  void lookAnew();

  /** How long what was acknowledged may take to be seen here. */
  Duration delay();

  /** Ends what connects to the resource; the next question connects again. */
  @Override
  void close();

  /** The resources of one exploration, by the names under which they were wrapped. */
  interface Lookup {

    /**
     * Finds a resource.
     *
     * @param name its name; empty for the only one of this kind
     * @throws CrashLabException when it was not wrapped
     */
    <T extends Truth> T find(String name, Class<T> kind, String wanted);
  }
}
