package dev.holdfast.cli.advise;

import dev.holdfast.boundary.Capability;
import dev.holdfast.guarantee.Advice;
import dev.holdfast.guarantee.Need;
import dev.holdfast.guarantee.Needs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which one change would make a resolution sound where none is. Tried out, not guessed. */
final class Remedies {
  private Remedies() {}

  /**
   * @param outage as it was typed
   * @return empty when one change is not enough
   */
  static List<String> of(Question question, @Nullable String outage) {
    List<String> remedies = new ArrayList<>();
    Needs needs = question.needs();
    for (Need need : needs.each()) {
      Set<Need> fewer = EnumSet.copyOf(needs.each());
      fewer.remove(need);
      best(question.with(new Needs(fewer, needs.outage())))
          .ifPresent(
              advice -> remedies.add("without the need %s: %s".formatted(Word.of(need), advice)));
    }
    if (needs.outage().isPresent()) {
      best(question.with(new Needs(needs.each(), Optional.empty())))
          .ifPresent(advice -> remedies.add("with a shorter outage: " + advice));
    }
    String longEnough = outage == null ? " for a stated time" : " for more than " + outage;
    for (Place place : question.places().stream().distinct().toList()) {
      for (Offer offer : Offer.values()) {
        if (isSomethingToAdd(offer)) {
          best(with(question, place, offer.capability()))
              .ifPresent(
                  advice ->
                      remedies.add(
                          "if %s offered %s%s (%s): %s"
                              .formatted(
                                  place.description(),
                                  Word.of(offer),
                                  offer.isTimed() ? longEnough : "",
                                  offer.meaning(),
                                  advice)));
        }
      }
    }
    return remedies.stream().distinct().toList();
  }

  /** Whether a service or its readers can be made to offer it; the others are what a system is. */
  private static boolean isSomethingToAdd(Offer offer) {
    return switch (offer) {
      case KEY, DEDUP, VERSION, LOOKUP, UNDO, HOLD -> true;
      case TRANSACTION, PREPARE, PROGRESS, ORDER -> false;
    };
  }

  private static Optional<String> best(Question question) {
    return question.answer().best().map(Advice::resolution).map(resolution -> resolution.title());
  }

  private static Question with(Question question, Place place, Capability capability) {
    Map<Capability, Optional<Duration>> added = new EnumMap<>(Capability.class);
    added.putAll(place.added());
    added.put(capability, Optional.empty());
    Place more = new Place(place.is(), added, place.at(), place.what());
    return new Question(
        question.source().map(each -> swap(each, place, more)),
        question.effects().stream().map(each -> swap(each, place, more)).toList(),
        question.needs());
  }

  private static Place swap(Place each, Place old, Place more) {
    return each.description().equals(old.description())
        ? new Place(each.is(), more.added(), each.at(), each.what())
        : each;
  }
}
