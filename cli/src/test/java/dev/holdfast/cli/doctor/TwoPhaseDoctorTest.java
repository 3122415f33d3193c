package dev.holdfast.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.cli.recover.Interrupted;
import dev.holdfast.cli.recover.Interrupted.Databases;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The doctor with participants that are named; what it finds is tested where it is found. */
class TwoPhaseDoctorTest {
  @Test
  void whatIsInDoubtIsFoundAtTheParticipantsThatAreNamed() throws Exception {
    Databases databases = Databases.create();
    Interrupted owner = new Interrupted(databases, "a").decided();

    assertThat(Run.line("doctor --database", databases.orders()).out())
        .contains("NOT ASKED twophase.in-doubt [ledger]");
    Run run =
        Run.line(
            "doctor --max-in-doubt 0 --database",
            databases.orders(),
            "--participant",
            "ledger=" + databases.ledger());

    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out())
        .contains("FAIL      twophase.in-doubt [" + owner.gid + "]")
        .contains("or, at the participant: commit prepared '" + owner.gid + "';");
    String elsewhere = Run.line("doctor --max-in-doubt 0 --database", databases.ledger()).out();
    assertThat(elsewhere)
        .contains("FAIL      transactions.prepared [" + owner.gid + "]")
        .contains("> holdfast recover --database URL-OF-THE-DECIDING-DATABASE");

    TestDatabases.execute(databases.ledger(), "commit prepared '" + owner.gid + "'");
    Run well =
        Run.line(
            "doctor --json --max-in-doubt 0 --database",
            databases.orders(),
            "--participant",
            "ledger=" + databases.ledger());
    assertThat(well.status()).isZero();
    String manual = Files.readString(Path.of("..", "docs", "operating.md"));
    for (JsonNode each : well.json().path("findings")) {
      assertThat(manual).contains("`" + each.path("id").asText() + "`");
    }
  }

  @Test
  void aParticipantThatDoesNotAnswerIsStatusThree() throws Exception {
    Databases databases = Databases.create();

    Run run =
        Run.line(
            "doctor --database",
            databases.orders(),
            "--participant",
            "ledger=postgresql://me:s3cret@127.0.0.1:1/x");

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.out())
        .contains("UNKNOWN   twophase.participant [ledger]")
        .doesNotContain("s3cret");
    assertThat(Run.line("doctor --max-in-doubt -1 --database", databases.orders()).error())
        .contains("--max-in-doubt");
  }
}
