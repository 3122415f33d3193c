package dev.holdfast.workflow;

/**
 * What a lookup found. That nothing is seen yet is an answer of its own: a call may still be on its
 * way.
 *
 * @param <T> the type of the call's result
 */
public sealed interface Seen<T> {

  /** The call had its effect. */
  record Happened<T>(T result) implements Seen<T> {}

  /**
   * It had none and will have none, because whoever was called says so or has revoked the key.
   *
   * @param reason for people
   */
  record WillNotHappen<T>(String reason) implements Seen<T> {}

  /** Nothing is known of it. */
  record NotSeenYet<T>() implements Seen<T> {}

  static <T> Seen<T> happened(T result) {
    return new Happened<>(result);
  }

  static <T> Seen<T> willNotHappen(String reason) {
    return new WillNotHappen<>(reason);
  }

  static <T> Seen<T> notYet() {
    return new NotSeenYet<>();
  }
}
