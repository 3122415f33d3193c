package dev.holdfast.cli.advise;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An effect as it is typed: {@code KIND[+OFFER[=TIME]]...[@PLACE][:WHAT]}. The same kind and place
 * are the same boundary; where nothing commits together, each {@code WHAT} is one of its own.
 *
 * @param is its kind
 * @param added what this one offers beyond its kind, and for how long
 * @param at empty when not said
 * @param what empty when not said
 */
record Place(
    Kind is, Map<Capability, Optional<Duration>> added, Optional<String> at, Optional<String> what)
    implements Boundary {

  /**
   * @throws NotUnderstood if it is none
   */
  static Place parse(String text) {
    int colon = text.indexOf(':');
    String where = colon < 0 ? text : text.substring(0, colon);
    int sign = where.indexOf('@');
    String[] offers = (sign < 0 ? where : where.substring(0, sign)).split("\\+", -1);
    Map<Capability, Optional<Duration>> added = new EnumMap<>(Capability.class);
    Kind kind = Word.find("kind", offers[0], Kind.values(), Word::of);
    for (String offer : List.of(offers).subList(1, offers.length)) {
      add(added, text, offer);
    }
    return new Place(
        kind,
        added,
        part(text, sign < 0 ? null : where.substring(sign + 1), "@"),
        part(text, colon < 0 ? null : text.substring(colon + 1), ":"));
  }

  private static Optional<String> part(String text, @Nullable String part, String sign) {
    if (part != null && part.isBlank()) {
      throw new NotUnderstood("Nothing stands behind the '%s' of '%s'.".formatted(sign, text));
    }
    return Optional.ofNullable(part);
  }

  private static void add(Map<Capability, Optional<Duration>> added, String text, String offer) {
    int equals = offer.indexOf('=');
    Offer found =
        Word.find(
            "offer", equals < 0 ? offer : offer.substring(0, equals), Offer.values(), Word::of);
    if (found.isTimed() && equals < 0) {
      throw new NotUnderstood(
          "'%s' does not say for how long: +%s=24h, for example.".formatted(text, Word.of(found)));
    }
    if (!found.isTimed() && equals >= 0) {
      throw new NotUnderstood(
          "'%s' gives a time for %s, which has none.".formatted(text, Word.of(found)));
    }
    Optional<Duration> window =
        equals < 0
            ? Optional.empty()
            : Optional.of(Span.parse("The time of " + Word.of(found), offer.substring(equals + 1)));
    if (added.put(found.capability(), window) != null) {
      throw new NotUnderstood("'%s' names %s twice.".formatted(text, Word.of(found)));
    }
  }

  @Override
  public Set<Capability> capabilities() {
    Set<Capability> all = EnumSet.noneOf(Capability.class);
    all.addAll(is.capabilities());
    all.addAll(added.keySet());
    return all;
  }

  @Override
  public Acknowledgment acknowledgment() {
    return is.acknowledgment();
  }

  @Override
  public Optional<Duration> window(Capability capability) {
    Optional<Duration> window = added.get(capability);
    return window != null
        ? window
        : is.window(capability).or(() -> Boundary.super.window(capability));
  }

  @Override
  public String description() {
    boolean together =
        capabilities().contains(Capability.LOCAL_TRANSACTION)
            || capabilities().contains(Capability.PROGRESS_MARK);
    return Word.of(is)
        + at.map(name -> "@" + name).orElse("")
        + (together ? "" : what.map(name -> ":" + name).orElse(""));
  }

  /** With what is changed there. */
  String effect() {
    return Word.of(is)
        + at.map(name -> "@" + name).orElse("")
        + what.map(name -> ":" + name).orElse("");
  }
}
