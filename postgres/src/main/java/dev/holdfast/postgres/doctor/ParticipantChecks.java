package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Patient.seconds;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.SchemaMismatch;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.internal.twophase.ClaimProtocol;
import dev.holdfast.internal.twophase.ClaimProtocol.Verdict;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Identity;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.PreparedBranch;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What is prepared in a participant, laid beside what the deciding database knows. Reads only:
 * where recovery finds out by an insert whether an owner is alive, this looks who holds the lock on
 * the transaction's id, and can say which session that is.
 */
final class ParticipantChecks {
  private static final String PARTICIPANT = "twophase.participant";
  private static final String CLAIM = "twophase.claim";
  private static final String IN_DOUBT = "twophase.in-doubt";

  /** The most branches that are told of a participant; the oldest come first. */
  private static final int MOST = 10;

  private final Patient patient;
  private final Participant participant;
  private final String name;
  private final BranchStore there;
  private final DecisionStore decisions;

  private ParticipantChecks(Patient patient, Participant participant) {
    this.patient = patient;
    this.participant = participant;
    this.name = participant.name();
    this.there = participant.branches();
    this.decisions = patient.store().decisions();
  }

  /**
   * @param open connects to it
   */
  static Check of(String name, Supplier<Participant> open) {
    return new Check(
        PARTICIPANT,
        patient -> {
          try {
            return new ParticipantChecks(patient, open.get()).examine();
          } catch (SchemaMismatch e) {
            return List.of(
                Finding.of(
                    Severity.FAIL,
                    PARTICIPANT,
                    name,
                    String.valueOf(e.getMessage()),
                    "No operation can prepare anything there, and what is prepared was not looked at.",
                    "holdfast schema migrate --database URL-OF-" + name,
                    Map.of()));
          } catch (InvalidConfiguration e) {
            return List.of(
                Finding.of(
                    Severity.FAIL,
                    PARTICIPANT,
                    name,
                    String.valueOf(e.getMessage()),
                    "No operation can prepare anything there; such operations fail, and are committed nowhere.",
                    "Set there what is said above.",
                    Map.of()));
          } catch (HoldfastException e) {
            return List.of(
                Finding.unknown(
                    PARTICIPANT,
                    name,
                    String.valueOf(e.getMessage()),
                    "Check --participant, its credentials, and that its server runs. What is decided and not carried out there waits."));
          }
        });
  }

  private List<Finding> examine() throws SQLException {
    there.schema().verify();
    there.verify();
    Optional<Registration> registration = decisions.participant(name);
    if (registration.isEmpty()) {
      return List.of(
          Finding.ok(
              PARTICIPANT,
              name,
              "It can take part, and has not yet: it is not registered here.",
              Map.of("slots", there.slots())));
    }
    List<Finding> result = new ArrayList<>();
    result.add(identity(registration.get()));
    Identity us = decisions.identity();
    Verdict claim =
        ClaimProtocol.judge(registration.get(), there.claim(us.storeId(), name), us.server());
    result.add(claim(claim));
    result.addAll(inDoubt(us, claim));
    return result;
  }

  private Finding identity(Registration registration) {
    if (registration.server().isSameDatabase(there.server())) {
      return Finding.ok(
          PARTICIPANT,
          name,
          "It can take part, and is the database that it was.",
          Map.of("slots", there.slots(), "cleaned_below", registration.cleaned()));
    }
    return Finding.of(
        Severity.FAIL,
        PARTICIPANT,
        name,
        "It is not the database that it was: it was the one at %s, and is the one at %s."
            .formatted(registration.server().place(), there.server().place()),
        "Nothing is begun there, and what was decided may wait in the other one.",
        "Name the other one, or, if this one has taken its place: holdfast recover --participant %1$s=URL --claim %1$s"
            .formatted(name),
        Map.of("was", registration.server().place(), "is", there.server().place()));
  }

