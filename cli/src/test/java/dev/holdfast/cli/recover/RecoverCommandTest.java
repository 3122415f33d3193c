package dev.holdfast.cli.recover;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.cli.recover.Interrupted.Databases;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An operator's nights with operations across two databases. */
class RecoverCommandTest {
  private final Databases databases;

  RecoverCommandTest() throws SQLException {
    databases = Databases.create();
  }

  @AfterEach
  void endWhatIsPrepared() throws SQLException {
    databases.endWhatIsPrepared();
  }

  private Run recover(String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "recover",
                "--database",
                databases.orders(),
                "--participant",
                "ledger=" + databases.ledger()));
    arguments.addAll(List.of(more));
    return Run.of(arguments.toArray(String[]::new));
  }

  private static JsonNode json(Run run, int status) throws Exception {
    assertThat(run.err()).isEmpty();
    JsonNode json = new ObjectMapper().readTree(run.out());
    assertThat(run.status()).isEqualTo(status).isEqualTo(json.path("status").asInt());
    return json;
  }

  @Test
  void oneRoundCommitsWhatWasDecidedAndRollsTheRestBack() throws Exception {
    new Interrupted(databases, "a").decided();
    new Interrupted(databases, "b").undecided();

    JsonNode round = json(recover("--json"), 0).at("/participants/0");

    assertThat(round.path("participant").asText()).isEqualTo("ledger");
    assertThat(round.path("committed").asInt()).isEqualTo(1);
    assertThat(round.path("rolled_back").asInt()).isEqualTo(1);
    assertThat(databases.entries()).isEqualTo("a / a");
    assertThat(recover().result())
        .containsPattern("ledger +0 +0 +0 +0")
        .contains("Nothing is in doubt there.");
  }

  @Test
  void whatIsLeftSaysWhyAndIsStatusOne() throws Exception {
    try (Interrupted owner = new Interrupted(databases, "a")) {
      Run run = recover();

      assertThat(run.status()).isEqualTo(1);
      assertThat(run.out())
          .containsPattern("ledger +0 +0 +1 +0")
          .contains("owner alive", owner.gid + ": its owner's transaction is open");
      owner.decided();
    }
    recover().result();
    assertThat(databases.entries()).isEqualTo("a / a");
  }

  @Test
  void theListShowsWhatToTypeAndChangesNothing() throws Exception {
    Interrupted decided = new Interrupted(databases, "a").decided();
    Interrupted undecided = new Interrupted(databases, "b").undecided();

    Run list = recover("--list");
    assertThat(list.status()).isEqualTo(1);
    assertThat(list.out())
        .containsPattern("ledger +\\d+ s +committed +\\d+ +postgres +of a +" + decided.gid)
        .contains("commit prepared '" + decided.gid + "';")
        .contains("rollback prepared '" + undecided.gid + "';");
    JsonNode json = json(recover("--list", "--json"), 1);
    assertThat(json.path("in_doubt").findValuesAsText("state"))
        .containsExactlyInAnyOrder("COMMITTED", "ROLLED_BACK");
    assertThat(json.at("/in_doubt/0/locks").asInt()).isPositive();

    for (JsonNode each : json.path("in_doubt")) {
      TestDatabases.execute(databases.ledger(), each.path("statement").asText());
    }
    assertThat(recover("--list").result()).contains("Nothing is in doubt there.");
    assertThat(databases.entries()).isEqualTo("a / a");
  }

  /** A list from a copy of the deciding database must not take its participants over. */
  @Test
  void theListRenewsNoClaim() throws Exception {
    new Interrupted(databases, "a").undecided();
    TestDatabases.execute(databases.ledger(), "update holdfast.claim set started = 'earlier'");

    assertThat(json(recover("--list", "--json"), 1).at("/in_doubt/0/state").asText())
        .isEqualTo("NOT_OURS_TO_ABORT");
    assertThat(json(recover("--list", "--json"), 1).at("/in_doubt/0/state").asText())
        .isEqualTo("NOT_OURS_TO_ABORT");

    // A round does, and rolls back when the claim has settled, after a quarter of an hour here.
    Run round = recover("--decide-within", "600");
    assertThat(round.status()).isEqualTo(1);
    assertThat(round.out()).contains("not ours to abort", "has not settled");
  }

  @Test
  void whatWasEndedByHandIsReportedUntilSomebodyTakesNote() throws Exception {
    Interrupted owner = new Interrupted(databases, "a").decided();
    String gid = owner.gid.text();
    TestDatabases.execute(
        databases.orders(),
        "insert into holdfast.heuristic (gid, serial, participant, operation_id, kind)"
            + " values ('%s', %d, 'ledger', 'of a', 'ROLLED_BACK')"
                .formatted(gid, owner.gid.serial()));
    TestDatabases.execute(databases.ledger(), "rollback prepared '" + gid + "'");

    Run reported = recover();
    assertThat(reported.status()).isEqualTo(1);
    assertThat(reported.out())
        .contains("Reported: " + gid, "operation of a", "--acknowledge " + gid);

    assertThat(recover("--acknowledge", gid, "--note", "ann: entered again").result())
        .contains("noted");
    assertThat(recover().result()).doesNotContain("Reported");
    assertThat(recover("--list").result()).contains("Noted: ann: entered again");
    assertThat(recover("--acknowledge", gid, "--note", "bob").error())
        .contains("nobody has taken note of");
    assertThat(recover("--acknowledge", gid, "--note", " ").error()).contains("note");
    assertThat(recover("--acknowledge", "x", "--note", "bob").error())
        .contains("names no branch of Holdfast's");
  }

  @Test
  void aClaimIsMadeWhenItIsConfirmedAndNotOtherwise() throws Exception {
    new Interrupted(databases, "a").undecided();
    TestDatabases.execute(
        databases.ledger(), "update holdfast.claim set token = gen_random_uuid()");

    Run refused = answer("no\n", "--claim", "ledger");
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err())
        .contains("Participant ledger obeys the server at", "Type yes", "so nothing was done");
    assertThat(answer("", "--claim", "ledger").status()).isEqualTo(1);
    assertThat(recover().status()).isEqualTo(1);

    Run claimed = answer("yes\n", "--claim", "ledger");
    assertThat(claimed.status()).isZero();
    assertThat(claimed.out()).contains("obeys this database now");
    assertThat(recover("--json").json().at("/participants/0/rolled_back").asInt()).isEqualTo(1);
    assertThat(databases.entries()).isEqualTo("- / -");

    assertThat(recover("--claim", "ledger", "--yes", "--json").json().path("claimed").asBoolean())
        .isTrue();
    assertThat(recover("--claim", "billing", "--yes").error())
        .contains("--participant billing=URL");
  }

  private Run answer(String text, String... more) {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    try {
      return recover(more);
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void participantsThatAreNotNamedAreSaidNotToHaveBeenLookedAt() {
    assertThat(Run.of("recover", "--database", databases.orders()).error())
        .contains("No participant is named", "This database knows: ledger at");
    assertThat(Run.of("recover", "--list", "--database", databases.orders()).result())
        .contains("Participant ledger, last seen at", "not looked at");
    assertThat(
            Run.of("recover", "--list", "--json", "--database", databases.orders())
                .json()
                .at("/not_named/0")
                .asText())
        .isEqualTo("ledger");
  }

  @Test
  void oneThatCannotBeAskedIsStatusThreeAndKeepsNobodyWaiting() throws Exception {
    new Interrupted(databases, "a").decided();

    Run run =
        recover(
            "--participant", "archive=postgresql://me:s3cret@127.0.0.1:1/archive",
            "--participant", "else=jdbc:nothing://h/d?password=s3cret");

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.out())
        .containsPattern("ledger +1 +0 +0 +0")
        .containsPattern("archive +- +- +- +-")
        .contains(
            "Participant archive: The database jdbc:postgresql://127.0.0.1:1/archive cannot be used")
        .contains("--participant archive")
        .contains("Participant else: There is no driver")
        .doesNotContain("s3cret");
    assertThat(databases.entries()).isEqualTo("a / a");
  }

  /** PostgreSQL lets nobody else end what a user has prepared. */
  @Test
  void whoeverMayNotEndABranchIsToldAndSeesWhoMay() throws Exception {
    new Interrupted(databases, "a").decided();
    TestDatabases.execute(
        databases.ledger(),
        Run.line("schema print --roles").result(),
        "create role clerk_of_another login password 'right'",
        "grant holdfast_writer to clerk_of_another");

    Run run =
        Run.of(
            "recover",
            "--database",
            databases.orders(),
            "--participant",
            "ledger="
                + databases
                    .ledger()
                    .replaceAll("user=[^&]*", "user=clerk_of_another&password=right"));

    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out())
        .contains("Participant ledger: ", "permission denied to finish prepared transaction")
        .containsPattern("ledger +\\d+ s +committed +\\d+ +postgres ");
    assertThat(databases.entries()).isEqualTo("a / -");
  }

  @Test
  void anotherDatabaseInTheParticipantsPlaceIsToldAndNotTouched() {
    String other = TestDatabases.create();
    Run.line("schema migrate --database", other).result();

    Run run =
        Run.of("recover", "--database", databases.orders(), "--participant", "ledger=" + other);

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.out()).contains("is not the database that it was");
  }

  @Test
  void whatCannotBeMeantIsSaid() {
    assertThat(recover("--participant", "ledger=jdbc:postgresql://h/d").error())
        .contains("names ledger twice");
    Run malformed = recover("--participant", "Ledger=postgresql://me:s3cret@h/d");
    assertThat(malformed.status()).isEqualTo(2);
    assertThat(malformed.err().lines().findFirst().orElseThrow())
        .contains("expected NAME=URL")
        .doesNotContain("s3cret");
    assertThat(recover("--decide-within", "0").error()).contains("decideWithin");
  }
}
