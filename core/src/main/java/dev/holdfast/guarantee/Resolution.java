package dev.holdfast.guarantee;

/** The known ways to bring effects together that commit apart, cheapest first. */
public enum Resolution {
  LOCAL_TRANSACTION("nothing: the effects are one commit", "nobody has to", true),
  INBOX("the sender's retry", "redelivery", false),
  OUTBOX("a message row, with the first effect", "the relay", true),
  TWO_PHASE_COMMIT("a decision row, with the first effect", "any recoverer", false),
  WORKFLOW("each step's intent and result in the journal", "the workflow executor", false),
  RECONCILIATION("nothing", "a periodic comparison", false);

  private final String records;
  private final String discharger;
  private final boolean carriedOut;

  Resolution(String records, String discharger, boolean carriedOut) {
    this.records = records;
    this.discharger = discharger;
    this.carriedOut = carriedOut;
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
   * carried out still needs a {@link dev.holdfast.outbox.Target} for the boundary in question.
   */
  public boolean carriedOut() {
    return carriedOut;
  }
}
