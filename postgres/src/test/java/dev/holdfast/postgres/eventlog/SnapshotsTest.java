package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.UnreadableData;
import dev.holdfast.eventlog.decider.Decisions;
import dev.holdfast.eventlog.decider.Snapshots;
import dev.holdfast.jackson.JacksonCodec;
import dev.holdfast.postgres.eventlog.Accounts.Account;
import dev.holdfast.postgres.eventlog.Accounts.PaidIn;
import dev.holdfast.postgres.eventlog.Accounts.PayIn;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** States that are kept: they save reading, and change nothing else. */
final class SnapshotsTest {
  private static final Snapshots<Account> EVERY_THIRD =
      Snapshots.of(1, Account.class, new JacksonCodec()).every(3);

  private final Log log = new Log();
  private final Decisions<Accounts.Command, Accounts.Event, Account> plain =
      new Decisions<>(log.holdfast, Accounts.DECIDER, Accounts.TYPES);
  private final Decisions<Accounts.Command, Accounts.Event, Account> accounts =
      plain.keeping(EVERY_THIRD);

  @AfterEach
  void end() {
    log.close();
  }

  private void payIn(int times) {
    for (int i = 0; i < times; i++) {
      accounts.handle("a", UUID.randomUUID(), new PayIn(10));
    }
  }

  private long keptAt() throws SQLException {
    return log.ask("select coalesce(max(version), 0) from ${schema}.event_snapshot");
  }

  @Test
  void aStreamIsReadFromWhatIsKeptOn() throws Exception {
    payIn(2);
    assertThat(keptAt()).isZero();
    payIn(3);
    assertThat(keptAt()).isEqualTo(3);
    payIn(1);
    assertThat(keptAt()).isEqualTo(6);
    payIn(1);
    assertThat(accounts.state("a").state()).isEqualTo(plain.state("a").state());
    assertThat(accounts.state("a").version()).isEqualTo(7);
    // What is in the state is not read any more.
    log.execute("delete from ${schema}.event where version < 6");
    assertThatThrownBy(() -> plain.state("a")).isInstanceOf(UnreadableData.class);
    assertThat(accounts.handle("a", UUID.randomUUID(), new PayIn(10)).state())
        .isEqualTo(new Account(80, false));
  }

  @Test
  void aCommandThatWasCarriedOutBeforeIsNotCarriedOutAgain() throws SQLException {
    UUID id = UUID.randomUUID();
    accounts.handle("a", id, new PayIn(1));
    payIn(5);
    assertThat(keptAt()).isPositive();
    var again = accounts.handle("a", id, new PayIn(1));
    assertThat(again.events()).containsExactly(new PaidIn(1));
    assertThat(again.state()).isEqualTo(new Account(51, false));
    assertThat(log.ask("select count(*) from ${schema}.event")).isEqualTo(6);
  }

  @Test
  void whatDoesNotFitOrCannotBeReadIsPassedOver() throws Exception {
    payIn(3);
    for (String damage :
        new String[] {
          "set event_id = gen_random_uuid()",
          "set version = 77",
          "set version = 2",
          "set state = '{'",
          "set state_version = 0"
        }) {
      log.execute("update ${schema}.event_snapshot " + damage);
      assertThat(accounts.state("a").state()).isEqualTo(plain.state("a").state());
      log.execute("delete from ${schema}.event_snapshot");
      payIn(1);
      assertThat(keptAt()).isPositive();
    }
  }

  @Test
  void aLaterFormReplacesAnEarlierOneAndIsNotReplacedByIt() throws SQLException {
    payIn(3);
    var later = plain.keeping(Snapshots.of(2, Account.class, new JacksonCodec()).every(1));
    assertThat(later.handle("a", UUID.randomUUID(), new PayIn(10)).state().cents()).isEqualTo(40);
    payIn(5);
    assertThat(log.list("select state_version || '@' || version from ${schema}.event_snapshot"))
        .containsExactly("2@4");
  }

  @Test
  void whatIsRolledBackOrTooLargeIsNotKept() throws Exception {
    assertThatThrownBy(
            () ->
                log.holdfast.transact(
                    tx -> {
                      for (int i = 0; i < 4; i++) {
                        accounts.handle(tx, "a", UUID.randomUUID(), new PayIn(10));
                      }
                      throw new IllegalStateException("no");
                    }))
        .hasMessage("no");
    assertThat(keptAt()).isZero();
    log.execute("update ${schema}.store set max_payload_bytes = 14");
    payIn(4);
    assertThat(keptAt()).isZero();
    assertThat(accounts.state("a").version()).isEqualTo(4);
  }

  @Test
  void saysWhatCannotBe() {
    assertThatThrownBy(() -> EVERY_THIRD.every(0)).isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> Snapshots.of(0, Account.class, new JacksonCodec()))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("Nothing was built");
  }
}
