package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Clinic.ill;
import static dev.holdfast.postgres.doctor.Clinic.limits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Message;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.Upkeep;
import dev.holdfast.postgres.doctor.PostgresDoctor.Role;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Channels, storage, version and rights, each ill once. */
final class StoreChecksTest {
  private final Clinic clinic = Clinic.healthy();

  @Test
  void channelThatIsPausedOrStoppedSaysWhy() {
    clinic.store.channels().setState("orders", ChannelState.PAUSED, "ann", "broker upgrade");
    Finding paused = ill(clinic.one("channel.state"), Severity.WARN);
    assertThat(paused.found()).contains("broker upgrade");
    assertThat(paused.remedy()).isEqualTo("holdfast outbox resume --channel orders");

    clinic.store.channels().setState("orders", ChannelState.STOPPED, "relay", "a clone");
    assertThat(ill(clinic.one("channel.state"), Severity.FAIL).found()).contains("a clone");
  }

  @Test
  void channelWithoutALeaderIsFoundAfterAMoment() {
    clinic.store.channels().register("audit", List.of("audit"));

    assertThat(clinic.of("channel.leader", Limits.DEFAULT))
        .extracting(Finding::severity)
        .containsOnly(Severity.OK);
    assertThat(clinic.of("channel.leader", limits(Duration.ZERO)))
        .filteredOn(each -> each.subject().equals("audit"))
        .first()
        .satisfies(each -> ill(each, Severity.FAIL));
    clinic.store.channels().setState("audit", ChannelState.PAUSED, "ann", null);
    assertThat(clinic.of("channel.leader", limits(Duration.ZERO)))
        .extracting(Finding::severity)
        .containsOnly(Severity.OK);
  }

  @Test
  void lagIsMeasuredAgainstItsLimit() throws SQLException {
    clinic.publish("k");
    assertThat(clinic.one("channel.lag").severity()).isEqualTo(Severity.OK);
    clinic.execute("update holdfast.message_0 set recorded_at = recorded_at - interval '5 min'");

    assertThat(ill(clinic.one("channel.lag"), Severity.WARN).evidence())
        .containsEntry("messages", 1L);
    ill(clinic.one("channel.lag", Limits.DEFAULT.withLag(Duration.ofSeconds(1))), Severity.FAIL);
  }

  @Test
  void parkedKeysAreListed() throws SQLException {
    Cursor start = clinic.store.channels().progress("orders").cursor();
    clinic.publish("k");
    List<OutboxRecord> rows =
        clinic.store.log().read("orders", start, new OutboxLog.Limit(9, 9999), true).records();
    clinic
        .store
        .parking()
        .park(
            new Lease("channel/orders", "relay-1", 1),
            "orders",
            Map.of("k:k", "no such topic"),
            Map.of("k:k", rows.get(0).position()),
            rows);

    assertThat(ill(clinic.one("channel.parked"), Severity.WARN).found())
        .contains("1 key(s)", "k:k: no such topic");
  }

  @Test
  void overdueDelayedMessagesAreFound() throws SQLException {
    try (Connection connection = clinic.connect()) {
      connection.setAutoCommit(false);
      clinic
          .store
          .writer()
          .publish(
              connection,
              "op",
              List.of(
                  Message.to("orders").deliverAt(Instant.now().plus(Duration.ofHours(1))).build()));
      connection.commit();
    }
    assertThat(clinic.one("channel.delayed").severity()).isEqualTo(Severity.OK);
    clinic.execute("update holdfast.delayed set due_at = due_at - interval '2 hours'");

    ill(clinic.one("channel.delayed"), Severity.FAIL);
  }

  /** Message_0 is full of what is long delivered, were it not for somebody. */
  private void keepOldSegment() throws SQLException {
    clinic.execute(
        "update holdfast.message_0 set recorded_at = recorded_at - interval '3 hours'",
        "update holdfast.ring set current = 1 where name = 'message'");
  }

  @Test
  void channelThatHoldsTheTailIsNamed() throws SQLException {
    clinic.publish("k");
    assertThat(clinic.one("storage.segments").evidence()).containsEntry("tail_channel", "orders");
    keepOldSegment();

    Finding found = ill(clinic.one("storage.segments"), Severity.WARN);

    assertThat(found.subject()).isEqualTo("orders");
    assertThat(found.found()).contains("MB per hour");
    assertThat(found.remedy()).contains("unroute --channel orders");
  }

  @Test
  void transactionThatHoldsTheTailIsNamed() throws SQLException {
    clinic.publish("k");
    try (Connection holder = clinic.publishing("other")) {
      OutboxLog.Limit all = new OutboxLog.Limit(9, 9999);
      Cursor start = clinic.store.channels().progress("orders").cursor();
      Cursor end = clinic.store.log().read("orders", start, all, true).end();
      Lease lease = new Lease("channel/orders", "relay-1", 1);
      assertThat(clinic.store.channels().saveProgress(lease, "orders", end, "r")).isTrue();
      keepOldSegment();

      Finding found = ill(clinic.one("storage.segments"), Severity.WARN);

      assertThat(found.found()).contains("is open, which has written");
      assertThat(found.remedy()).startsWith("select pg_terminate_backend(");
      clinic.execute(String.valueOf(found.remedy()));
    }
  }

