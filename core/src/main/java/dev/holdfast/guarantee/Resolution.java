package dev.holdfast.guarantee;

/**
 * The known ways to bring effects together that commit apart. The order of the constants decides
 * between two of equal {@linkplain Cost cost}: first the one that leaves the boundaries apart for
 * less time, then the one for which less of a program has to change.
 */
public enum Resolution {
  LOCAL_TRANSACTION(
      "local transaction", "nothing: the effects are one commit", "nobody has to", true),
  /** Or an idempotent receiver: whoever receives tells a repeat from a first attempt. */
  INBOX("inbox", "the sender's retry", "redelivery by the sender", true),
  OUTBOX("outbox", "a message row, with the first effect", "the relay", true),
  EVENT_SOURCING(
      "event sourcing", "the event, which is the first effect", "projections and reactions", true),
  /** Hold, then confirm or cancel. */
  RESERVATION(
      "reservation",
      "which holds to confirm, with the first effect",
      "whoever confirms or cancels holds; time, where nobody does",
      false),
  TWO_PHASE_COMMIT(
      "two-phase commit", "a decision row, with the first effect", "any recoverer", true),
  /** Durable execution, and the saga whose steps are undone by compensation. */
  WORKFLOW(
      "workflow", "each step's intent and result in the journal", "the workflow executor", true),
  RECONCILIATION("reconciliation", "nothing", "a periodic comparison", true);

  private final String title;
  private final String records;
  private final String discharger;
  private final boolean carriedOut;

  Resolution(String title, String records, String discharger, boolean carriedOut) {
    this.title = title;
    this.records = records;
    this.discharger = discharger;
    this.carriedOut = carriedOut;
  }

  /** What it is called, for people. */
  public String title() {
    return title;
  }

  /** What is recorded inside the first effect's commit. */
  public String records() {
    return records;
  }

  /** Who sees the recorded responsibility through after a crash. */
  public String discharger() {
    return discharger;
  }

  /**
   * Whether this version of Holdfast carries it out, rather than only knowing of it. An outbox
   * carried out still needs a {@link dev.holdfast.outbox.Target} for the boundary in question, and
   * an inbox something that fetches messages and acknowledges them.
   */
  public boolean carriedOut() {
    return carriedOut;
  }
}
