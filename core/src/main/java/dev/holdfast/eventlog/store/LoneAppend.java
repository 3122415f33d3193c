package dev.holdfast.eventlog.store;

import dev.holdfast.HoldfastException;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Appended;
import org.jspecify.annotations.Nullable;

/** An append that is a transaction of its own, and what has become of it. Not thread-safe. */
public final class LoneAppend {
  private final Append append;
  private final String operationId;
  private @Nullable Appended answer;
  private @Nullable HoldfastException refusal;

  public LoneAppend(Append append, String operationId) {
    this.append = append;
    this.operationId = operationId;
  }

  public Append append() {
    return append;
  }

  public String operationId() {
    return operationId;
  }

  /** It is in the log, and committed. */
  public void answer(Appended value) {
    answer = value;
  }

  /** It is not in the log, and why. */
  public void refuse(HoldfastException why) {
    refusal = why;
  }

  /**
   * {@code null} when it has no answer yet.
   *
   * @throws HoldfastException when it was refused
   */
  public @Nullable Appended answer() {
    if (refusal != null) {
      // Of whoever asks: it was made on a thread of another.
      refusal.fillInStackTrace();
      throw refusal;
    }
    return answer;
  }
}
