package dev.holdfast.cli.advise;

import dev.holdfast.boundary.Boundary;
import dev.holdfast.guarantee.Advisor;
import dev.holdfast.guarantee.Need;
import dev.holdfast.guarantee.Needs;
import dev.holdfast.guarantee.Ranking;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What is asked.
 *
 * @param source where the message comes from with which the operation begins
 */
record Question(Optional<Place> source, List<Place> effects, Needs needs) {

  /**
   * @throws NotUnderstood if two of the parts contradict each other
   */
  static Question of(List<Place> places, boolean consumed, Needs needs) {
    if (consumed && places.size() < 2) {
      throw new NotUnderstood(
          "With --consumed the first is where the message comes from, and nothing follows it. Name"
              + " an effect as well.");
    }
    for (Need waiting : List.of(Need.NOW, Need.REPLY)) {
      if (needs.each().contains(waiting) && needs.each().contains(Need.AVAILABLE)) {
        throw new NotUnderstood(
            "The needs available and %s contradict each other: with the one, the caller does not wait for the other boundaries, and with the other it does."
                .formatted(Word.of(waiting)));
      }
    }
    Map<String, Place> seen = new HashMap<>();
    for (Place place : places) {
      Place before = seen.putIfAbsent(place.description(), place);
      if (before != null && !before.added().equals(place.added())) {
        throw new NotUnderstood(
            "%s and %s are the same boundary, and are said to offer different things. Name two places with @, or say the same of both."
                .formatted(before.effect(), place.effect()));
      }
    }
    return consumed
        ? new Question(Optional.of(places.get(0)), places.subList(1, places.size()), needs)
        : new Question(Optional.empty(), places, needs);
  }

  List<Place> places() {
    return Stream.concat(source.stream(), effects.stream()).toList();
  }

  Question with(Needs others) {
    return new Question(source, effects, others);
  }

  Ranking answer() {
    List<Boundary> boundaries = new ArrayList<>(effects);
    return source
        .map(from -> Advisor.rankConsumed(from, boundaries, needs))
        .orElseGet(() -> Advisor.rank(boundaries, needs));
  }
}