  @Test
  void upkeepThatNobodyDoesIsFound() throws SQLException {
    clinic.execute("update holdfast.ring set rotated_at = rotated_at - interval '2 hours'");

    assertThat(ill(clinic.one("storage.upkeep"), Severity.WARN).subject()).isEqualTo("attempt");
    clinic.execute("update holdfast.ring set rotated_at = rotated_at - interval '2 days'");
    assertThat(clinic.of("storage.upkeep", Limits.DEFAULT))
        .extracting(Finding::subject)
        .containsExactly("attempt", "dedupe");
  }

  @Test
  void storeThatKeepsNothingIsFound() {
    clinic.store.upkeep().configure(new Upkeep.Settings(Duration.ZERO, null, null));

    ill(clinic.one("storage.retention"), Severity.WARN);
  }

  @Test
  void positionsThatRunOutAreFound() throws SQLException {
    clinic.execute("select setval('holdfast.message_position', 9100000000000000000)");

    ill(clinic.one("storage.runway"), Severity.WARN);
  }

  @Test
  void tableWithoutAutovacuumIsFoundAndTheRemedySetsItAgain() throws SQLException {
    clinic.execute("alter table holdfast.lease set (autovacuum_enabled = off)");

    Finding found = ill(clinic.one("storage.autovacuum"), Severity.WARN);

    assertThat(found.found()).contains("lease");
    clinic.execute(String.valueOf(found.remedy()));
    assertThat(clinic.one("storage.autovacuum").severity()).isEqualTo(Severity.OK);
  }

  @Test
  void databaseWithoutChannelsIsFound() {
    Clinic empty = new Clinic();
    empty.store.schema().migrate();

    ill(empty.one("channel.none"), Severity.WARN);
  }

  @Test
  void versionsOfTheTablesAreCompared() throws SQLException {
    clinic.execute(
        "insert into holdfast.schema_version (version, name)"
            + " select max(version) + 1, 'next' from holdfast.schema_version");
    ill(clinic.one("schema.version"), Severity.WARN);
    assertThat(clinic.of("channel.state", Limits.DEFAULT)).isNotEmpty();

    clinic.execute("insert into holdfast.schema_version (version, name) values (99, 'future')");
    assertThat(ill(clinic.one("schema.version"), Severity.FAIL).found()).contains("version 99");
    assertThat(clinic.examine(Limits.DEFAULT))
        .extracting(Finding::id)
        .contains("schema.version")
        .doesNotContain("channel.state", "roles.rights");

    clinic.execute("delete from holdfast.schema_version where version > 1");
    assertThat(ill(clinic.one("schema.version"), Severity.FAIL).found()).contains("version 1");

    assertThat(ill(new Clinic().one("schema.version"), Severity.FAIL).remedy())
        .isEqualTo("holdfast schema migrate --schema holdfast");
  }

  @Test
  void rightsAreThoseOfTheRolesThatArePrinted() throws SQLException {
    clinic.execute(clinic.store.schema().printRoles());
    for (Role role : Role.values()) {
      clinic.execute(
          "create role %s login in role holdfast_%s, pg_read_all_stats"
              .formatted(only(role), role.name().toLowerCase(Locale.ROOT)));
    }
    for (Role role : Role.values()) {
      String user = only(role);
      clinic.dataSource.setUrl(as(user));
      for (Role wanted : Role.values()) {
        // A relay may do what the others may, too.
        boolean has = role == wanted || role == Role.RELAY;
        Finding found =
            clinic.examine(Limits.DEFAULT, wanted).stream()
                .filter(each -> each.id().equals("roles.rights"))
                .findFirst()
                .orElseThrow();
        assertThat(found.severity())
            .as("%s wants %s: %s", user, wanted, found.found())
            .isEqualTo(has ? Severity.OK : Severity.FAIL);
      }
    }
    // An admin may look at all of it.
    assertThat(clinic.examine(Limits.DEFAULT))
        .extracting(Finding::severity)
        .containsOnly(Severity.OK);
  }

  private static String only(Role role) {
    return "only_" + role.name().toLowerCase(Locale.ROOT);
  }

  private String as(String user) {
    return Clinic.SERVER.jdbcUrl(clinic.database).replace("user=postgres", "user=" + user)
        + "&sslmode=disable&gssEncMode=disable";
  }

  @Test
  void whatAUserWithoutRightsCannotAskIsSaid() throws SQLException {
    clinic.execute("create role stranger login");
    clinic.dataSource.setUrl(as("stranger"));

    List<Finding> findings = clinic.examine(Limits.DEFAULT);

    ill(clinic.one("roles.statistics"), Severity.WARN);
    ill(clinic.one("roles.rights"), Severity.WARN);
    assertThat(findings)
        .filteredOn(each -> each.severity() == Severity.UNKNOWN)
        .extracting(Finding::id)
        .contains("schema.version", "channel", "storage.segments");
  }
}
