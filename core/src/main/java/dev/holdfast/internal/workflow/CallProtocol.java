package dev.holdfast.internal.workflow;

/**
 * What follows from what is known of a call. Pure: the same for a run that goes on and for one that
 * was taken over in the middle of the call.
 */
public final class CallProtocol {

  /** What has become known. */
  public enum Event {
    /** The call returned. */
    RETURNED,
    /** It is certain that no attempt had or will have an effect. */
    REFUSED,
    /** Anything else: an exception, a timeout, an intent without a result. */
    LOST,
    /** The lookup has seen the effect. */
    HAPPENED,
    /** The lookup knows that there will be none. */
    WILL_NOT_HAPPEN,
    /** The lookup has not seen it. */
    NOT_SEEN,
    /** The lookup failed. */
    NO_ANSWER
  }

  /** What is done next. */
  public enum Next {
    /** The step has its value. */
    RESULT,
    /** The step has had no effect. */
    REJECTED,
    /** The step is given up, and what it may have done is undone. */
    UNKNOWN,
    /** Another attempt, after a wait. */
    CALL,
    /** The lookup is asked, the first time at once. */
    ASK,
    /** A person has to say. */
    STICK
  }

  /**
   * What the event is judged by.
   *
   * @param attempts how often it was called, this one included
   * @param settled whether an effect that is not seen by now is not coming any more
   * @param keyKept whether the other side still keeps the key of the first attempt
   */
  public record Situation(int attempts, boolean settled, boolean keyKept) {}

  private CallProtocol() {}

  public static Next decide(Policy policy, Event event, Situation now) {
    return switch (event) {
      case RETURNED, HAPPENED -> Next.RESULT;
      case REFUSED -> Next.REJECTED;
      case LOST -> policy.hasLookup() ? Next.ASK : repeatOrGiveUp(policy, now);
      case WILL_NOT_HAPPEN -> attemptOrReject(policy, now);
      case NOT_SEEN -> {
        if (now.settled()) {
          yield attemptOrReject(policy, now);
        }
        yield mayRepeat(policy, now) ? Next.CALL : Next.ASK;
      }
      case NO_ANSWER -> Next.ASK;
    };
  }

  /** Nothing has happened, and it may be tried again. */
  private static Next attemptOrReject(Policy policy, Situation now) {
    return now.attempts() >= policy.retry().attempts() ? Next.REJECTED : Next.CALL;
  }

  /** Something may have happened, and nobody can be asked. */
  private static Next repeatOrGiveUp(Policy policy, Situation now) {
    if (mayRepeat(policy, now)) {
      return Next.CALL;
    }
    if (policy.parksUnknown()) {
      return Next.STICK;
    }
    return policy.compensates() ? Next.UNKNOWN : Next.STICK;
  }

  /** Under the same key, which is answered and not executed. */
  private static boolean mayRepeat(Policy policy, Situation now) {
    return policy.keyKeptFor() != null
        && now.keyKept()
        && now.attempts() < policy.retry().attempts();
  }
}
