package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Clinic.ill;
import static dev.holdfast.postgres.doctor.Clinic.limits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What operations across two databases have left, seen from either; remedies are pasted. */
final class TwoPhaseChecksTest {
  private static final Duration BOUND = Duration.ofSeconds(30);
  private static final Limits ALL_AGES = limits(Duration.ZERO);

  private final Clinic orders = Clinic.healthy();
  private final Clinic ledger = new Clinic();
  private final Participant participant = Operation.takePart(orders, ledger);

  @AfterEach
  void endWhatIsPrepared() throws SQLException {
    List<String> gids = new ArrayList<>();
    try (Connection connection = ledger.connect();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select gid from pg_prepared_xacts where database = current_database()")) {
      while (rows.next()) {
        gids.add(rows.getString(1));
      }
    }
    for (String gid : gids) {
      ledger.execute("rollback prepared '" + gid + "'");
    }
  }

  private List<Finding> examine(Limits limits) {
    return examine(orders.dataSource, limits, () -> participant);
  }

  private static List<Finding> examine(
      DataSource dataSource, Limits limits, Supplier<Participant> open) {
    return new PostgresDoctor(dataSource, "holdfast", limits, InstantSource.system())
        .ofParticipants(Map.of("ledger", open));
  }

  private static Finding one(List<Finding> findings, String id) {
    List<Finding> found = findings.stream().filter(each -> each.id().equals(id)).toList();
    assertThat(found).as(id).hasSize(1);
    return found.get(0);
  }

  private Finding one(String id) {
    return one(examine(ALL_AGES), id);
  }

  private static String remedy(Finding finding) {
    return Objects.requireNonNull(finding.remedy());
  }

  /** What it says is to be typed at the participant. */
  private static String statement(Finding finding) {
    String mark = "at the participant: ";
    return remedy(finding).substring(remedy(finding).indexOf(mark) + mark.length());
  }

  @Test
  void whereNothingIsLeftEverythingIsFine() {
    assertThat(
            new PostgresDoctor(
                    orders.dataSource, "holdfast", Limits.DEFAULT, InstantSource.system())
                .examine(null, Map.of("ledger", () -> participant)))
        .filteredOn(each -> each.id().startsWith("twophase."))
        .allSatisfy(each -> assertThat(each.severity()).isEqualTo(Severity.OK))
        .extracting(Finding::id)
        .containsExactlyInAnyOrder(
            "twophase.decisions",
            "twophase.heuristics",
            "twophase.proposals",
            "twophase.obeys",
            "twophase.slots",
            "twophase.participant",
            "twophase.claim",
            "twophase.in-doubt");
    assertThat(Clinic.healthy().examine(Limits.DEFAULT))
        .filteredOn(each -> each.id().startsWith("twophase."))
        .hasSize(6)
        .allSatisfy(each -> assertThat(each.severity()).isEqualTo(Severity.OK));
  }

  @Test
  void aParticipantThatIsNotNamedIsSaidNotToHaveBeenAsked() {
    assertThat(orders.examine(Limits.DEFAULT))
        .filteredOn(each -> each.severity() == Severity.NOT_ASKED)
        .singleElement()
        .satisfies(
            each -> {
              assertThat(each.id()).isEqualTo("twophase.in-doubt");
              assertThat(each.subject()).isEqualTo("ledger");
              assertThat(remedy(each)).contains("--participant ledger=");
            });
  }

  @Test
  void aBranchWhoseOwnerIsAliveIsToldWithTheSessionThatEndsIt() throws SQLException {
    try (Operation operation = new Operation(orders, participant, "op")) {
      Finding found = ill(one("twophase.in-doubt"), Severity.WARN);
      assertThat(found.subject()).isEqualTo(operation.gid.text());
      assertThat(found.evidence())
          .containsEntry("state", "OWNER_ALIVE")
          .containsEntry("pid", operation.pid)
          .containsEntry("owner", "postgres");
      assertThat(((Number) Objects.requireNonNull(found.evidence().get("locks"))).longValue())
          .isPositive();
      // Not for long, and so no reason to say anything.
      assertThat(one(examine(Limits.DEFAULT), "twophase.in-doubt").severity())
          .isEqualTo(Severity.OK);

      orders.execute(remedy(found));
      await()
          .atMost(BOUND)
          .until(() -> "ROLLED_BACK".equals(one("twophase.in-doubt").evidence().get("state")));
    }
    ledger.execute(statement(ill(one("twophase.in-doubt"), Severity.FAIL)));
    assertThat(one("twophase.in-doubt").severity()).isEqualTo(Severity.OK);
  }

