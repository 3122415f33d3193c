package dev.holdfast.cli.advise;

import dev.holdfast.guarantee.Advice;
import dev.holdfast.guarantee.Resolution;
import java.util.List;

/** What this version of Holdfast does of an advice. */
enum Readiness {
  NOTHING_NEEDED("nothing of Holdfast's is needed: it is one transaction of your own"),
  CARRIED_OUT("this version carries it out"),
  TARGET_NEEDED(
      "this version carries out the record and the relay; the delivery is a Target to be written"),
  PLANNED("this version does not carry it out; it is planned");

  private final String sentence;

  Readiness(String sentence) {
    this.sentence = sentence;
  }

  String sentence() {
    return sentence;
  }

  static Readiness of(Advice advice, List<Place> effects) {
    if (advice.resolution() == Resolution.LOCAL_TRANSACTION) {
      return NOTHING_NEEDED;
    }
    if (!advice.carriedOut()) {
      return PLANNED;
    }
    List<Place> recorders =
        effects.stream()
            .filter(place -> advice.recordedAt().filter(place.description()::equals).isPresent())
            .toList();
    if (recorders.isEmpty() || recorders.get(0).kind().part() != Kind.Part.STORE) {
      return PLANNED;
    }
    return effects.stream()
            .filter(place -> !recorders.contains(place))
            .allMatch(place -> place.kind().part() == Kind.Part.TARGET)
        ? CARRIED_OUT
        : TARGET_NEEDED;
  }
}