  private Finding claim(Verdict verdict) {
    Map<String, Object> evidence = Map.of("verdict", verdict.name());
    return switch (verdict) {
      case HELD -> Finding.ok(CLAIM, name, "It obeys this server.", evidence);
      case CLAIM ->
          Finding.ok(CLAIM, name, "Nobody has claimed it yet; the first operation does.", evidence);
      case SETTLING ->
          Finding.of(
              Severity.WARN,
              CLAIM,
              name,
              "It obeys this server, whose claim has not settled.",
              "What is committed is carried out there; nothing is rolled back until the claim settles, which takes one and a half times decideWithin.",
              "Wait.",
              evidence);
      case RENEW ->
          Finding.of(
              Severity.WARN,
              CLAIM,
              name,
              "It obeys this database as it ran before: this server was restarted, promoted or copied since.",
              "Nothing is rolled back there until a process of this server has claimed it anew and the claim has settled. From a copy, do not.",
              TwoPhaseChecks.RECOVER.formatted(name),
              evidence);
      case OBJECT ->
          Finding.of(
              Severity.FAIL,
              CLAIM,
              name,
              "Another server is claiming it: a copy of this database, or one that is to replace it.",
              "When that claim settles, this server can prepare nothing there any more; any process of this server that has the participant takes it back before.",
              "Stop the copy, or this server. To take it back now: "
                  + TwoPhaseChecks.RECOVER.formatted(name),
              evidence);
      case REFUSED ->
          Finding.of(
              Severity.FAIL,
              CLAIM,
              name,
              "It obeys another database: this one is a copy or a restored backup, or a copy of it was started where this one was not running.",
              "Operations that write there fail, and nothing that is undecided is rolled back there by this database.",
              "If this one is the one to be believed, stop the other, then: holdfast recover --participant %1$s=URL --claim %1$s"
                  .formatted(name),
              evidence);
    };
  }

  private List<Finding> inDoubt(Identity us, Verdict claim) throws SQLException {
    Duration longest = patient.limits().inDoubt();
    List<PreparedBranch> all = there.prepared(us.storeId(), name, true);
    List<Finding> result = new ArrayList<>();
    long more = 0;
    for (PreparedBranch branch : all) {
      // An age of zero is one that is not known.
      boolean isOld = branch.age().compareTo(longest) >= 0 || branch.age().isZero();
      if (isOld && result.size() == MOST) {
        more++;
      } else if (isOld) {
        Finding found = inDoubt(branch, claim);
        if (found.severity() != Severity.OK) {
          result.add(found);
        }
      }
    }
    if (result.isEmpty()) {
      return List.of(
          Finding.ok(
              IN_DOUBT,
              name,
              "%d branch(es) are prepared there, none of them for long.".formatted(all.size()),
              Map.of("prepared", all.size())));
    }
    if (more > 0) {
      result.add(
          Finding.of(
              Severity.FAIL,
              IN_DOUBT,
              name,
              "%d more are prepared there.".formatted(more),
              "They keep their locks.",
              "holdfast recover --participant %s=URL --list".formatted(name),
              Map.of("more", more)));
    }
    return result;
  }

  /** The session that has the deciding transaction open; without a pid it is itself prepared. */
  private record Owner(@Nullable Integer pid, String text) {}

  /**
   * Asked before the decision is looked for: a transaction that was over then is seen, if it is
   * committed. Everybody sees who holds a lock; more only those who may see others' sessions.
   */
  private static final String OWNER =
      """
      select l.pid, a.usename::text as holder, a.application_name as application,
             a.client_addr::text as client, a.state
      from pg_locks l left join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted
        and l.transactionid = (?::bigint & 4294967295)::text::xid
      """;

  private Optional<Owner> owner(Gid gid) throws SQLException {
    return patient.many(OWNER, ParticipantChecks::owner, gid.serial()).stream().findFirst();
  }

  private static Owner owner(ResultSet row) throws SQLException {
    int pid = row.getInt("pid");
    if (row.wasNull()) {
      return new Owner(null, "a transaction that is prepared itself");
    }
    List<String> known = new ArrayList<>();
    for (String column : List.of("holder", "application", "client", "state")) {
      String value = row.getString(column);
      if (value != null && !value.isEmpty()) {
        known.add(value);
      }
    }
    return new Owner(
        pid, "session " + pid + (known.isEmpty() ? "" : " (" + String.join(", ", known) + ")"));
  }

