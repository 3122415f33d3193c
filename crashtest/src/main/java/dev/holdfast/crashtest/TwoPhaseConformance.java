package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.effect;
import static dev.holdfast.crashtest.Expect.row;
import static dev.holdfast.crashtest.TwoPhaseProcess.TABLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.crashtest.PausedOwner.Moment;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.resource.Role;
import dev.holdfast.outbox.store.OperationEvent;
import dev.holdfast.twophase.InDoubt;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.BranchStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/**
 * What an operation across databases promises, whatever crashes, pauses, and whichever answer is
 * lost: crash tests of operations in two databases and in three, with Holdfast's own transactions
 * and in one of the caller's. For those who write a participant of their own.
 *
 * <p>A subclass says where the databases are, by URLs that a forked JVM can use as well. Each is
 * this suite's alone: whatever is prepared by tests before must be gone. In all of it the owner of
 * an operation is asked about from the moment on at which it prepares.
 */
@TestInstance(Lifecycle.PER_CLASS)
public abstract class TwoPhaseConformance {
  private static final String DECIDER = "orders";
  private static final List<String> PARTICIPANTS = List.of("ledger", "stock");
  private static final String TOPIC = "conformance";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** In this JVM; another one finds them there. */
  private static final Set<List<String>> PREPARED = ConcurrentHashMap.newKeySet();

  /** Nothing is too young to be recovered, and nothing is kept for longer than it has to be. */
  private static final TwoPhaseSettings SETTINGS =
      TwoPhaseSettings.DEFAULT
          .withLockTimeout(Duration.ofSeconds(1))
          .withRecoverAfter(Duration.ZERO)
          .withRecoveryInterval(Duration.ofMillis(50))
          .withKeepDecisions(Duration.ZERO);

  /** The database that decides. */
  protected abstract String deciderUrl();

  /**
   * A database that takes part.
   *
   * @param number 0 or 1
   */
  protected abstract String participantUrl(int number);

  /** A pool on top of what reaches a database, to be closed by {@link Resources#onStop}. */
  protected DataSource pool(Resources resources, DataSource physical) {
    return physical;
  }

  /** The deciding database as the process has it: for taking out a step of the protocol. */
  protected DataSource decider(DataSource real) {
    return real;
  }

  /** A participant as the process has it: for taking out a step of the protocol. */
  protected BranchStore participant(BranchStore real) {
    return real;
  }

  /** How long recovery may take; what is missing is waited for so long. */
  protected Duration settling() {
    return Duration.ofSeconds(30);
  }

  /** How a process of a test is made. */
  private record Kind(int others, TwoPhaseSettings settings, boolean stepped) {
    static final Kind PAIR = new Kind(1, SETTINGS, false);

    Kind with(int number) {
      return new Kind(number, settings, stepped);
    }

    Kind with(TwoPhaseSettings others) {
      return new Kind(this.others, others, stepped);
    }

    /** Recovery is done by whoever starts, so that it takes the same way each time. */
    Kind inSteps() {
      return new Kind(others, settings, true);
    }
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({
    "twophase.atomicity",
    "twophase.answer",
    "twophase.durability",
    "twophase.recovery.anybody"
  })
  public void twoDatabases(CrashLab lab) {
    inDatabases(lab, Kind.PAIR);
  }

