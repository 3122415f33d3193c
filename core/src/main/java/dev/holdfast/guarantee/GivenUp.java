package dev.holdfast.guarantee;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Boundary;
import java.util.ArrayList;
import java.util.List;

/** What one local transaction would have given and a resolution does not. */
final class GivenUp {
  private final Resolution resolution;
  private final Layout layout;
  private final List<String> given = new ArrayList<>();

  private GivenUp(Resolution resolution, Layout layout) {
    this.resolution = resolution;
    this.layout = layout;
  }

  static List<String> of(Resolution resolution, Layout layout, List<Absorption> absorbs) {
    GivenUp it = new GivenUp(resolution, layout);
    it.together();
    it.order();
    absorbs.stream().distinct().forEach(it::repeats);
    it.acknowledgments();
    return it.given.stream().distinct().toList();
  }

  private void together() {
    if (resolution != Resolution.LOCAL_TRANSACTION && layout.consumes()) {
      layout.source().map(GivenUp::dropped).ifPresent(given::add);
    }
    String others = names(layout.others());
    switch (resolution) {
      case LOCAL_TRANSACTION -> {}
      case INBOX -> {
        if (layout.units().size() > 1) {
          given.add("simultaneity: after a crash the boundaries differ until it is redelivered");
        }
      }
      case OUTBOX -> apart(others);
      case EVENT_SOURCING -> {
        apart(others);
        given.add("rows as the truth: the state of a thing is read from its events");
      }
      case RESERVATION -> {
        given.add(
            "simultaneity: what is held at %s is confirmed after the answer".formatted(others));
        given.add("availability: nobody else can use what is held at " + others);
      }
      case TWO_PHASE_COMMIT -> {
        given.add("isolation: a reader may see one boundary before the other");
        given.add("availability: locks are held while a participant is away");
      }
      case WORKFLOW -> {
        apart(others);
        if (layout.needs().has(Need.REPLY)) {
          given.add("isolation: others may see effects that are undone when a later step refuses");
        }
      }
      case RECONCILIATION -> {
        given.add(
            "simultaneity: differences at %s stay until the next comparison".formatted(others));
        given.add("states in between: only the latest one is compared");
      }
    }
  }

  private static String dropped(Boundary source) {
    return "a message that %s does not keep until it is acknowledged"
        .formatted(source.description());
  }

  private void apart(String others) {
    given.add("simultaneity: nothing of it is at %s before %s has run".formatted(others, agent()));
  }

  private String agent() {
    return switch (resolution) {
      case OUTBOX -> "the relay";
      case EVENT_SOURCING -> "the projection or reaction";
      case WORKFLOW -> "the executor";
      case LOCAL_TRANSACTION, INBOX, RESERVATION, TWO_PHASE_COMMIT, RECONCILIATION ->
          throw new IllegalArgumentException(resolution + " leaves nothing to an agent");
    };
  }

  private void order() {
    if (layout.needs().has(Need.ORDER)) {
      return;
    }
    switch (resolution) {
      case LOCAL_TRANSACTION -> {}
      case INBOX -> {
        layout
            .source()
            .filter(source -> !Layout.deliversInOrder(source))
            .ifPresent(this::unordered);
        unordered(layout.units());
      }
      case OUTBOX, EVENT_SOURCING, TWO_PHASE_COMMIT -> unordered(layout.others());
      case RESERVATION, WORKFLOW, RECONCILIATION -> given.add("order per key");
    }
  }

  private void unordered(List<Boundary> boundaries) {
    boundaries.stream().filter(boundary -> !Layout.keepsOrder(boundary)).forEach(this::unordered);
  }

  private void unordered(Boundary boundary) {
    given.add("order per key at " + boundary.description());
  }

  private void repeats(Absorption absorption) {
    if (absorption.by().isEmpty()) {
      given.add("a crash may repeat the effect at " + absorption.boundary());
      return;
    }
    switch (absorption.by().get()) {
      case COMPENSATION ->
          given.add(
              "an attempt at %s whose outcome stays unknown is undone and made again"
                  .formatted(absorption.boundary()));
      case RESERVATION ->
          given.add(
              "a hold at %s that is not confirmed within %s"
                  .formatted(absorption.boundary(), Times.of(absorption.window())));
      case LOCAL_TRANSACTION,
          PREPARE,
          PROGRESS_MARK,
          IDEMPOTENCY_KEY,
          EXPECTED_VERSION,
          DEDUPLICATION,
          LOOKUP,
          ORDER_PER_KEY ->
          absorption
              .window()
              .ifPresent(
                  window ->
                      given.add(
                          "a repeat at %s that comes more than %s after the first is not recognised"
                              .formatted(absorption.boundary(), Times.of(window))));
    }
  }

  /** Whoever has been told that an effect is there forgets it; only a comparison looks again. */
  private void acknowledgments() {
    if (resolution == Resolution.RECONCILIATION) {
      layout.recorder().ifPresent(this::acknowledgment);
    } else {
      layout.units().forEach(this::acknowledgment);
    }
  }

  private void acknowledgment(Boundary boundary) {
    if (boundary.acknowledgment() == Acknowledgment.ACCEPTED) {
      given.add(
          "what %s loses after it has accepted it, which is all that it acknowledges"
              .formatted(boundary.description()));
    } else if (boundary.acknowledgment() == Acknowledgment.REPLICATED) {
      given.add(
          "what all replicas of %s lose at once: it acknowledges before it is on their disks"
              .formatted(boundary.description()));
    }
  }

  private static String names(List<Boundary> boundaries) {
    return String.join(", ", boundaries.stream().map(Boundary::description).distinct().toList());
  }
}