  /** Who may not see others' sessions still sees that there is one. */
  @Test
  void anOwnerIsSeenToBeAliveByWhoMaySeeNoSessions() throws SQLException {
    orders.execute(
        "drop role if exists watcher",
        "create role watcher login",
        "grant usage on schema holdfast to watcher",
        "grant select on all tables in schema holdfast to watcher",
        "grant execute on all functions in schema holdfast to watcher");
    PGSimpleDataSource watcher = Clinic.source(Clinic.SERVER.jdbcUrl(orders.database));
    watcher.setUrl(watcher.getUrl().replaceAll("user=postgres", "user=watcher"));
    try (Operation operation = new Operation(orders, participant, "op")) {
      assertThat(one(examine(watcher, ALL_AGES, () -> participant), "twophase.in-doubt").evidence())
          .containsEntry("state", "OWNER_ALIVE")
          .containsEntry("pid", operation.pid);
      operation.undecided();
    } finally {
      orders.execute("drop owned by watcher", "drop role watcher");
    }
  }

  @Test
  void aBranchThatWasDecidedIsToldWithItsOperationAndTheStatementThatCommitsIt()
      throws SQLException {
    Operation operation = new Operation(orders, participant, "order-4711").decided();

    Finding found = ill(one("twophase.in-doubt"), Severity.FAIL);

    assertThat(found.evidence())
        .containsEntry("state", "COMMITTED")
        .containsEntry("operation", "order-4711");
    assertThat(statement(found)).isEqualTo("commit prepared '" + operation.gid + "';");
    assertThat(remedy(found)).startsWith("holdfast recover --participant ledger=URL");
    ledger.execute(statement(found));
    assertThat(one("twophase.in-doubt").severity()).isEqualTo(Severity.OK);
  }

  @Test
  void aBranchWhoseDecisionMayBeForgottenIsLeftToAPerson() throws SQLException {
    Operation operation = new Operation(orders, participant, "op").undecided();
    orders.execute("update holdfast.participant set cleaned = " + operation.gid.serial());

    Finding found = ill(one("twophase.in-doubt"), Severity.FAIL);

    assertThat(found.evidence()).containsEntry("state", "TOO_OLD");
    assertThat(remedy(found))
        .contains("commit prepared '", "rollback prepared '", "--acknowledge " + operation.gid);
  }

  @Test
  void onlyTheOldestAreToldOfMany() throws SQLException {
    List<Gid> gids = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      gids.add(new Operation(orders, participant, "op-" + i).decided().gid);
    }

    List<Finding> found =
        examine(ALL_AGES).stream().filter(each -> each.id().equals("twophase.in-doubt")).toList();

