package dev.holdfast.cli.advise;

import dev.holdfast.boundary.Capability;
import java.util.Arrays;
import java.util.Optional;

/** A capability under the name that it has on the command line. */
enum Offer {
  TRANSACTION(Capability.LOCAL_TRANSACTION, "several effects commit as one"),
  PREPARE(Capability.PREPARE, "a commit can be prepared, and decided later"),
  PROGRESS(Capability.PROGRESS_MARK, "the sender's progress commits with the effects"),
  KEY(Capability.IDEMPOTENCY_KEY, "a repeat under the same key is answered, not executed"),
  DEDUP(Capability.DEDUPLICATION, "a repeat with the same id is dropped, there or by its readers"),
  VERSION(Capability.EXPECTED_VERSION, "a write can name the version that it replaces"),
  LOOKUP(Capability.LOOKUP, "it can be asked whether an effect happened"),
  UNDO(Capability.COMPENSATION, "an effect can be undone by another"),
  HOLD(Capability.RESERVATION, "an effect can be held, then confirmed or cancelled"),
  ORDER(Capability.ORDER_PER_KEY, "effects of one key are applied in the order sent");

  private final Capability capability;
  private final String meaning;

  Offer(Capability capability, String meaning) {
    this.capability = capability;
    this.meaning = meaning;
  }

  Capability capability() {
    return capability;
  }

  String meaning() {
    return meaning;
  }

  /** Whether it is kept for a time, which has to be given. */
  boolean isTimed() {
    return switch (this) {
      case KEY, DEDUP, HOLD -> true;
      case TRANSACTION, PREPARE, PROGRESS, VERSION, LOOKUP, UNDO, ORDER -> false;
    };
  }

  static Optional<Offer> of(Capability capability) {
    return Arrays.stream(values()).filter(each -> each.capability == capability).findFirst();
  }
}
