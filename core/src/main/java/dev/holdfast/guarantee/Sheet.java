package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A guarantee's clauses while they are written down, and what they assume. */
final class Sheet {
  private final List<Clause> clauses = new ArrayList<>();
  private Boundary where;

  Sheet(Boundary where) {
    this.where = where;
  }

  void at(Boundary boundary) {
    where = boundary;
  }

  void promise(String id, Aspect aspect, String text, List<Assumption> assumes) {
    clauses.add(new Clause(id, aspect, where.kind(), text, assumes));
  }

  List<Clause> clauses() {
    return List.copyOf(clauses);
  }

  static void requireTransactions(Boundary store) {
    if (!has(store, LOCAL_TRANSACTION)) {
      throw new IllegalArgumentException(
          "%s has no local transactions, so nothing can be recorded there together with a change."
              .formatted(store.kind()));
    }
  }

  static boolean has(Boundary boundary, Capability capability) {
    return boundary.capabilities().contains(capability);
  }

  static List<Assumption> acknowledgment(Boundary boundary) {
    return boundary.assumptions().stream().filter(each -> each.of() == null).toList();
  }

  static List<Assumption> assumptions(Boundary boundary, Capability capability) {
    return has(boundary, capability)
        ? boundary.assumptions().stream().filter(each -> each.of() == capability).toList()
        : List.of();
  }

  /** Each once. */
  static List<Assumption> both(List<Assumption> some, List<Assumption> others) {
    Set<Assumption> all = new LinkedHashSet<>(some);
    all.addAll(others);
    return List.copyOf(all);
  }
}
