package dev.holdfast.cli.prove.twophase;

import dev.holdfast.HoldfastException;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Runs operations in processes of their own while faults strike, in rounds; after each round all is
 * let come to rest, and counted. Of one thread.
 */
final class Trial implements AutoCloseable {
  private static final Duration ROUND = Duration.ofSeconds(12);
  private static final Duration TO_REST = Duration.ofSeconds(90);
  private static final int OWNERS = 3;
  private static final int SHOWN = 5;

  /** What a process has to have done before it is worth killing. */
  private static final int AT_WORK = 20;

  /** A round with fewer operations would say little; it goes on, within bounds. */
  private static final int LEAST = 100;

  private static final Duration LONGEST_ROUND = Duration.ofMinutes(1);

  private final PostgresServer orders;
  private final PostgresServer ledger;
  private final Mutant mutant;
  private final Random random;
  private final PrintWriter out;
  private final List<Owner> owners = new ArrayList<>();
  private final Map<String, Character> told = new HashMap<>();
  private final List<Databases> recoverers = new ArrayList<>();
  private final Tally tally = new Tally();
  private int nextOwner;

  /** What was done, for the report. */
  static final class Tally {
    int rounds;
    long operations;
    long unknown;
    int kills;
    int pauses;
    int sessions;
    int restarts;
    int restored;

    /** Operations that were never begun cannot have been violated. */
    boolean saysLittle() {
      return operations < (long) rounds * LEAST;
    }

    String text() {
      return "%d rounds, %,d operations with a known outcome and %,d without; %d processes killed, %d stopped for a while, %d sessions and %d servers killed, %d commits of the second database lost and planted again"
          .formatted(rounds, operations, unknown, kills, pauses, sessions, restarts, restored);
    }
  }

  Trial(PostgresServer orders, PostgresServer ledger, Mutant mutant, long seed, PrintWriter out) {
    this.orders = orders;
    this.ledger = ledger;
    this.mutant = mutant;
    this.random = new Random(seed);
    this.out = out;
    try (Databases setUp = databases(false)) {
      setUp.store.schema().migrate();
      setUp.participant.branches().schema().migrate();
    }
    for (PostgresServer server : List.of(orders, ledger)) {
      execute(server, "create table entry (id text primary key)");
    }
    // Several at once, beside those in the processes that run operations.
    recoverers.add(databases(true));
    recoverers.add(databases(true));
  }

  private Databases databases(boolean recovers) {
    return new Databases(orders.jdbcUrl(), ledger.jdbcUrl(), mutant, false, recovers);
  }

  Tally tally() {
    return tally;
  }

  /**
   * @return what was violated, in sentences; empty when nothing was
   */
  List<String> round() {
    tally.rounds++;
    long began = Doorbell.nanos();
    while (Doorbell.nanos() - began < ROUND.toNanos()
        || (done() < LEAST && Doorbell.nanos() - began < LONGEST_ROUND.toNanos())) {
      keepUp();
      pause(50 + random.nextInt(300));
      strike();
    }
    for (Owner owner : List.copyOf(owners)) {
      kill(owner);
    }
    List<String> violations = new ArrayList<>();
    if (!comesToRest()) {
      violations.add(
          "Something is left prepared after everything had come to rest: " + head(prepared()));
      return violations;
    }
    compare(violations);
    heuristics(violations);
    if (violations.isEmpty()) {
      restore(violations);
    }
    progress(violations);
    told.clear();
    for (PostgresServer server : List.of(orders, ledger)) {
      execute(server, "truncate entry");
    }
    return violations;
  }

  private int done() {
    return told.size() + owners.stream().mapToInt(owner -> owner.told().size()).sum();
  }

  /** One that was started while a server was down has given up. */
  private void keepUp() {
    owners.stream().filter(owner -> !owner.isAlive()).toList().forEach(this::kill);
    while (owners.size() < OWNERS) {
      owners.add(owner());
    }
  }

  private void progress(List<String> violations) {
    out.printf(
        "round %d: %,d operations in both databases, %s%n",
        tally.rounds,
        ids(orders).size(),
        violations.isEmpty() ? "none in one alone" : violations.size() + " violation(s)");
    out.flush();
  }