    assertThat(found).hasSize(11);
    assertThat(found.stream().limit(10).map(Finding::subject))
        .containsExactlyElementsOf(
            gids.stream().limit(10).map(Gid::text).collect(Collectors.toList()));
    assertThat(found.get(10).evidence()).containsEntry("more", 2L);
  }

  @Test
  void whatAnotherDatabaseHasClaimedIsNotToldToBeRolledBack() throws SQLException {
    new Operation(orders, participant, "op").undecided();
    ledger.execute("update holdfast.claim set token = gen_random_uuid()");

    List<Finding> found = examine(ALL_AGES);

    assertThat(remedy(ill(one(found, "twophase.claim"), Severity.FAIL))).contains("--claim ledger");
    assertThat(one(found, "twophase.claim").evidence()).containsEntry("verdict", "REFUSED");
    Finding branch = ill(one(found, "twophase.in-doubt"), Severity.FAIL);
    assertThat(branch.evidence()).containsEntry("state", "NOT_OURS_TO_ABORT");
    assertThat(remedy(branch)).doesNotContain("rollback");
  }

  @Test
  void everyStateOfAClaimIsTold() throws SQLException {
    assertThat(one("twophase.claim").evidence()).containsEntry("verdict", "HELD");

    ledger.execute("update holdfast.claim set settles_at = clock_timestamp() + interval '1 h'");
    assertThat(ill(one("twophase.claim"), Severity.WARN).evidence())
        .containsEntry("verdict", "SETTLING");
    Finding there = ill(ledger.one("twophase.obeys"), Severity.WARN);
    assertThat(
            ((Number) Objects.requireNonNull(there.evidence().get("settles_in_seconds")))
                .longValue())
        .isBetween(3_000L, 3_600L);

    ledger.execute(
        "update holdfast.claim set previous = token, previous_started = started, token = gen_random_uuid()");
    assertThat(ill(one("twophase.claim"), Severity.FAIL).evidence())
        .containsEntry("verdict", "OBJECT");

    ledger.execute(
        "update holdfast.claim set token = previous, previous = null, previous_started = null,"
            + " settles_at = clock_timestamp(), started = 'earlier'");
    assertThat(ill(one("twophase.claim"), Severity.WARN).evidence())
        .containsEntry("verdict", "RENEW");
    assertThat(ledger.one("twophase.obeys").severity()).isEqualTo(Severity.OK);

    ledger.execute("delete from holdfast.claim");
    assertThat(one("twophase.claim").evidence()).containsEntry("verdict", "CLAIM");
  }

  /** Claims are looked at, and not made, as recovery does. */
  @Test
  void lookingChangesNothingAtEither() throws SQLException {
    new Operation(orders, participant, "op").undecided();
    ledger.execute("update holdfast.claim set started = 'earlier'");

    examine(ALL_AGES);

    assertThat(one("twophase.claim").evidence()).containsEntry("verdict", "RENEW");
    assertThat(one("twophase.in-doubt").evidence()).containsEntry("state", "NOT_OURS_TO_ABORT");
  }

  @Test
  void aParticipantThatCannotTakePartSaysWhy() throws SQLException {
    Clinic empty = new Clinic();
    Finding untouched =
        one(
            examine(orders.dataSource, ALL_AGES, () -> Participant.of("ledger", empty.dataSource)),
            "twophase.participant");
    assertThat(remedy(ill(untouched, Severity.FAIL))).startsWith("holdfast schema migrate");

    empty.store.schema().migrate();
    Finding another =
        one(
            examine(orders.dataSource, ALL_AGES, () -> Participant.of("ledger", empty.dataSource)),
            "twophase.participant");
    assertThat(ill(another, Severity.FAIL).found()).contains("not the database that it was");

    PGSimpleDataSource nowhere = Clinic.source("jdbc:postgresql://127.0.0.1:1/x?user=postgres");
    Finding unreachable =
        one(
            examine(orders.dataSource, ALL_AGES, () -> Participant.of("ledger", nowhere)),
            "twophase.participant");
    assertThat(unreachable.severity()).isEqualTo(Severity.UNKNOWN);
    assertThat(unreachable.subject()).isEqualTo("ledger");
  }

  @Test
  void aServerWithoutSlotsIsFoundFromBothSides() throws SQLException {
    try (PostgresServer server =
        PostgresServer.builder().setting("max_prepared_transactions", "0").start()) {
      PGSimpleDataSource unable = Clinic.source(server.jdbcUrl());
      Participant other = Participant.of("ledger", unable);
      other.branches().schema().migrate();
      Finding there =
          one(examine(orders.dataSource, ALL_AGES, () -> other), "twophase.participant");
      assertThat(ill(there, Severity.FAIL).found()).contains("max_prepared_transactions is 0");

      other
          .branches()
          .claim(
              orders.store.decisions().identity().storeId(),
              "ledger",
              null,
              new Claim(
                  UUID.randomUUID(),
                  null,
                  null,
                  orders.store.decisions().identity().server(),
                  Duration.ZERO));
      Finding itself =
          one(
              new PostgresDoctor(unable, "holdfast", ALL_AGES, InstantSource.system())
                  .only("twophase.slots"),
              "twophase.slots");
      assertThat(remedy(ill(itself, Severity.FAIL))).contains("max_prepared_transactions");
    }
  }

  @Test
  void slotsThatAreNearlyUsedUpAreFoundAtTheParticipant() throws SQLException {
    assertThat(ledger.one("twophase.slots").severity()).isEqualTo(Severity.OK);
    for (int i = 0; i < 16; i++) {
      new Operation(orders, participant, "op-" + i).undecided();
    }
    assertThat(ill(ledger.one("twophase.slots"), Severity.WARN).evidence())
        .containsEntry("max_prepared_transactions", 20)
        .containsEntry("of_holdfast", 16);
    for (int i = 16; i < 19; i++) {
      new Operation(orders, participant, "op-" + i).undecided();
    }
    ill(ledger.one("twophase.slots"), Severity.FAIL);
  }

  /** What an operator is told who has the participant's database alone. */
  @Test
  void aBranchIsToldAtTheParticipantWithWhoseDecisionItWaitsForAndNoStatementToEndIt()
      throws SQLException {
    Operation operation = new Operation(orders, participant, "op").decided();

    Finding found = ill(ledger.one("transactions.prepared", ALL_AGES), Severity.FAIL);

    assertThat(found.evidence())
        .containsEntry("gid", operation.gid.text())
        .containsEntry("store", operation.gid.storeId().toString())
        .containsEntry("participant", "ledger")
        .containsEntry("decider", orders.store.decisions().identity().server().place());
    assertThat(remedy(found))
        .startsWith("holdfast recover --database")
        .doesNotContain("rollback", "commit");
    assertThat(remedy(ill(ledger.one("transactions.horizon", ALL_AGES), Severity.WARN)))
        .startsWith("holdfast recover")
        .doesNotContain("rollback");
    // Sooner than what others prepare: recovery needs seconds.
    assertThat(
            ledger
                .one("transactions.prepared", Limits.DEFAULT.withInDoubt(Duration.ZERO))
                .severity())
        .isEqualTo(Severity.FAIL);
    assertThat(ledger.one("transactions.prepared").severity()).isEqualTo(Severity.OK);
  }

  @Test
  void decisionsThatNobodyHasComparedForLongAreFound() throws SQLException {
    orders.execute(
        "insert into holdfast.decision (serial, nonce, participants, operation_id, decided_at, within_ms)"
            + " select 1000000000000, 7, '{ledger}', 'op', clock_timestamp() - interval '2 h', 100000000");

    Finding found = ill(orders.one("twophase.decisions"), Severity.WARN);
    assertThat(found.subject()).isEqualTo("ledger");
    assertThat(found.evidence()).containsEntry("decisions", 1L);

    orders.execute("update holdfast.participant set cleaned = 1000000000000");
    assertThat(orders.one("twophase.decisions").severity()).isEqualTo(Severity.OK);
  }

  @Test
  void outcomesThatNobodyTookNoteOfAreFoundOneByOne() {
    Map<Heuristic.Kind, Gid> gids = new EnumMap<>(Heuristic.Kind.class);
    for (Heuristic.Kind kind : Heuristic.Kind.values()) {
      Gid gid = new Gid(orders.store.decisions().identity().storeId(), 5, gids.size(), "ledger");
      gids.put(kind, gid);
      orders.store.decisions().record(new Heuristic(gid, "order-4711", kind, Instant.EPOCH, null));
    }

    List<Finding> found = orders.of("twophase.heuristics", Limits.DEFAULT);
    assertThat(found)
        .hasSize(3)
        .allSatisfy(
            each -> {
              ill(each, Severity.FAIL);
              assertThat(each.evidence()).containsEntry("operation", "order-4711");
              assertThat(remedy(each)).contains("holdfast recover --acknowledge " + each.subject());
            });

    gids.values()
        .forEach(
            gid -> assertThat(orders.store.decisions().acknowledge(gid, "ann: done")).isTrue());
    assertThat(orders.one("twophase.heuristics").severity()).isEqualTo(Severity.OK);
  }

  @Test
  void aClaimThatWasBegunAndNeverConfirmedIsFound() throws SQLException {
    orders.execute(
        "update holdfast.participant set next_claim = gen_random_uuid(), next_started = 'x'");

    assertThat(remedy(ill(orders.one("twophase.proposals"), Severity.WARN)))
        .isEqualTo("holdfast recover --participant ledger=URL");
  }
}