  @Tag("long")
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"twophase.atomicity", "twophase.recovery.anybody"})
  public void threeDatabases(CrashLab lab) {
    inDatabases(lab, Kind.PAIR.with(2));
  }

  /** In a transaction that the caller manages, with a message, and the second phase behind it. */
  @CrashTest
  @Attacks({"twophase.atomicity", "twophase.answer", "twophase.messages"})
  public void withinTheCallersTransaction(CrashLab lab) {
    withinTheCallersTransaction(lab, 1);
  }

  @Tag("long")
  @CrashTest(carriers = {Carrier.FORKED})
  @Attacks({"twophase.atomicity", "twophase.answer", "twophase.recovery.anybody"})
  public void twoDatabasesInProcessesOfTheirOwn(CrashLab lab) {
    inDatabases(lab, Kind.PAIR);
  }

  @Tag("long")
  @CrashTest(carriers = {Carrier.FORKED})
  @Attacks({"twophase.atomicity", "twophase.recovery.anybody"})
  public void threeDatabasesInProcessesOfTheirOwn(CrashLab lab) {
    inDatabases(lab, Kind.PAIR.with(2));
  }

  @Tag("long")
  @CrashTest(carriers = {Carrier.FENCED, Carrier.FORKED, Carrier.LOST_ACK})
  @Attacks({"twophase.atomicity", "twophase.messages"})
  public void threeWithinTheCallersTransaction(CrashLab lab) {
    withinTheCallersTransaction(lab, 2);
  }

  /** A second crash at every point that the successor of a crashed process passes. */
  @Tag("long")
  @CrashTest(crashesDuringRecovery = 1)
  @Attacks({"twophase.atomicity", "twophase.recovery.anybody"})
  public void threeDatabasesWithCrashesDuringRecovery(CrashLab lab) {
    inDatabases(lab, Kind.PAIR.with(2).inSteps());
  }

  @CrashTest(crashesDuringRecovery = 1)
  @Attacks({"twophase.atomicity", "twophase.recovery.anybody"})
  public void twoDatabasesWithCrashesDuringRecovery(CrashLab lab) {
    inDatabases(lab, Kind.PAIR.inSteps());
  }

  private void inDatabases(CrashLab lab, Kind kind) {
    begin(lab, kind)
        .operation(TwoPhaseProcess::enter)
        .retrySameKey(2)
        .expect(rows(kind.others()).toArray(Expectation[]::new));
  }

  private void withinTheCallersTransaction(CrashLab lab, int others) {
    Kind kind = Kind.PAIR.with(others).with(SETTINGS.withAsynchronousSecondPhase(true));
    String url = lab.share(DECIDER, this::deciderUrl);
    List<Expectation> all = rows(others);
    all.add(effect(DECIDER, "message", key -> messages(url, key)).once());
    begin(lab, kind)
        .operation(
            (process, key) ->
                process.enterWithin(key, tx -> tx.publish(Message.of(TOPIC, key, "entered"))))
        .retrySameKey(2)
        .expect(all.toArray(Expectation[]::new));
  }

  private static List<Expectation> rows(int others) {
    List<Expectation> all = new ArrayList<>();
    all.add(row(TABLE).in(DECIDER).byKey("id").once());
    for (String name : PARTICIPANTS.subList(0, others)) {
      all.add(row(TABLE).in(name).byKey("id").once());
    }
    return all;
  }

  /** Messages of an operation; its id is the key. */
  private static int messages(String url, String key) {
    try (Holdfast looking =
        Holdfast.on(Direct.to(url)).schemaManagedElsewhere().manual().holdfast()) {
      return (int)
          looking.store().operations().of(key, 100).stream()
              .map(OperationEvent::messageId)
              .filter(Objects::nonNull)
              .distinct()
              .count();
    }
  }

  private Scenario<TwoPhaseProcess> begin(CrashLab lab, Kind kind) {
    String url = lab.share(DECIDER, this::deciderUrl);
    List<String> others = new ArrayList<>();
    for (int i = 0; i < kind.others(); i++) {
      int number = i;
      others.add(lab.share(PARTICIPANTS.get(i), () -> participantUrl(number)));
    }
    prepareTables(url, others);
    Scenario<TwoPhaseProcess> scenario =
        lab.application(resources -> start(resources, kind, url, others))
            .refusedBy(TwoPhaseProcess.NotCommitted.class)
            .quiesce(settling(), TwoPhaseProcess::isQuiet)
            .attemptTimeout(PATIENCE);
    if (kind.stepped()) {
      return scenario.recover(TwoPhaseProcess::recoverAll);
    }
    // What it does for all operations, and when it comes to it, belongs to none.
    return scenario.ignoring("holdfast-recovery").ignoring("pg_notify");
  }

  private TwoPhaseProcess start(Resources resources, Kind kind, String url, List<String> others) {
    DataSource orders = decider(pool(resources, resources.dataSource(DECIDER, url)));
    List<Participant> participants = new ArrayList<>();
    for (int i = 0; i < kind.others(); i++) {
      String name = PARTICIPANTS.get(i);
      DataSource there = pool(resources, resources.dataSource(name, others.get(i)));
      Participant plain = Participant.of(name, there);
      participants.add(Participant.of(name, participant(plain.branches())));
    }
    Holdfast.Builder builder =
        Holdfast.on(orders).schemaManagedElsewhere().twoPhase(kind.settings());
    participants.forEach(builder::participant);
    Holdfast holdfast = kind.stepped() ? builder.manual().holdfast() : builder.start();
    return new TwoPhaseProcess(holdfast, orders, participants, settling());
  }

  /** Also a route for the messages; nobody delivers them. */
  private static void prepareTables(String url, List<String> others) {
    if (!PREPARED.add(urls(url, others))) {
      return;
    }
    for (String each : urls(url, others)) {
      Direct.execute(
          each,
          "create table if not exists "
              + TABLE
              + " (id varchar(100) primary key, n integer not null default 0)");
    }
    try (Holdfast first =
        builder(url, others)
            .channel("conformance", new UndeliveredTarget(), TOPIC)
            .manual()
            .holdfast()) {
      first.twoPhase().recover();
    }
  }

  private static List<String> urls(String url, List<String> others) {
    List<String> all = new ArrayList<>(others);
    all.add(0, url);
    return all;
  }

  /** Past everything that is crashed or changed. */
  private static Holdfast.Builder builder(String url, List<String> others) {
    Holdfast.Builder builder = Holdfast.on(Direct.to(url)).twoPhase(SETTINGS);
    for (int i = 0; i < others.size(); i++) {
      builder.participant(Participant.of(PARTICIPANTS.get(i), Direct.to(others.get(i))));
    }
    return builder;
  }

  private List<String> participantUrls() {
    return List.of(participantUrl(0), participantUrl(1));
  }

  private Holdfast observer() {
    prepareTables(deciderUrl(), participantUrls());
    return builder(deciderUrl(), participantUrls()).schemaManagedElsewhere().manual().holdfast();
  }

  /** Of this class; there are many tests, so that its connections stay open. */
  private @Nullable Holdfast looking;

  private final Deque<Connection> decider = new ConcurrentLinkedDeque<>();
  private final List<Deque<Connection>> others =
      List.of(new ConcurrentLinkedDeque<>(), new ConcurrentLinkedDeque<>());

  private Holdfast looking() {
    Holdfast known = looking;
    if (known != null) {
      return known;
    }
    prepareTables(deciderUrl(), participantUrls());
    Holdfast.Builder builder =
        Holdfast.on(Direct.kept(deciderUrl(), decider)).schemaManagedElsewhere().twoPhase(SETTINGS);
    for (int i = 0; i < others.size(); i++) {
      DataSource there = Direct.kept(participantUrl(i), others.get(i));
      builder.participant(Participant.of(PARTICIPANTS.get(i), there));
    }
    Holdfast made = builder.manual().holdfast();
    looking = made;
    return made;
  }

  @AfterAll
  final void closeConnections() throws SQLException {
    if (looking != null) {
      looking.close();
    }
    for (Deque<Connection> each : List.of(decider, others.get(0), others.get(1))) {
      for (Connection connection : each) {
        connection.close();
      }
    }
  }

  /** Whatever a test did: nothing is prepared, nothing was ended otherwise than decided. */
  @AfterEach
  final void nothingIsLeftBehind() {
    Holdfast observer = looking();
    Awaitility.await()
        .pollInSameThread()
        .pollDelay(Duration.ZERO)
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(observer.twoPhase().inDoubt()).isEmpty();
              assertThat(observer.twoPhase().heuristics(10)).isEmpty();
              observer.twoPhase().clean();
              for (String name : PARTICIPANTS) {
                assertThat(observer.store().decisions().decisions(name, 0, Long.MAX_VALUE, 10))
                    .isEmpty();
              }
            });
  }

  @Test
  @Attacks("twophase.recovery.live-owner")
  void anOwnerThatIsPausedOnceItHasPreparedIsWaitedFor() {
    assertThat(pausedOncePrepared()).isEmpty();
  }

  @Test
  @Attacks("twophase.recovery.live-owner")
  void anOwnerThatIsPausedOnceItHasDecidedFindsItsBranchCommitted() {
    PausedOwner.Woken woken =
        paused(Kind.PAIR, role -> role.action().equals("commit"), Moment.AFTER, () -> {});
    assertThat(woken.findings()).isEmpty();
    assertThat(woken.told()).isInstanceOf(Outcome.Committed.class);
  }

  /** Its transaction is ended by the deciding database, and others roll its branch back. */
  @Test
  @Attacks({"twophase.recovery.bounded", "twophase.locks", "twophase.answer"})
  void anOwnerThatIsPausedForLongerThanItMayDecideHasDecidedNothing() {
    TwoPhaseSettings hasty = SETTINGS.withDecideWithin(Duration.ofMillis(500));
    PausedOwner.Woken woken =
        paused(
            Kind.PAIR.with(hasty),
            role -> role.action().equals("prepare"),
            Moment.AFTER,
            this::awaitUndecided);
    assertThat(woken.findings()).isEmpty();
    assertThat(woken.told()).isInstanceOf(Outcome.Rejected.class);
  }

  /** Its transaction is ended, and later ones are forgotten; then it wants to prepare. */
  @Test
  @Attacks({"twophase.recovery.bounded", "twophase.answer"})
  void anOwnerThatIsPausedUntilLaterOnesAreForgottenPreparesNothing() {
    TwoPhaseSettings hasty = SETTINGS.withDecideWithin(Duration.ofMillis(500));
    PausedOwner.Woken woken =
        paused(
            Kind.PAIR.with(hasty),
            role -> role.action().equals("prepare"),
            Moment.BEFORE,
            this::forgetALaterOne);
    assertThat(woken.findings()).isEmpty();
    assertThat(woken.told()).isInstanceOf(Outcome.Committed.class);
  }

  private void forgetALaterOne() {
    try (TwoPhaseProcess other = owner();
        Holdfast observer = observer()) {
      other.enter("later-" + UUID.randomUUID());
      Awaitility.await()
          .atMost(PATIENCE)
          .untilAsserted(
              () -> {
                observer.twoPhase().clean();
                assertThat(observer.store().decisions().decisions("ledger", 0, Long.MAX_VALUE, 10))
                    .isEmpty();
              });
    }
  }

  @Tag("long")
  @Test
  @Attacks("twophase.recovery.live-owner")
  void anOwnerOfThreeIsPausedAtEveryOneOfItsPoints() {
    List<Predicate<Role>> points =
        List.of(
            role -> role.resource().equals("ledger") && role.action().equals("prepare"),
            role -> role.resource().equals("stock") && role.action().equals("prepare"),
            role -> role.action().equals("commit"),
            role -> role.resource().equals("ledger") && role.action().equals("commit prepared"),
            role -> role.resource().equals("stock") && role.action().equals("commit prepared"));
    for (Predicate<Role> point : points) {
      for (Moment moment : Moment.values()) {
        PausedOwner.Woken woken = paused(Kind.PAIR.with(2), point, moment, () -> {});
        assertThat(woken.findings()).as(moment + " " + woken.point()).isEmpty();
        assertThat(woken.told()).isInstanceOf(Outcome.Committed.class);
      }
    }
  }

  /** What is wrong after an owner was paused behind its prepare, beside somebody who recovers. */
  public final List<Finding> pausedOncePrepared() {
    return paused(Kind.PAIR, role -> role.action().equals("prepare"), Moment.AFTER, () -> {})
        .findings();
  }

  private PausedOwner.Woken paused(
      Kind kind, Predicate<Role> where, Moment moment, Runnable meanwhile) {
    CrashLab lab = new CrashLab();
    inDatabases(lab, kind);
    String key = "paused-" + UUID.randomUUID();
    return new PausedOwner(lab.scenario(), key, where, moment)
        .run(
            () -> {
              meanwhile.run();
              // The successor's own recovery may not have come to it yet when it has started.
              try (Holdfast recoverer = observer()) {
                recoverer.twoPhase().recover();
              }
            });
  }

  private void awaitUndecided() {
    try (Holdfast observer = observer()) {
      Awaitility.await()
          .atMost(PATIENCE)
          .until(
              () ->
                  observer.twoPhase().inDoubt().stream()
                      .noneMatch(each -> each.state() == InDoubt.State.OWNER_ALIVE));
    }
  }

  /** While it holds its question nobody else gets an answer, so that it is not too late. */
  @Test
  @Attacks("twophase.recovery.side-by-side")
  void aRecovererThatIsPausedOnItsWayToARollbackKeepsOthersFromTheBranch() throws Exception {
    String key = leaveInDoubt(false);
    try (Holdfast other = observer()) {
      Recovered meanwhile =
          pausedRecoverer("rollbackPrepared", () -> other.twoPhase().recover(), 1);
      assertThat(meanwhile).isEqualTo(new Recovered(0, 0, 1, 0));
    }
    assertThat(there(key)).containsExactly(0, 0);
  }

  /** It is committed by another, and forgotten, before the one that is paused comes to it. */
  @Test
  @Attacks("twophase.recovery.side-by-side")
  void aRecovererThatIsPausedOnItsWayToACommitFindsItDone() throws Exception {
    String key = leaveInDoubt(true);
    try (Holdfast other = observer()) {
      Recovered meanwhile =
          pausedRecoverer(
              "commitPrepared",
              () -> {
                Recovered found = other.twoPhase().recover();
                other.twoPhase().clean();
                return found;
              },
              0);
      assertThat(meanwhile).isEqualTo(new Recovered(1, 0, 0, 0));
    }
    assertThat(there(key)).containsExactly(1, 1);
  }

  /** What is done while a recoverer is paused. */
  @FunctionalInterface
  private interface Meanwhile {
    Recovered run() throws Exception;
  }

  private Recovered pausedRecoverer(String before, Meanwhile meanwhile, int ended)
      throws Exception {
    CompletableFuture<Boolean> reached = new CompletableFuture<>();
    CompletableFuture<Boolean> awake = new CompletableFuture<>();
    BranchStore real = Participant.of("ledger", Direct.to(participantUrl(0))).branches();
    Participant paused =
        Participant.of(
            "ledger",
            Intercepted.at(
                real,
                Set.of(before),
                () -> {
                  reached.complete(true);
                  Await.done(awake, PATIENCE);
                },
                Intercepted.Act.NOTHING));
    CompletableFuture<Recovered> own = new CompletableFuture<>();
    try (Holdfast recoverer =
        Holdfast.on(Direct.to(deciderUrl()))
            .participant(paused)
            .twoPhase(SETTINGS)
            .manual()
            .holdfast()) {
      CompletableFuture<?> recovery =
          LabThread.inBackground("recovery", () -> own.complete(recoverer.twoPhase().recover()));
      try {
        assertThat(Await.done(reached, PATIENCE)).as("it comes to the branch").isTrue();
        Recovered result = meanwhile.run();
        awake.complete(true);
        assertThat(Await.done(recovery, PATIENCE) && own.isDone()).as("it ends").isTrue();
        assertThat(own.join().committed() + own.join().rolledBack()).isEqualTo(ended);
        assertThat(own.join().reported()).isZero();
        return result;
      } finally {
        awake.complete(true);
      }
    }
  }

  /**
   * Leaves an operation whose owner has come to where it ends its branch, and no further.
   *
   * @return its key
   */
  private String leaveInDoubt(boolean decided) {
    prepareTables(deciderUrl(), participantUrls());
    String key = "in-doubt-" + UUID.randomUUID();
    Intercepted.Act fails =
        () -> {
          throw new SQLException("The owner dies here.", "08006");
        };
    BranchStore real = Participant.of("ledger", Direct.to(participantUrl(0))).branches();
    BranchStore dying =
        Intercepted.at(
            real,
            Set.of("commitPrepared", "rollbackPrepared", "rollback"),
            fails,
            Intercepted.Act.NOTHING);
    Participant ledger =
        Participant.of(
            "ledger",
            decided
                ? dying
                : Intercepted.at(dying, Set.of("prepare"), Intercepted.Act.NOTHING, fails));
    try (Holdfast owner =
        Holdfast.on(Direct.to(deciderUrl()))
            .participant(ledger)
            .twoPhase(SETTINGS)
            .manual()
            .holdfast()) {
      TwoPhaseProcess process =
          new TwoPhaseProcess(owner, Direct.to(deciderUrl()), List.of(ledger), settling());
      if (decided) {
        process.enter(key);
      } else {
        assertThatThrownBy(() -> process.enter(key))
            .isInstanceOf(TwoPhaseProcess.NotCommitted.class);
      }
    }
    return key;
  }

  /** How often the key is there, in the deciding database and in the first of the others. */
  private List<Integer> there(String key) throws SQLException {
    return List.of(
        Direct.number(deciderUrl(), "select count(*) from " + TABLE + " where id = ?", key),
        Direct.number(participantUrl(0), "select count(*) from " + TABLE + " where id = ?", key));
  }

  /** Each counts in both databases; both must have counted what the callers were told. */
  @Test
  @Attacks({"twophase.atomicity", "twophase.locks", "twophase.recovery.side-by-side"})
  void twoOwnersOfTheSameRows() throws Exception {
    prepareTables(deciderUrl(), participantUrls());
    String key = "shared-" + UUID.randomUUID();
    for (String url : List.of(deciderUrl(), participantUrl(0))) {
      Direct.execute(url, "insert into " + TABLE + " (id) values ('" + key + "')");
    }
    int rounds = 15;
    int told = 0;
    List<TwoPhaseProcess> owners = List.of(owner(), owner());
    try {
      List<CompletableFuture<Integer>> threads = new ArrayList<>();
      for (TwoPhaseProcess owner : owners) {
        for (int i = 0; i < 2; i++) {
          threads.add(counting(owner, key, rounds));
        }
      }
      for (CompletableFuture<Integer> thread : threads) {
        told += thread.get(PATIENCE.toSeconds() * 2, TimeUnit.SECONDS);
      }
    } finally {
      owners.forEach(TwoPhaseProcess::close);
    }
    try (Holdfast observer = observer()) {
      Awaitility.await()
          .atMost(PATIENCE)
          .untilAsserted(
              () -> {
                observer.twoPhase().recover();
                assertThat(observer.twoPhase().inDoubt()).isEmpty();
              });
    }
    assertThat(told).isPositive();
    String sql = "select n from " + TABLE + " where id = ?";
    assertThat(Direct.number(deciderUrl(), sql, key)).isEqualTo(told);
    assertThat(Direct.number(participantUrl(0), sql, key)).isEqualTo(told);
  }

  private TwoPhaseProcess owner() {
    DataSource orders = Direct.to(deciderUrl());
    Participant ledger = Participant.of("ledger", Direct.to(participantUrl(0)));
    return new TwoPhaseProcess(
        Holdfast.on(orders).participant(ledger).twoPhase(SETTINGS).start(),
        orders,
        List.of(ledger),
        settling());
  }

  /** How many of them were committed, as the caller was told. */
  private static CompletableFuture<Integer> counting(
      TwoPhaseProcess owner, String key, int rounds) {
    CompletableFuture<Integer> told = new CompletableFuture<>();
    LabThread.inBackground(
        "counting",
        () -> {
          int committed = 0;
          for (int i = 0; i < rounds; i++) {
            try {
              owner.count(key);
              committed++;
            } catch (TwoPhaseProcess.NotCommitted e) {
              // The others had the lock for too long.
            } catch (RuntimeException e) {
              told.completeExceptionally(e);
              return;
            }
          }
          told.complete(committed);
        });
    return told;
  }

  /**
   * Explores one of the operations above until a run finds something wrong: for negative controls,
   * in which a step of the protocol is taken out.
   *
   * @param operation one of this suite's, such as {@code TwoPhaseConformance::twoDatabases}
   * @throws AssertionError when every run passes
   * @throws CrashLabException when a run cannot be made
   */
  public final RunReport firstFailure(
      BiConsumer<TwoPhaseConformance, CrashLab> operation, CrashLab.Options options) {
    return Explorer.firstFailure(options, lab -> operation.accept(this, lab));
  }
}
