package dev.holdfast.guarantee;

import static dev.holdfast.guarantee.Sheet.acknowledgment;

import dev.holdfast.boundary.Boundary;
import java.util.List;

/** Two places whose rows ought to agree, compared and repaired. */
final class ReconciliationGuarantee {
  private ReconciliationGuarantee() {}

  static Guarantee of(Boundary source, Boundary derived) {
    Sheet sheet = new Sheet(derived);
    sheet.promise(
        "reconcile.found",
        Aspect.RECOVERY,
        "What is missing, extra or stale in the derived side for longer than the settle window is found by a run that goes through.",
        List.of());
    sheet.promise(
        "reconcile.no-alarm",
        Aspect.VISIBILITY,
        "What is under way is no finding: a difference counts when it is seen twice, a settle window apart, and what is seen then has not changed.",
        List.of());
    sheet.promise(
        "reconcile.nothing-newer",
        Aspect.ATOMICITY,
        "A repair expects what was seen, and where the derived side has something else by then it changes nothing. What was refused holds up no other repair.",
        acknowledgment(derived));
    sheet.promise(
        "reconcile.asked",
        Aspect.ANSWER,
        "Nothing is repaired unless asked for, and no more than the bound; a run says what it found, what it repaired, and how old the drift is.",
        List.of());
    return new Guarantee(
        "reconciliation of %s with %s".formatted(source.kind(), derived.kind()),
        List.of(source, derived),
        Resolution.RECONCILIATION,
        "every protocol that would have recorded what has to follow",
        List.of(
            "Simultaneity: what was lost is missing until the next run has found and repaired it.",
            "History: what is repaired is the last state; what was in between is not told to anybody.",
            "Absence: a receiver of messages, which keeps no state to be compared, cannot be reconciled."),
        sheet.clauses(),
        List.of(
            "A drift that comes and goes between two runs is not seen.",
            "Where the source itself is wrong the repair copies that.",
            "What is not compared, a column or a type that was left out, may differ."));
  }
}
