package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.resource.KafkaBroker;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Crashes an operation at every point where it commits something, and compares what is there
 * afterwards with what its caller was told. See the package's description for what is done, and
 * what it can and cannot show.
 *
 * <p>In a JUnit test it is a parameter of a {@link CrashTest} method, which describes one {@link
 * Scenario}. Elsewhere: {@link #explore}.
 *
 * <pre>{@code
 * lab.application(r -> new OrderService(r.dataSource("shop", jdbcUrl)))
 *     .operation(OrderService::place)
 *     .retrySameKey(2)
 *     .expect(row("orders").byKey().once());
 * }</pre>
 */
public final class CrashLab {
  private final Map<String, String> shared = new LinkedHashMap<>();
  private final boolean forked;
  private @Nullable Scenario<?> scenario;

  CrashLab() {
    forked = false;
  }

  /** In a forked JVM, with what the first one shared. */
  CrashLab(Map<String, String> shared) {
    this.shared.putAll(shared);
    forked = true;
  }

  /**
   * A value that a forked JVM must get from this one, such as the address of a server that runs
   * already. There the supplier is not asked, so that it does not start another one.
   */
  public String share(String name, Supplier<String> value) {
    if (!forked) {
      shared.put(name, value.get());
    }
    String known = shared.get(name);
    if (known == null) {
      throw new CrashLabException(
          Problem.Kind.INCOMPLETE_SCENARIO,
          "'" + name + "' was not shared when the scenario was described first.");
    }
    return known;
  }

  /** A broker, which a forked JVM gets from this one; there it is not behind a relay. */
  public KafkaBroker shareBroker(String name, Supplier<KafkaBroker> broker) {
    if (forked) {
      return KafkaBroker.at(share(name, () -> ""));
    }
    KafkaBroker here = broker.get();
    share(name, here::direct);
    return here;
  }

  Map<String, String> shared() {
    return Map.copyOf(shared);
  }

  /**
   * Begins the one scenario of this lab.
   *
   * @param start starts the process under test, with everything that it uses of the outside world
   */
  public <S> Scenario<S> application(Scenario.Start<S> start) {
    if (scenario != null) {
      throw new CrashLabException(
          Problem.Kind.INCOMPLETE_SCENARIO,
          "A crash test describes one scenario; write another test for another one.");
    }
    Scenario<S> begun = new Scenario<>(start);
    scenario = begun;
    return begun;
  }

  Scenario<?> scenario() {
    Scenario<?> described = scenario;
    if (described == null) {
      throw new CrashLabException(
          Problem.Kind.INCOMPLETE_SCENARIO,
          "The crash test described no scenario. Begin with lab.application(…).");
    }
    described.requireComplete();
    return described;
  }

  /**
   * Explores an operation, without any test framework.
   *
   * @param operation its name, for the report
   * @param description describes the scenario; called once for every run. For forked crashes it
   *     must be of a class with a constructor without arguments, not a lambda
   * @return what all runs showed; they have been made when this returns
   */
  public static ExplorationReport explore(
      String operation, Options options, Consumer<CrashLab> description) {
    try (Explorer explorer = new Explorer(operation, options, ForkSource.of(description))) {
      while (explorer.hasNext()) {
        RunPlan plan = explorer.next();
        CrashLab lab = new CrashLab();
        description.accept(lab);
        explorer.execute(plan, lab);
      }
      return explorer.report();
    }
  }

  /**
   * Explores until a run finds something wrong: for negative controls, in which the scenario lacks
   * what is being tested.
   *
   * @return that run; its findings say what is wrong
   * @throws AssertionError when every run passes
   * @throws CrashLabException when a run cannot be made
   */
  public static RunReport firstFailure(Options options, Consumer<CrashLab> description) {
    return Explorer.firstFailure(options, description);
  }

  /**
   * What to explore.
   *
   * @param carriers how faults are made
   * @param crashesDuringRecovery 0, or 1 for a second fault at every point of each recovery
   * @param pairs whether a second fault is made at every point of each retry
   * @param seed fixes the keys
   * @param replay the id of the one run to make after the golden one; empty for all
   */
  public record Options(
      Set<Carrier> carriers, int crashesDuringRecovery, boolean pairs, long seed, String replay) {
    public Options {
      if (carriers.isEmpty()) {
        throw new CrashLabException(
            Problem.Kind.INCOMPLETE_SCENARIO, "At least one carrier is needed.");
      }
      if (crashesDuringRecovery < 0 || crashesDuringRecovery > 1) {
        throw new CrashLabException(
            Problem.Kind.INCOMPLETE_SCENARIO,
            "crashesDuringRecovery is 0 or 1, not " + crashesDuringRecovery + ".");
      }
      carriers = Set.copyOf(carriers);
    }

    /** Simulated crashes, one at a time, with keys that nobody has used. */
    public static Options defaults() {
      return new Options(
          EnumSet.of(Carrier.FENCED), 0, false, new SplittableRandom().nextLong(1L << 32), "");
    }

    public Options withCarriers(Carrier first, Carrier... others) {
      return new Options(EnumSet.of(first, others), crashesDuringRecovery, pairs, seed, replay);
    }

    public Options withCrashesDuringRecovery(int crashes) {
      return new Options(carriers, crashes, pairs, seed, replay);
    }

    public Options withPairs(boolean also) {
      return new Options(carriers, crashesDuringRecovery, also, seed, replay);
    }

    public Options withSeed(long fixed) {
      return new Options(carriers, crashesDuringRecovery, pairs, fixed, replay);
    }

    /**
     * The one run with this id, as a report shows it. Where the id names a carrier, a seed or a
     * second fault, these are taken from it.
     *
     * @throws CrashLabException when it is no such id
     */
    public Options withReplay(String id) {
      ReplayId replay = ReplayId.parse(id);
      return new Options(
          replay.carrier() == null ? carriers : Set.of(replay.carrier()),
          replay.isPair() ? 1 : crashesDuringRecovery,
          replay.isPair() || pairs,
          replay.seed() == null ? seed : replay.seed(),
          replay.plan());
    }
  }
}
