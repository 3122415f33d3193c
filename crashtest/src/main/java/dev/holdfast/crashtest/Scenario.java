package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.resource.Role;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What is crashed, and what must hold afterwards. Not safe for use by several threads.
 *
 * @param <S> the application: one life of the process under test
 */
public final class Scenario<S> {
  private static final Duration ATTEMPT = Duration.ofSeconds(30);

  /** Starts an application with what it uses of the outside world. */
  @FunctionalInterface
  public interface Start<S> {
    S start(Resources resources) throws Exception;
  }

  /** Something that is done with an application, for a key. */
  @FunctionalInterface
  public interface Work<S> {
    void run(S application, String key) throws Exception;
  }

  /** Something that is done with an application. */
  @FunctionalInterface
  public interface Step<S> {
    void run(S application) throws Exception;
  }

  /** Prepares the outside world for an operation with a key. */
  @FunctionalInterface
  public interface Given {
    void prepare(String key) throws Exception;
  }

  private final Start<S> start;
  private @Nullable Work<S> operation;
  private Step<S> recovery = application -> {};
  private Given given = key -> {};
  private int retries;
  private boolean retriesHeal;
  private @Nullable Duration patience;
  private Duration attemptTimeout = ATTEMPT;
  private Predicate<S> idle = application -> true;
  private boolean saysWhenIdle;
  private @Nullable Drill drill;
  private final Set<Class<? extends Throwable>> refusals = new LinkedHashSet<>();
  private final List<Expectation> expectations = new ArrayList<>();
  private final List<String> ignored = new ArrayList<>();
  private final List<String> each = new ArrayList<>();

  Scenario(Start<S> start) {
    this.start = start;
  }

  /** Before each operation, outside the process under test: such as the message it is to handle. */
  public Scenario<S> given(Given preparation) {
    given = preparation;
    return this;
  }

  /**
   * The operation. Returning is telling the caller that it has succeeded; throwing is telling that
   * the outcome is not known, unless {@link #refusedBy} says otherwise.
   */
  public Scenario<S> operation(Work<S> work) {
    if (operation != null) {
      throw new CrashLabException(
          Problem.Kind.INCOMPLETE_SCENARIO, "A scenario has one operation.");
    }
    operation = work;
    return this;
  }

  /** An exception that tells the caller that nothing has happened, and never will. */
  public Scenario<S> refusedBy(Class<? extends Throwable> exception) {
    refusals.add(exception);
    return this;
  }

  /**
   * A caller that does not know the outcome tries again with the same key, so many times at most.
   * What a crash leaves must be whole even before, for the caller may never come back.
   */
  public Scenario<S> retrySameKey(int times) {
    if (times < 0) {
      throw new IllegalArgumentException("Cannot retry " + times + " times.");
    }
    retries = times;
    return this;
  }

  /** Like {@link #retrySameKey}, of callers that always come back: their retry is the recovery. */
  public Scenario<S> recoveredByRetry(int times) {
    retriesHeal = true;
    return retrySameKey(times);
  }

  /** What the application does on starting again after a crash, beyond being started. */
  public Scenario<S> recover(Step<S> step) {
    recovery = step;
    return this;
  }

  /**
   * How long work in the background may take to bring the effects about. Not given, it is five
   * seconds when the operation commits anything in the background, and no time at all when not.
   */
  public Scenario<S> quiesce(Duration atMost) {
    patience = atMost;
    return this;
  }

  /** Like {@link #quiesce(Duration)}, and by then the application must say that it is idle. */
  public Scenario<S> quiesce(Duration atMost, Predicate<S> idleNow) {
    idle = idleNow;
    saysWhenIdle = true;
    return quiesce(atMost);
  }

  /** How long one attempt, or one start, may take. 30 seconds when not given. */
  public Scenario<S> attemptTimeout(Duration atMost) {
    attemptTimeout = atMost;
    return this;
  }

  /** The effects that belong together, in the order in which they are meant to happen. */
  public Scenario<S> expect(Expectation... effects) {
    expectations.addAll(List.of(effects));
    return this;
  }

  /** What befalls the resources while the process is down, with {@link Carrier#DRILL}. */
  public Scenario<S> drill(Drill befalling) {
    drill = befalling;
    return this;
  }

  /**
   * Commits that are no points: those whose resource, statement, topic or thread contains this
   * text. For what does not belong to the operation, such as a scheduler's own bookkeeping.
   */
  public Scenario<S> ignoring(String text) {
    ignored.add(text);
    return this;
  }

  /**
   * Commits in the background of which each is a point, and not the first alone: those whose
   * resource, statement, topic or thread contains this text. For a thread that does the operation's
   * work and nothing else, so that how many there are depends neither on time nor on chance.
   */
  public Scenario<S> eachOf(String text) {
    each.add(text);
    return this;
  }

  void requireComplete() {
    if (operation == null || expectations.isEmpty()) {
      throw new CrashLabException(
          Problem.Kind.INCOMPLETE_SCENARIO,
          "A scenario needs an operation and at least one expectation: lab.application(…).operation(…).expect(…).");
    }
  }

  @Nullable Drill drill() {
    return drill;
  }

  Start<S> start() {
    return start;
  }

  Work<S> work() {
    requireComplete();
    return java.util.Objects.requireNonNull(operation);
  }

  Step<S> recovery() {
    return recovery;
  }

  Given given() {
    return given;
  }

  int retries() {
    return retries;
  }

  boolean retriesHeal() {
    return retriesHeal;
  }

  @Nullable Duration patience() {
    return patience;
  }

  Duration attemptTimeout() {
    return attemptTimeout;
  }

  Predicate<S> idle() {
    return idle;
  }

  boolean saysWhenIdle() {
    return saysWhenIdle;
  }

  boolean isRefusal(Throwable thrown) {
    return refusals.stream().anyMatch(type -> type.isInstance(thrown));
  }

  List<Expectation> expectations() {
    return List.copyOf(expectations);
  }

  boolean isIgnored(Role role) {
    return matches(role, ignored);
  }

  /** Whether only the first of its kind can be relied on to come again. */
  boolean isByChance(Role role) {
    return !LabThread.isOurs(role) && !matches(role, each);
  }

  private static boolean matches(Role role, List<String> texts) {
    String all = String.join("\n", role.resource(), role.detail(), role.thread());
    return texts.stream().anyMatch(all::contains);
  }
}