  private Owner owner() {
    nextOwner++;
    return new Owner(
        orders.jdbcUrl(), ledger.jdbcUrl(), mutant, "p" + nextOwner, random.nextBoolean());
  }

  private void strike() {
    switch (random.nextInt(16)) {
      case 0, 1, 2 -> {
        Optional<Owner> victim = working();
        victim.ifPresent(this::kill);
        tally.kills += victim.isPresent() ? 1 : 0;
      }
      case 3, 4, 5, 6, 7, 8, 9, 10 -> {
        Optional<Owner> victim = working();
        if (victim.isPresent()) {
          victim.get().pause();
          tally.pauses++;
          // Now and then for longer than a decision may take.
          pause(random.nextInt(12) == 0 ? 2_500 : 150);
          victim.get().resume();
        }
      }
      case 11, 12, 13, 14 -> {
        PostgresServer server = random.nextBoolean() ? orders : ledger;
        killSomeSession(server);
        tally.sessions++;
      }
      default -> {
        PostgresServer server = random.nextBoolean() ? orders : ledger;
        server.killServer();
        server.restart();
        tally.restarts++;
      }
    }
  }

  /** One that is at it: a process that is killed while it starts would prove nothing. */
  private Optional<Owner> working() {
    List<Owner> all = owners.stream().filter(owner -> owner.told().size() >= AT_WORK).toList();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
  }

  private void kill(Owner owner) {
    owner.resume();
    owner.kill();
    owners.remove(owner);
    told.putAll(owner.told());
    owner.told().values().forEach(outcome -> count(outcome));
  }

  private void count(char outcome) {
    if (outcome == 'u') {
      tally.unknown++;
    } else {
      tally.operations++;
    }
  }

  private static void killSomeSession(PostgresServer server) {
    // Of one that is in the middle of something, where there is such.
    execute(
        server,
        """
        select pg_terminate_backend(pid) from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid()
        order by state = 'idle', random() limit 1
        """);
  }

  private boolean comesToRest() {
    long until = Doorbell.nanos() + TO_REST.toNanos();
    while (Doorbell.nanos() < until) {
      if (prepared().isEmpty()) {
        return true;
      }
      pause(50);
    }
    return false;
  }

  private void compare(List<String> violations) {
    Set<String> here = ids(orders);
    Set<String> there = ids(ledger);
    report(violations, minus(here, there), "in the first database and not in the second");
    report(violations, minus(there, here), "in the second database and not in the first");
    Set<String> lost = new TreeSet<>();
    Set<String> undead = new TreeSet<>();
    told.forEach(
        (id, outcome) -> {
          if (outcome == 'c' && !here.contains(id)) {
            lost.add(id);
          }
          if (outcome == 'f' && here.contains(id)) {
            undead.add(id);
          }
        });
    report(violations, lost, "told to be committed and not there");
    report(violations, undead, "told to be committed nowhere and there");
  }

  private static void report(List<String> violations, Set<String> ids, String what) {
    if (!ids.isEmpty()) {
      violations.add("%,d operation(s) %s: %s".formatted(ids.size(), what, head(ids)));
    }
  }

  private static Set<String> minus(Set<String> all, Set<String> without) {
    Set<String> result = new TreeSet<>(all);
    result.removeAll(without);
    return result;
  }

  private static List<String> head(Set<String> ids) {
    return ids.stream().limit(SHOWN).toList();
  }

  private void heuristics(List<String> violations) {
    for (Heuristic each : unacknowledged()) {
      violations.add(
          "Nobody has ended a branch by hand, and %s is reported: %s"
              .formatted(each.gid(), each.kind().text()));
    }
  }

  private List<Heuristic> unacknowledged() {
    return recoverers.get(0).store.decisions().heuristics(100).stream()
        .filter(each -> each.acknowledged() == null)
        .toList();
  }

