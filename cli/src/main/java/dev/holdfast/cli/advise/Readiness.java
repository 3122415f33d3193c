package dev.holdfast.cli.advise;

import dev.holdfast.guarantee.Advice;
import dev.holdfast.guarantee.Resolution;
import java.util.List;

/** What this version of Holdfast does of an advice. */
enum Readiness {
  NOTHING_NEEDED("needs nothing", "nothing of Holdfast's is needed, there is one commit"),
  CARRIED_OUT("carries it out", "this version carries it out"),
  TARGET_NEEDED(
      "without the target",
      "this version carries out the record and the relay; the delivery is a Target to be written"),
  CONSUMER_NEEDED(
      "without the consumer",
      "this version carries out the inbox; what fetches messages and acknowledges them is to be written"),
  PLANNED("planned", "planned, this version does not carry it out");

  private final String word;
  private final String sentence;

  Readiness(String word, String sentence) {
    this.word = word;
    this.sentence = sentence;
  }

  /** For a table. */
  String word() {
    return word;
  }

  String sentence() {
    return sentence;
  }

  static Readiness of(Advice advice, Question question) {
    List<Place> effects = question.effects();
    if (advice.resolution() == Resolution.LOCAL_TRANSACTION) {
      return NOTHING_NEEDED;
    }
    if (!advice.carriedOut()) {
      return PLANNED;
    }
    if (advice.resolution() == Resolution.WORKFLOW) {
      // Where no effect is at a store the journal is in a database of its own.
      return advice.behindInbox() ? received(question) : CARRIED_OUT;
    }
    if (advice.resolution() == Resolution.INBOX) {
      return effects.stream().allMatch(place -> place.is().part() == Kind.Part.STORE)
          ? received(question)
          : PLANNED;
    }
    if (advice.resolution() == Resolution.RECONCILIATION) {
      return effects.stream().allMatch(place -> place.is().isCompared())
              && effects.stream().anyMatch(place -> place.is().part() == Kind.Part.STORE)
          ? CARRIED_OUT
          : PLANNED;
    }
    List<Place> recorders =
        effects.stream()
            .filter(place -> advice.recordedAt().filter(place.description()::equals).isPresent())
            .toList();
    if (recorders.isEmpty() || recorders.get(0).is().part() != Kind.Part.STORE) {
      return PLANNED;
    }
    if (advice.resolution() == Resolution.TWO_PHASE_COMMIT) {
      return !advice.behindInbox()
              && effects.stream()
                  .filter(place -> !recorders.contains(place))
                  .allMatch(place -> place.is().isParticipant())
          ? CARRIED_OUT
          : PLANNED;
    }
    return effects.stream()
            .filter(place -> !recorders.contains(place))
            .allMatch(place -> place.is().part() == Kind.Part.TARGET)
        ? (advice.behindInbox() ? received(question) : CARRIED_OUT)
        : TARGET_NEEDED;
  }

  private static Readiness received(Question question) {
    return question.source().filter(source -> !source.is().isReceivedFrom()).isPresent()
        ? CONSUMER_NEEDED
        : CARRIED_OUT;
  }
}
