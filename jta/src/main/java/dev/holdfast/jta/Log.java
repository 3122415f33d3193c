package dev.holdfast.jta;

import com.arjuna.ats.arjuna.common.ObjectStoreEnvironmentBean;

/** Where the coordinator writes its decisions, held against everybody else. */
interface Log extends AutoCloseable {
  /** Tells Narayana. */
  void configure(ObjectStoreEnvironmentBean store);

  /** Equal for the same place. */
  Object place();

  /**
   * Whether it is still ours alone. Where it can be lost, another process may already recover what
   * this one has begun.
   */
  boolean isHeld();

  /** Lets others have it. */
  @Override
  void close();
}
