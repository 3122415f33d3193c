package dev.holdfast.guarantee;

import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/** Why a resolution does not apply to one layout of an operation. */
final class Exclusions {
  private final Layout layout;
  private final List<String> reasons = new ArrayList<>();

  private Exclusions(Layout layout) {
    this.layout = layout;
  }

  /** Empty when it applies. */
  static List<String> of(Resolution resolution, Layout layout) {
    Exclusions exclusions = new Exclusions(layout);
    if (resolution != Resolution.LOCAL_TRANSACTION && layout.isOneTransaction()) {
      return List.of("one transaction at " + layout.units().get(0).description() + " holds it all");
    }
    exclusions.collect(resolution);
    return exclusions.reasons;
  }

  private void collect(Resolution resolution) {
    switch (resolution) {
      case LOCAL_TRANSACTION -> localTransaction();
      case INBOX -> inbox();
      case OUTBOX -> outbox(Resolution.OUTBOX);
      case EVENT_SOURCING -> {
        outbox(Resolution.EVENT_SOURCING);
        layout.recorder().stream()
            .filter(recorder -> !Layout.has(recorder, Capability.EXPECTED_VERSION))
            .forEach(
                recorder ->
                    reasons.add(
                        recorder.description()
                            + " cannot append on condition of the version before"));
      }
      case RESERVATION -> reservation();
      case TWO_PHASE_COMMIT -> {
        recorded();
        lacking(layout.others(), Capability.PREPARE, "cannot prepare a commit");
        lasting(Resolution.TWO_PHASE_COMMIT, Capability.PREPARE, "a prepared commit");
        order(layout.others());
        unless(Need.AVAILABLE, "every boundary has to be there before the caller is answered");
      }
      case WORKFLOW -> workflow();
      case RECONCILIATION -> {
        recorded();
        later();
        unless(Need.ORDER, "a comparison finds differences in any order");
        lacking(layout.others(), Capability.LOOKUP, "cannot be asked what it holds");
        lacking(
            layout.others(),
            Capability.EXPECTED_VERSION,
            "cannot be repaired on condition of a version");
        duplicates(Resolution.RECONCILIATION, layout.others());
      }
    }
  }

  private void localTransaction() {
    List<Boundary> units = layout.units();
    if (units.size() > 1) {
      reasons.add("the effects commit apart: " + names(units));
      return;
    }
    if (layout.sourceIsApart()) {
      reasons.add(
          "the message from %s and the effect at %s commit apart"
              .formatted(layout.source().orElseThrow().description(), names(units)));
    } else if (!layout.isOneTransaction()) {
      // One effect that has no transaction: its reply can be lost all the same.
      duplicates(Resolution.LOCAL_TRANSACTION, units);
    }
  }

  private void inbox() {
    List<Boundary> units = layout.units();
    if (layout.source().isEmpty()) {
      reasons.add("the operation does not begin with a message that its sender would repeat");
      return;
    }
    duplicates(Resolution.INBOX, units);
    deliveredInOrder();
    order(units);
    if (units.size() > 1) {
      unless(Need.REPLY, "redelivery repeats every effect and undoes none");
      unless(Need.AVAILABLE, "the message is acknowledged only after " + names(units));
    }
  }

  private void outbox(Resolution resolution) {
    recorded();
    later();
    duplicates(resolution, layout.others());
    order(layout.others());
  }

  private void reservation() {
    recorded();
    unless(Need.NOW, "holds are confirmed after the answer");
    unless(Need.ORDER, "holds of one key do not wait for one another");
    unless(Need.AVAILABLE, "holds are placed before the caller is answered");
    lacking(layout.others(), Capability.RESERVATION, "cannot hold an effect");
    lasting(Resolution.RESERVATION, Capability.RESERVATION, "a hold");
  }