  private Finding inDoubt(PreparedBranch branch, Verdict claim) throws SQLException {
    Gid gid = branch.gid();
    Optional<Owner> owner = owner(gid);
    if (owner.isPresent()) {
      return branch.age().isZero()
          ? Finding.ok(IN_DOUBT, "Its owner is at it.")
          : ownerAlive(branch, owner.get());
    }
    List<String> decided =
        patient.many(
            "select coalesce(operation_id, '') from ${schema}.decision where serial = ? and nonce = ?",
            row -> row.getString(1),
            gid.serial(),
            gid.nonce());
    if (!decided.isEmpty()) {
      return over(
          branch,
          "COMMITTED",
          decided.get(0),
          "Its operation%s is committed, and so has to be the branch."
              .formatted(decided.get(0).isEmpty() ? "" : " " + decided.get(0)),
          byRecovery(there.statement(gid, true)));
    }
    long cleaned = decisions.participant(name).map(Registration::cleaned).orElse(0L);
    if (gid.serial() <= cleaned) {
      return over(
          branch,
          "TOO_OLD",
          "",
          "Its decision, if there was one, has been forgotten: the participant may have lost its commit in a failover or a restore.",
          "If the operation's effects are in the deciding database: %s; if not: %s; at the participant, then: holdfast recover --acknowledge %s --note 'WHO, and what was done'"
              .formatted(there.statement(gid, true), there.statement(gid, false), gid));
    }
    return claim == Verdict.HELD
        ? over(
            branch,
            "ROLLED_BACK",
            "",
            "Its operation is committed nowhere and never will be, so that the branch has to be rolled back.",
            byRecovery(there.statement(gid, false)))
        : over(
            branch,
            "NOT_OURS_TO_ABORT",
            "",
            "Here its operation is not committed, and this database may not say so: see twophase.claim.",
            "See twophase.claim.");
  }

  private String byRecovery(String statement) {
    return "%s; or, at the participant: %s;"
        .formatted(TwoPhaseChecks.RECOVER.formatted(name), statement);
  }

  private Map<String, Object> evidence(PreparedBranch branch, String state) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("gid", branch.gid().text());
    result.put("participant", name);
    result.put("state", state);
    result.put("age_seconds", branch.age().toSeconds());
    result.put("owner", branch.owner());
    result.put("locks", branch.locks());
    return result;
  }

  private String found(PreparedBranch branch, String what) {
    return "The branch %s is prepared at %s%s%s. %s"
        .formatted(
            branch.gid(),
            participant,
            branch.age().isZero() ? "" : " for " + seconds(branch.age().toMillis() / 1000.0),
            branch.locks() < 0 ? "" : " and holds %d locks".formatted(branch.locks()),
            what);
  }

  private Finding ownerAlive(PreparedBranch branch, Owner owner) {
    Map<String, Object> evidence = evidence(branch, "OWNER_ALIVE");
    TransactionChecks.put(evidence, "pid", owner.pid());
    return Finding.of(
        Severity.WARN,
        IN_DOUBT,
        branch.gid().text(),
        found(
            branch,
            "Its owner is alive: the deciding transaction is open, of %s.".formatted(owner.text())),
        "Its locks are kept until that ends. It can be committed for as long as decideWithin says, and is rolled back after that.",
        owner.pid() == null
            ? "See transactions.prepared."
            : "select pg_terminate_backend(%d); -- at the deciding database".formatted(owner.pid()),
        evidence);
  }

  private Finding over(
      PreparedBranch branch, String state, String operation, String what, String remedy) {
    Map<String, Object> evidence = evidence(branch, state);
    evidence.put("operation", operation);
    return Finding.of(
        Severity.FAIL,
        IN_DOUBT,
        branch.gid().text(),
        found(branch, what),
        "Its owner is dead, and its locks are kept until it is ended. Every process that has this participant does so within seconds: none runs, or none may.",
        remedy,
        evidence);
  }
}
