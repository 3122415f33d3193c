package dev.holdfast.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.statistics.Statistics;

/** What holds of every ranking. */
final class AdvisorPropertiesTest {
  private static final int TRIES = 1_000;
  private static final List<String> PLACES = List.of("a", "b", "c");

  /**
   * An operation as a table: what is where, and where the effects are.
   *
   * @param from the place of the message with which it begins; empty when it is called
   */
  record Scene(
      Map<String, Map<Capability, Optional<Duration>>> declared,
      Optional<String> from,
      List<String> effects) {

    Boundary at(String place) {
      return new Declared(place, declared.getOrDefault(place, Map.of()), Acknowledgment.COMMITTED);
    }

    Ranking rank(Needs needs) {
      List<Boundary> boundaries = effects.stream().map(this::at).toList();
      return from.map(place -> Advisor.rankConsumed(at(place), boundaries, needs))
          .orElseGet(() -> Advisor.rank(boundaries, needs));
    }

    Scene with(String place, Capability capability, Optional<Duration> window) {
      Map<String, Map<Capability, Optional<Duration>>> more = new HashMap<>(declared);
      Map<Capability, Optional<Duration>> there =
          new HashMap<>(declared.getOrDefault(place, Map.of()));
      there.putIfAbsent(capability, window);
      more.put(place, there);
      return new Scene(more, from, effects);
    }
  }

  @Property(tries = TRIES)
  void everyResolutionIsEitherSoundOrExcludedWithAReason(
      @ForAll("scenes") Scene scene, @ForAll("needs") Needs needs) {
    Ranking ranking = scene.rank(needs);
    Set<Resolution> excluded =
        ranking.excluded().stream().map(Excluded::resolution).collect(Collectors.toSet());

    Statistics.label("sound").collect(ranking.sound().size());
    assertThat(Stream.concat(sound(ranking).stream(), excluded.stream()))
        .containsExactlyInAnyOrder(Resolution.values());
    assertThat(ranking.excluded()).allSatisfy(each -> assertThat(each.reasons()).isNotEmpty());
  }

  @Property(tries = TRIES)
  void theCheapestComesFirst(@ForAll("scenes") Scene scene, @ForAll("needs") Needs needs) {
    assertThat(scene.rank(needs).sound()).extracting(Advice::cost).isSorted();
  }

  @Property(tries = TRIES)
  void aFurtherCapabilityTakesNoAdviceAwayUnlessOneTransactionComesToSuffice(
      @ForAll("scenes") Scene scene,
      @ForAll("needs") Needs needs,
      @ForAll("places") String place,
      @ForAll Capability capability,
      @ForAll("windows") Optional<Duration> window) {
    Ranking more = scene.with(place, capability, window).rank(needs);

    if (!sound(more).equals(Set.of(Resolution.LOCAL_TRANSACTION))) {
      assertThat(sound(more)).containsAll(sound(scene.rank(needs)));
    }
  }

  @Property(tries = TRIES)
  void aFurtherNeedAddsNoAdvice(
      @ForAll("scenes") Scene scene, @ForAll("needs") Needs needs, @ForAll Need need) {
    Set<Need> more = EnumSet.of(need);
    more.addAll(needs.each());

    assertThat(sound(scene.rank(needs)))
        .containsAll(sound(scene.rank(new Needs(more, needs.outage()))));
  }

  @Property(tries = TRIES)
  void aLongerOutageAddsNoAdvice(@ForAll("scenes") Scene scene, @ForAll("needs") Needs needs) {
    Needs longer = needs.withOutage(needs.outage().orElse(Duration.ZERO).plusHours(7));

    assertThat(sound(scene.rank(needs))).containsAll(sound(scene.rank(longer)));
  }

  @Property(tries = TRIES)
  void oneBoundaryWithLocalTransactionsGetsOneLocalTransaction(
      @ForAll("scenes") Scene scene, @ForAll("needs") Needs needs) {
    Scene one =
        new Scene(
                scene.declared(), Optional.empty(), scene.effects().stream().map(e -> "a").toList())
            .with("a", Capability.LOCAL_TRANSACTION, Optional.empty());

    assertThat(one.rank(needs).sound())
        .extracting(Advice::resolution)
        .containsExactly(Resolution.LOCAL_TRANSACTION);
  }

  @Property(tries = TRIES)
  void withoutDuplicatesMeansThatEveryRepeatIsAbsorbed(
      @ForAll("scenes") Scene scene, @ForAll("needs") Needs needs) {
    Set<Need> more = EnumSet.of(Need.NO_DUPLICATE);
    more.addAll(needs.each());

    assertThat(scene.rank(new Needs(more, needs.outage())).sound())
        .flatExtracting(Advice::absorbs)
        .allSatisfy(
            absorption -> {
              assertThat(absorption.by()).isPresent();
              Duration window = absorption.window().orElse(Duration.ofDays(365_000));
              assertThat(window).isGreaterThan(needs.outage().orElse(Duration.ZERO));
            });
  }

  private static Set<Resolution> sound(Ranking ranking) {
    return ranking.sound().stream().map(Advice::resolution).collect(Collectors.toSet());
  }

  @Provide
  Arbitrary<Scene> scenes() {
    // Half of them are near to being databases: one capability away, many a time.
    Arbitrary<Map<Capability, Optional<Duration>>> declared =
        Arbitraries.oneOf(
            Arbitraries.maps(Arbitraries.of(Capability.class), windows()).ofMaxSize(7),
            Arbitraries.maps(
                    Arbitraries.of(
                        Capability.LOCAL_TRANSACTION,
                        Capability.LOOKUP,
                        Capability.PREPARE,
                        Capability.EXPECTED_VERSION),
                    Arbitraries.just(Optional.<Duration>empty()))
                .ofMinSize(1)
                .ofMaxSize(4));
    Arbitrary<Map<String, Map<Capability, Optional<Duration>>>> all =
        Arbitraries.maps(places(), declared).ofSize(PLACES.size());
    return Combinators.combine(
            all, places().optional(0.4), places().list().ofMinSize(1).ofMaxSize(4))
        .as(Scene::new);
  }

  @Provide
  Arbitrary<Needs> needs() {
    return Combinators.combine(
            Arbitraries.of(Need.class).list().uniqueElements().ofMaxSize(2),
            Arbitraries.integers().between(1, 100).map(Duration::ofHours).optional(0.4))
        .as((needs, outage) -> new Needs(Set.copyOf(needs), outage));
  }

  @Provide
  Arbitrary<String> places() {
    return Arbitraries.of(PLACES);
  }

  @Provide
  Arbitrary<Optional<Duration>> windows() {
    return Arbitraries.integers().between(0, 100).map(Duration::ofHours).optional(0.6);
  }
}