  /** What is given up after a time must not be given up before whoever decides is back. */
  private void lasting(Resolution resolution, Capability capability, String what) {
    Optional<Duration> outage = layout.needs().outage();
    for (Boundary other : layout.others()) {
      if (Layout.has(other, capability)
          && !Absorption.of(resolution, other, outage).covers(outage)) {
        reasons.add(
            "%s at %s lasts %s%s"
                .formatted(
                    what,
                    other.description(),
                    Times.of(other.window(capability)),
                    outage.map(time -> ", and an outage may last " + Times.of(time)).orElse("")));
      }
    }
  }

  private void workflow() {
    if (layout.others().isEmpty()) {
      nothingFollows();
    }
    unless(Need.NOW, "steps are taken one after another, and a crash puts them off");
    unless(Need.ORDER, "two workflows of one key do not wait for each other");
    duplicates(Resolution.WORKFLOW, layout.others());
    List<Boundary> done =
        layout.others().stream()
            .filter(other -> !Layout.has(other, Capability.COMPENSATION))
            .toList();
    if (layout.needs().has(Need.REPLY)) {
      if (done.size() > 1) {
        // All but the last of those that may refuse have to be undone when it does.
        reasons.add(label(Need.REPLY) + ": more than one effect cannot be undone: " + names(done));
      }
      unless(Need.AVAILABLE, "the caller waits for the answer of " + names(layout.others()));
    }
  }

  private void recorded() {
    if (layout.recorder().isEmpty()) {
      reasons.add("no effect is at a boundary with transactions and lookups, to record it with");
    } else if (layout.others().isEmpty()) {
      nothingFollows();
    }
    if (layout.consumes()) {
      duplicates(Resolution.INBOX, layout.recorder().stream().toList());
      deliveredInOrder();
    }
  }

  private void nothingFollows() {
    reasons.add("nothing has to follow the commit at " + names(layout.units()));
  }

  private void later() {
    unless(Need.NOW, "the caller is answered before the other effects");
    unless(Need.REPLY, "the caller is answered before the other boundaries answer");
  }

  private void order(List<Boundary> boundaries) {
    if (layout.needs().has(Need.ORDER)) {
      named(boundaries, boundary -> !Layout.keepsOrder(boundary))
          .forEach(name -> reasons.add(label(Need.ORDER) + ": " + name + " does not keep it"));
    }
  }

  private void deliveredInOrder() {
    if (layout.needs().has(Need.ORDER)) {
      layout.source().stream()
          .filter(source -> !Layout.deliversInOrder(source))
          .forEach(
              source ->
                  reasons.add(
                      label(Need.ORDER) + ": " + source.description() + " redelivers out of it"));
    }
  }

  private void duplicates(Resolution resolution, List<Boundary> boundaries) {
    if (!layout.needs().has(Need.NO_DUPLICATE)) {
      return;
    }
    Optional<Duration> outage = layout.needs().outage();
    boundaries.stream()
        .map(boundary -> Absorption.of(resolution, boundary, outage))
        .filter(absorption -> !absorption.covers(outage))
        .distinct()
        .forEach(absorption -> reasons.add(label(Need.NO_DUPLICATE) + ": " + repeat(absorption)));
  }

  private String repeat(Absorption absorption) {
    if (absorption.by().isEmpty()) {
      return "nothing absorbs a repeat at " + absorption.boundary();
    }
    return "%s at %s lasts %s, and an outage may last %s"
        .formatted(
            absorption.how(),
            absorption.boundary(),
            Times.of(absorption.window()),
            Times.of(layout.needs().outage()));
  }

  private void unless(Need need, String reason) {
    if (layout.needs().has(need)) {
      reasons.add(label(need) + ": " + reason);
    }
  }

  private void lacking(List<Boundary> boundaries, Capability capability, String what) {
    named(boundaries, boundary -> !Layout.has(boundary, capability))
        .forEach(name -> reasons.add(name + " " + what));
  }

  private static List<String> named(List<Boundary> boundaries, Predicate<Boundary> which) {
    return boundaries.stream().filter(which).map(Boundary::description).distinct().toList();
  }

  private static String names(Collection<Boundary> boundaries) {
    return String.join(", ", boundaries.stream().map(Boundary::description).distinct().toList());
  }

  private static String label(Need need) {
    return need.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
