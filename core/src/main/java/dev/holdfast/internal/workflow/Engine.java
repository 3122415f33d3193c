package dev.holdfast.internal.workflow;

import dev.holdfast.Codec;
import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.transaction.Transactions;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowListener;
import dev.holdfast.workflow.WorkflowQueue;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.store.WorkflowStore;
import dev.holdfast.workflow.store.WorkflowStore.Admission;
import dev.holdfast.workflow.store.WorkflowStore.Claimed;
import dev.holdfast.workflow.store.WorkflowStore.Claims;
import dev.holdfast.workflow.store.WorkflowStore.History;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs workflows in this process: takes runs up as there is room, keeps the lease, and gives
 * everything back when it is closed. Thread-safe.
 *
 * <p>Two threads of its own: one looks for runs, one keeps the lease, so that neither is late for
 * the other.
 */
public final class Engine implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Engine.class);

  /** Histories are read for so many runs at once. */
  private static final int CLAIM_AT_MOST = 200;

  private static final int FORGET_AT_MOST = 2_000;

  private static final Duration FORGET_INTERVAL = Duration.ofMinutes(1);
  private static final Duration TO_END = Duration.ofSeconds(5);
  private static final Duration LEAST_WAIT = Duration.ofMillis(2);
  private static final History NOTHING = new History(List.of(), List.of());

  private final WorkflowStore store;
  private final WorkflowSettings settings;
  private final String owner;
  private final Map<String, Workflow<?, ?>> definitions = new HashMap<>();
  private final Tools tools;
  private final ExecutorService runners;
  private final ExecutorService branches;
  private final ScheduledExecutorService timer;
  private final Semaphore room;
  private final Map<Long, Execution> executing = new ConcurrentHashMap<>();

  /** Taken up, and waiting for room. */
  private final Set<Long> arriving = ConcurrentHashMap.newKeySet();

  private final Doorbell work = new Doorbell();
  private final Doorbell end = new Doorbell();
  private final Results results;
  private final List<WorkflowQueue> queues;

  /** Whether there may be runs that had no room when they were looked for. */
  private volatile boolean hungry;

  /** Of the looking thread alone: when runs of executors that are gone were looked for. */
  private long orphansAt;

  private final Thread looker;
  private final Thread keeper;
  private volatile Tenure tenure;

  /** Of the lease's thread alone. */
  private long forgotAt = Doorbell.nanos();

  private volatile boolean closing;

  /** What an engine is made of. */
  public record Parts(
      WorkflowStore store,
      Transactions transactions,
      Codec codec,
      WorkflowSettings settings,
      String owner,
      List<Workflow<?, ?>> definitions,
      Results results,
      List<WorkflowQueue> queues,
      WorkflowListener listener) {}

  private Engine(Parts parts) {
    this.store = parts.store();
    this.settings = parts.settings();
    this.owner = parts.owner();
    this.results = parts.results();
    this.queues = parts.queues();
    for (Workflow<?, ?> each : parts.definitions()) {
      if (definitions.put(key(each.name(), each.version()), each) != null) {
        throw new InvalidConfiguration(
            "Workflow " + each + " is configured twice. Nothing was started.");
      }
    }
    checkQueues();
    this.orphansAt = Doorbell.nanos() - settings.pollInterval().toNanos();
    this.room = new Semaphore(settings.inFlight());
    this.runners = Threads.unbounded("holdfast-workflow");
    this.branches = Threads.bounded("holdfast-branch", settings.inFlight());
    this.timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> Threads.daemon("holdfast-workflow-timer", task));
    UUID storeId = store.storeId();
    this.tenure = register();
    this.tools =
        new Tools(
            store,
            storeId,
            parts.transactions(),
            parts.codec(),
            settings,
            new GroupCommit(store, settings.commitAtMost(), 8 * settings.valueBytesAtMost()),
            new DatabaseClock(Instant.EPOCH),
            timer,
            branches,
            parts.listener());
    this.looker = Threads.daemon("holdfast-workflows", this::look);
    this.keeper = Threads.daemon("holdfast-workflow-lease", this::keep);
  }

  private void checkQueues() {
    Set<String> names = new HashSet<>();
    for (WorkflowQueue queue : queues) {
      if (!names.add(queue.name())) {
        throw new InvalidConfiguration(
            "Queue " + queue.name() + " is configured twice. Nothing was started.");
      }
      Duration per = queue.per();
      if (per != null && per.compareTo(settings.keepEnded()) > 0) {
        throw new InvalidConfiguration(
            "Queue %s has a rate for a period of %s, and runs that have ended are kept for %s (keepEnded): they are counted, so keep them as long. Nothing was started."
                .formatted(queue.name(), per, settings.keepEnded()));
      }
    }
  }

  public static Engine start(Parts parts) {
    Engine engine = new Engine(parts);
    // The clock is set before anything runs.
    engine.claim(0);
    engine.looker.start();
    engine.keeper.start();
    return engine;
  }

  static String key(String name, int version) {
    return name + "/" + version;
  }

  private Tenure register() {
    long asked = Doorbell.nanos();
    return new Tenure(store.register(owner, settings.lease()), asked, settings.lease());
  }

  /** What is run here, as {@code name/version}. */
  public Set<String> definitions() {
    return Set.copyOf(definitions.keySet());
  }

  /** Whether nobody can have taken the runs over that are executed here. */
  public boolean isLeased() {
    return tenure.isValid();
  }

  /** Something may be due. */
  public void wake() {
    work.ring();
  }

  /**
   * Room for a run that is about to be started, and the number to start it under.
   *
   * @return {@code null} when there is none, or this process does not run the workflow
   */
  public @Nullable Long reserve(Workflow<?, ?> workflow) {
    Tenure now = tenure;
    if (closing
        || !now.isValid()
        || !definitions.containsKey(key(workflow.name(), workflow.version()))
        || !room.tryAcquire()) {
      return null;
    }
    return now.executor();
  }

  /** The run was not started, or not by this. */
  public void unreserve() {
    room.release();
  }

  /** Runs what was started under a {@linkplain #reserve reserved} number. */
  public void runReserved(long executor, Claimed run) {
    Tenure now = tenure;
    if (now.executor() != executor) {
      // The number was given up meanwhile, and with it the run.
      room.release();
      return;
    }
    execute(now, run, NOTHING);
  }

  /** There is room for it, which is given back when it has left, or could not begin. */
  private void execute(Tenure under, Claimed run, History history) {
    Execution execution;
    try {
      execution = new Execution(tools, under, run, new Journal(run.run(), run.turn(), history));
    } catch (RuntimeException | Error e) {
      room.release();
      throw e;
    }
    // One that is there has parked it and is about to leave, or is still at a call and writes
    // nothing: it is of an earlier turn.
    Execution first =
        executing.compute(
            run.run(), (number, there) -> there == null ? execution : follow(there, execution));
    if (first == execution) {
      execute(execution);
    }
  }

  private Execution follow(Execution former, Execution next) {
    if (former.followedBy(next) != null) {
      // Of a turn that is over, and has not begun.
      room.release();
    }
    return former;
  }

  private void execute(Execution execution) {
    Claimed run = execution.claimed();
    results.begun(run.id());
    try {
      runners.execute(() -> run(execution));
    } catch (RuntimeException | Error e) {
      // This process ends, or has no thread: it is adopted later.
      leave(execution, Ended.NOWHERE);
      log.warn("run {}: not executed here: {}", run.id(), e.toString());
    }
  }

  /** Whoever follows at the same run begins then, with room of its own. */
  private void leave(Execution execution, Ended how) {
    Claimed run = execution.claimed();
    Execution next = executing.computeIfPresent(run.run(), (number, there) -> there.successor());
    room.release();
    results.left(run.id(), how);
    if (next != null) {
      execute(next);
    }
  }

  private void run(Execution execution) {
    Claimed run = execution.claimed();
    Ended how = Ended.NOWHERE;
    try {
      Workflow<?, ?> workflow = definitions.get(key(run.name(), run.version()));
      if (workflow != null) {
        how = execution.watched(workflow);
      }
    } catch (Throwable e) {
      log.error("run {} of {}: unexpected; it is taken up again", run.id(), run.name(), e);
    } finally {
      leave(execution, how);
      if (hungry || !how.status().isFinal() || run.parent() != null || !queues.isEmpty()) {
        // There was no room, or it is due again, or somebody waits for its end or its place.
        work.ring();
      }
    }
  }

  /** From now on nothing is written under this number; others take its runs over. */
  private void abandon(Tenure under, String reason) {
    if (!under.isEnded()) {
      log.warn("executor {}: given up, {}; its runs are taken over", under.executor(), reason);
      under.end();
      end.ring();
    }
  }

  private void look() {
    try {
      while (!closing) {
        Duration wait = settings.pollInterval();
        try {
          // The other half is for what is started here while it is looked.
          wait = claim((room.availablePermits() + 1) / 2);
        } catch (HoldfastException e) {
          log.warn("workflows: looked for again: {}", e.getMessage());
        } catch (RuntimeException | Error e) {
          // Without this thread the process would keep its lease, and execute nothing.
          log.error("workflows: unexpected, looked for again", e);
        }
        work.await(wait);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * @return how long nothing is expected
   */
  private Duration claim(int atMost) {
    Tenure under = tenure;
    int limit = under.isValid() ? Math.min(atMost, CLAIM_AT_MOST) : 0;
    int permits = 0;
    while (permits < limit && room.tryAcquire()) {
      permits++;
    }
    // Before it is looked, so that whoever leaves meanwhile rings.
    hungry = permits == 0;
    Claims claims;
    Duration wait = settings.pollInterval();
    try {
      List<String> all = inAnyOrder(definitions.keySet());
      wait = permits == 0 ? wait : admit(all, permits);
      claims = store.claim(under.executor(), all, permits, permits > 0 && looksForOrphans());
    } catch (RuntimeException | Error e) {
      room.release(permits);
      throw e;
    }
    claims.runs().forEach(run -> arriving.add(run.run()));
    room.release(permits - claims.runs().size());
    tools.clock().set(claims.now());
    if (!claims.runs().isEmpty()) {
      begin(under, claims.runs());
    }
    if (permits > 0 && claims.runs().size() == permits) {
      hungry = true;
      return Duration.ZERO;
    }
    return permits == 0 ? wait : earlier(wait, claims.now(), claims.next());
  }

  /** So that no definition keeps those behind it waiting. */
  private static <T> List<T> inAnyOrder(Collection<T> all) {
    List<T> mixed = new ArrayList<>(all);
    Collections.shuffle(mixed, ThreadLocalRandom.current());
    return mixed;
  }

  private boolean looksForOrphans() {
    boolean looks = Doorbell.hasPassed(settings.pollInterval(), orphansAt);
    orphansAt = looks ? Doorbell.nanos() : orphansAt;
    return looks;
  }

  /** Lets runs in that wait in queues. */
  private Duration admit(List<String> all, int atMost) {
    Duration wait = settings.pollInterval();
    int left = atMost;
    for (WorkflowQueue queue : inAnyOrder(queues)) {
      if (left > 0) {
        Admission admission = store.admit(queue, all, left);
        left -= admission.admitted();
        wait =
            admission.isMore() ? Duration.ZERO : earlier(wait, admission.now(), admission.next());
      }
    }
    return wait;
  }

  private static Duration earlier(Duration wait, Instant now, @Nullable Instant next) {
    if (next == null) {
      return wait;
    }
    Duration due = Duration.between(now, next);
    Duration least = due.compareTo(LEAST_WAIT) < 0 ? LEAST_WAIT : due;
    return least.compareTo(wait) < 0 ? least : wait;
  }

  /** Each has its room by now. */
  private void begin(Tenure under, List<Claimed> runs) {
    Map<Long, History> histories = Map.of();
    try {
      histories = store.histories(runs.stream().map(Claimed::run).toList());
    } catch (RuntimeException | Error e) {
      // Adopted later.
      room.release(runs.size());
      runs.forEach(run -> arriving.remove(run.run()));
      throw e;
    }
    for (Claimed run : runs) {
      try {
        execute(under, run, histories.getOrDefault(run.run(), NOTHING));
      } catch (RuntimeException | Error e) {
        // Adopted later as well, and no reason to forget those behind it.
        log.error("run {}: not executed here", run.id(), e);
      } finally {
        arriving.remove(run.run());
      }
    }
  }

  private void keep() {
    Duration interval = settings.lease().dividedBy(4);
    Set<Long> unknown = new HashSet<>();
    try {
      while (!closing) {
        end.await(tenure.isEnded() ? Duration.ofMillis(200) : interval);
        if (!closing) {
          try {
            keepOnce(unknown);
          } catch (HoldfastException e) {
            log.warn("executor {}: lease not renewed: {}", tenure.executor(), e.getMessage());
          } catch (RuntimeException | Error e) {
            // Without this thread the process would never be an executor again.
            log.error("executor {}: unexpected", tenure.executor(), e);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void keepOnce(Set<Long> unknown) {
    Tenure under = tenure;
    if (!under.isEnded()) {
      long asked = Doorbell.nanos();
      if (store.renew(under.executor(), settings.lease()) && under.renewed(asked)) {
        adopt(under, unknown);
        forget();
        return;
      }
      abandon(under, "its lease has expired");
    }
    // Nobody waits for the expiry of one that is given up.
    store.release(under.executor());
    tenure = register();
    unknown.clear();
    work.ring();
  }

  /** Runs of this number that nobody executes, twice in a row: their start's reply was lost. */
  private void adopt(Tenure under, Set<Long> unknown) {
    List<Claimed> own = store.own(under.executor());
    Set<Long> again = new HashSet<>();
    for (Claimed run : own) {
      if (arriving.contains(run.run()) || executing.containsKey(run.run())) {
        continue;
      }
      if (unknown.contains(run.run()) && room.tryAcquire()) {
        adopt(under, run.run());
      } else {
        again.add(run.run());
      }
    }
    unknown.clear();
    unknown.addAll(again);
  }

  private void adopt(Tenure under, long run) {
    boolean isExecuted = false;
    try {
      Claimed again = store.retake(under.executor(), run).orElse(null);
      if (again != null) {
        History history = store.histories(List.of(run)).getOrDefault(run, NOTHING);
        isExecuted = true;
        execute(under, again, history);
      }
    } finally {
      if (!isExecuted) {
        room.release();
      }
    }
  }

  /** Now and then; a backlog is worked off over several rounds. */
  private void forget() {
    if (Doorbell.hasPassed(FORGET_INTERVAL, forgotAt)) {
      boolean more = store.forget(settings.keepEnded(), FORGET_AT_MOST) == FORGET_AT_MOST;
      forgotAt = more ? forgotAt : Doorbell.nanos();
    }
  }

  /** Ends cleanly: what is executed gets a moment to come to its next record, and is given back. */
  @Override
  public void close() {
    closing = true;
    work.ring();
    end.ring();
    runners.shutdown();
    branches.shutdown();
    try {
      looker.join(TO_END.toMillis());
      keeper.join(TO_END.toMillis());
      tenure.close();
      if (!runners.awaitTermination(TO_END.toMillis(), TimeUnit.MILLISECONDS)) {
        runners.shutdownNow();
        branches.shutdownNow();
        runners.awaitTermination(TO_END.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      runners.shutdownNow();
      Thread.currentThread().interrupt();
    }
    tenure.end();
    timer.shutdownNow();
    try {
      store.release(tenure.executor());
    } catch (HoldfastException e) {
      log.warn(
          "executor {}: not released, its runs are taken over when its lease expires: {}",
          tenure.executor(),
          e.getMessage());
    }
  }
}
