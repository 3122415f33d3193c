package dev.holdfast.guarantee;

import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One way to lay an operation out: which of its commits holds the record, and which have to follow.
 *
 * @param source where the message comes from with which the operation begins
 * @param units the boundary of each commit, in the order of the effects: one for all effects at a
 *     boundary that commits them together, else one for each
 * @param recorder the unit that holds the record; empty for a journal in a database of its own
 * @param others the units that commit apart from the record
 */
record Layout(
    Optional<Boundary> source,
    List<Boundary> units,
    Optional<Boundary> recorder,
    List<Boundary> others,
    Needs needs) {

  /** Every way there is; those that record with an effect come first. */
  static List<Layout> of(Optional<Boundary> source, List<Boundary> effects, Needs needs) {
    List<Boundary> units = new ArrayList<>();
    for (Boundary effect : effects) {
      if (!commitsTogether(effect) || units.stream().noneMatch(unit -> same(unit, effect))) {
        units.add(effect);
      }
    }
    List<Layout> layouts = new ArrayList<>();
    for (Boundary unit : units) {
      if (keepsRecords(unit)) {
        List<Boundary> others = units.stream().filter(each -> !same(each, unit)).toList();
        layouts.add(new Layout(source, units, Optional.of(unit), others, needs));
      }
    }
    layouts.add(new Layout(source, units, Optional.empty(), units, needs));
    return layouts;
  }

  /** Whether the operation begins with a message that commits apart from the record. */
  boolean consumes() {
    return source.isPresent() && (recorder.isEmpty() || !same(source.get(), recorder.get()));
  }

  /** Whether there is nothing to bring together. */
  boolean isOneTransaction() {
    return units.size() == 1 && commitsTogether(units.get(0)) && !sourceIsApart();
  }

  /** Whether the message's acknowledgment cannot be part of the one effect's commit. */
  boolean sourceIsApart() {
    Boundary unit = units.get(0);
    return source.isPresent() && !(same(source.get(), unit) && commitsTogether(unit));
  }

  static boolean has(Boundary boundary, Capability capability) {
    return boundary.capabilities().contains(capability);
  }

  /** Where the sender's progress can be committed with the effects, effects can with each other. */
  private static boolean commitsTogether(Boundary boundary) {
    return has(boundary, Capability.LOCAL_TRANSACTION) || has(boundary, Capability.PROGRESS_MARK);
  }

  /** What is committed with an effect is of use only if it can be found again. */
  static boolean keepsRecords(Boundary boundary) {
    return has(boundary, Capability.LOCAL_TRANSACTION) && has(boundary, Capability.LOOKUP);
  }

  /**
   * A transaction that holds the position applied, or the version a write replaces, refuses what
   * comes late, too; one that is prepared keeps its rows locked until it is decided. A queue alone
   * does neither: its branches may be committed in another order than they were decided.
   */
  static boolean keepsOrder(Boundary boundary) {
    return has(boundary, Capability.ORDER_PER_KEY)
        || has(boundary, Capability.EXPECTED_VERSION)
        || keepsRecords(boundary);
  }

  /** What a source offers: whoever reads its rows can read them in the order of their keys. */
  static boolean deliversInOrder(Boundary source) {
    return has(source, Capability.ORDER_PER_KEY) || keepsRecords(source);
  }

  private static boolean same(Boundary one, Boundary other) {
    return one.description().equals(other.description());
  }
}