  /**
   * The second database fails over and loses a commit whose decision is forgotten by then: the
   * branch is prepared again. It must be reported, and be left to a person, who knows that it was
   * committed.
   */
  private void restore(List<String> violations) {
    List<String> witness = awaitForgottenWitness();
    if (witness.isEmpty()) {
      return;
    }
    tally.restored++;
    String id = witness.get(0);
    Gid gid = Gid.parse(witness.get(1)).orElseThrow();
    execute(
        ledger,
        "begin; delete from entry where id = '%s'; commit; begin; insert into entry values ('%s'); prepare transaction '%s'"
            .formatted(id, id, gid));
    long until = Doorbell.nanos() + TO_REST.toNanos();
    while (unacknowledged().stream().noneMatch(each -> each.gid().equals(gid))) {
      if (prepared().isEmpty()) {
        violations.add(
            "%s was committed, and then lost by the second database in a failover; its branch was rolled back there"
                .formatted(id));
        return;
      }
      if (Doorbell.nanos() > until) {
        violations.add(gid + " is in doubt, and nobody reports it");
        return;
      }
      pause(50);
    }
    pause(500);
    if (prepared().isEmpty()) {
      violations.add(gid + " was reported, and then ended all the same");
      return;
    }
    execute(ledger, "commit prepared '" + gid + "'");
    recoverers.get(0).store.decisions().acknowledge(gid, "committed by hand");
    compare(violations);
  }

  /**
   * An operation whose decision is forgotten: its id, and its branch, which is as good as any other
   * since the witness is gone as well.
   */
  private List<String> awaitForgottenWitness() {
    Databases any = recoverers.get(0);
    String id = "restored-" + tally.rounds;
    String[] gid = new String[1];
    try {
      new dev.holdfast.twophase.Atomic(any.coordinator)
          .with(any.participant)
          .operationId(id)
          .run(
              tx -> {
                tx.update("insert into entry (id) values (?)", id);
                tx.on(any.participant).update("insert into entry (id) values (?)", id);
              });
      gid[0] = lastGid(id);
      long until = Doorbell.nanos() + TO_REST.toNanos();
      while (gid[0] != null && Boolean.TRUE.equals(isDecided(id))) {
        if (Doorbell.nanos() > until) {
          return List.of();
        }
        pause(50);
      }
    } catch (HoldfastException e) {
      return List.of();
    }
    return gid[0] == null ? List.of() : List.of(id, gid[0]);
  }

  private @Nullable String lastGid(String id) {
    List<String> found =
        list(
            orders,
            "select s.store_id || ' ' || d.serial || ' ' || d.nonce from holdfast.decision d, holdfast.store s where d.operation_id = '%s'"
                .formatted(id));
    if (found.isEmpty()) {
      return null;
    }
    String[] parts = found.get(0).split(" ");
    return new Gid(
            java.util.UUID.fromString(parts[0]),
            Long.parseLong(parts[1]),
            Long.parseLong(parts[2]),
            "ledger")
        .text();
  }

  private boolean isDecided(String id) {
    return !list(orders, "select 1 from holdfast.decision where operation_id = '" + id + "'")
        .isEmpty();
  }

  private Set<String> prepared() {
    return new HashSet<>(list(ledger, "select gid from pg_prepared_xacts"));
  }

  private static Set<String> ids(PostgresServer server) {
    return new HashSet<>(list(server, "select id from entry"));
  }

  private static void execute(PostgresServer server, String sql) {
    try (Connection connection = DriverManager.getConnection(server.jdbcUrl());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private static List<String> list(PostgresServer server, String sql) {
    List<String> result = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(server.jdbcUrl());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        result.add(rows.getString(1));
      }
    } catch (SQLException e) {
      throw failed(e);
    }
    return result;
  }

  private static HoldfastException failed(SQLException e) {
    return new HoldfastException(
        "A server did not answer ("
            + e.getMessage()
            + "). The proof is over, and says nothing. Run it again.",
        e);
  }

  private static void pause(int millis) {
    try {
      new Doorbell().await(Duration.ofMillis(millis));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HoldfastException("Interrupted. The proof is over, and says nothing.", e);
    }
  }

  @Override
  public void close() {
    for (Owner owner : List.copyOf(owners)) {
      owner.resume();
      owner.kill();
    }
    recoverers.forEach(Databases::close);
  }
}
