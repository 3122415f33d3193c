package dev.holdfast.mariadb;

import static dev.holdfast.mariadb.TestServers.execute;
import static dev.holdfast.mariadb.TestServers.list;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Isolation;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.BranchStore.Witness;
import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.Finish;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.PreparedBranch;
import dev.holdfast.twophase.store.Server;
import dev.holdfast.twophase.store.StaleClaim;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What MariaDB does as a participant, step by step. */
final class MariaDbBranchesTest {
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(1);
  private static final Server HOLDER = new Server("system", "1", 1, "here:5432", "today");
  private static final AtomicLong SERIALS = new AtomicLong();

  private final UUID storeId = UUID.randomUUID();
  private final UUID token = UUID.randomUUID();
  private HikariDataSource database;
  private BranchStore store;

  @BeforeEach
  void open() throws SQLException {
    database = TestServers.mariaDb();
    execute(database, "create table entry (id varchar(100) primary key)");
    store = new MariaDbParticipantProvider().open(database, "holdfast");
    assertThat(store.schema().migrate()).containsExactly(1);
    store.schema().verify();
    store.verify();
    assertThat(store.claim(storeId, "ledger", null, claim(token, null))).isTrue();
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static Claim claim(UUID token, @Nullable UUID previous) {
    return new Claim(token, previous, null, HOLDER, Duration.ofSeconds(30));
  }

  private Gid gid() {
    return new Gid(storeId, SERIALS.incrementAndGet(), -SERIALS.get() * 7, "ledger");
  }

  private void begin(Connection connection, Gid gid, Isolation isolation) throws SQLException {
    store.begin(connection, gid, isolation, LOCK_TIMEOUT);
    execute(connection, "insert into entry values ('" + gid + "')");
  }

  private void prepare(Connection connection, Gid gid) throws SQLException {
    begin(connection, gid, Isolation.READ_COMMITTED);
    store.prepare(connection, gid, "operation", token);
  }

  /** Prepares, and leaves it to others. */
  private Gid orphan() throws SQLException {
    Gid gid = gid();
    Connection connection = store.connect();
    prepare(connection, gid);
    TestServers.abandon(connection);
    return gid;
  }

  private List<String> entries() throws SQLException {
    return list(database, "select id from entry order by id");
  }

  private List<Gid> prepared() {
    return store.prepared(storeId, "ledger", true).stream().map(PreparedBranch::gid).toList();
  }

  /** The server takes a moment to notice that a connection is gone. */
  private void endByAnother(Gid gid, boolean commit, Finish expected) {
    Awaitility.await()
        .untilAsserted(
            () -> {
              try (Connection connection = store.connect()) {
                Finish answer =
                    commit
                        ? store.commitPrepared(connection, gid)
                        : store.rollbackPrepared(connection, gid);
                assertThat(answer).isEqualTo(expected);
              }
            });
  }

  @ParameterizedTest
  @EnumSource(Isolation.class)
  void whatIsPreparedIsCommittedByItsConnection(Isolation isolation) throws SQLException {
    Gid gid = gid();
    try (Connection connection = store.connect()) {
      begin(connection, gid, isolation);
      store.prepare(connection, gid, "operation", token);
      assertThat(entries()).isEmpty();
      assertThat(prepared()).containsExactly(gid);
      assertThat(store.witnessed(List.of(gid))).isEmpty();

      assertThat(store.commitPrepared(connection, gid)).isEqualTo(Finish.DONE);
      assertThat(store.commitPrepared(connection, gid)).isEqualTo(Finish.NOT_PREPARED);
    }
    assertThat(entries()).containsExactly(gid.text());
    assertThat(store.witnessed(List.of(gid, gid()))).containsExactly(gid);
    assertThat(prepared()).isEmpty();
  }

  @Test
  void whatIsPreparedIsRolledBackByItsConnection() throws SQLException {
    Gid gid = gid();
    try (Connection connection = store.connect()) {
      prepare(connection, gid);
      assertThat(store.rollbackPrepared(connection, gid)).isEqualTo(Finish.DONE);
      assertThat(store.rollbackPrepared(connection, gid)).isEqualTo(Finish.NOT_PREPARED);
    }
    assertThat(entries()).isEmpty();
    assertThat(store.witnessed(List.of(gid))).isEmpty();
  }

  @Test
  void itIsHeldByItsConnectionUntilThatCloses() throws SQLException {
    Gid gid = gid();
    Connection connection = store.connect();
    prepare(connection, gid);
    endByAnother(gid, true, Finish.HELD);
    endByAnother(gid, false, Finish.HELD);
    TestServers.abandon(connection);
    endByAnother(gid, true, Finish.DONE);
    assertThat(entries()).containsExactly(gid.text());
  }

  @Test
  void aBranchAndItsAgeSurviveAKillOfTheServer() throws SQLException {
    Gid committed = orphan();
    Gid rolledBack = orphan();
    Awaitility.await()
        .until(
            () ->
                store.prepared(storeId, "ledger", false).stream()
                    .allMatch(each -> each.age().compareTo(Duration.ofSeconds(1)) > 0));

    TestServers.MariaDb.SERVER.kill();
    TestServers.MariaDb.SERVER.restart();

    assertThat(store.prepared(storeId, "ledger", true))
        .extracting(PreparedBranch::gid)
        .containsExactly(committed, rolledBack);
    assertThat(store.prepared(storeId, "ledger", true))
        .allSatisfy(
            each -> {
              assertThat(each.age()).isBetween(Duration.ofSeconds(1), Duration.ofMinutes(3));
              assertThat(each.owner()).startsWith("root@");
            });
    assertThat(store.prepared(storeId, "other", false)).isEmpty();
    assertThat(store.prepared(UUID.randomUUID(), "ledger", false)).isEmpty();
    endByAnother(committed, true, Finish.DONE);
    endByAnother(rolledBack, false, Finish.DONE);
    assertThat(entries()).containsExactly(committed.text());
  }

  @Test
  void strangeXidsOfOthersAreLeftAlone() throws SQLException {
    try (Connection stranger = store.connect()) {
      execute(stranger, "xa start 0xff00, 0xfe, 18502");
      execute(stranger, "insert into entry values ('stranger')");
      execute(stranger, "xa end 0xff00, 0xfe, 18502");
      execute(stranger, "xa prepare 0xff00, 0xfe, 18502");
      Gid ours = orphan();
      assertThat(prepared()).containsExactly(ours);
      execute(stranger, "xa rollback 0xff00, 0xfe, 18502");
      endByAnother(ours, false, Finish.DONE);
    }
  }

  @ParameterizedTest
  @EnumSource(Isolation.class)
  void nothingIsPreparedUnderAnotherClaim(Isolation isolation) throws SQLException {
    UUID next = UUID.randomUUID();
    Gid gid = gid();
    try (Connection connection = store.connect()) {
      // The snapshot is from before the claim was replaced.
      begin(connection, gid, isolation);
      list(connection, "select id from entry");
      assertThat(store.claim(storeId, "ledger", token, claim(next, token))).isTrue();
      assertThatThrownBy(() -> store.prepare(connection, gid, "operation", token))
          .isInstanceOf(StaleClaim.class);
      store.rollback(connection, gid);
      assertThat(prepared()).isEmpty();

      begin(connection, gid, isolation);
      store.prepare(connection, gid, "operation", next);
      assertThat(store.commitPrepared(connection, gid)).isEqualTo(Finish.DONE);
    }
    assertThat(entries()).containsExactly(gid.text());
  }

  /** Those who claim do so in order to end what is prepared. */
  @ParameterizedTest
  @EnumSource(Isolation.class)
  void whatIsPreparedDoesNotKeepAnybodyFromClaiming(Isolation isolation) throws SQLException {
    UUID next = UUID.randomUUID();
    Gid gid = gid();
    try (Connection connection = store.connect()) {
      begin(connection, gid, isolation);
      store.prepare(connection, gid, "operation", token);
      assertThat(store.claim(storeId, "ledger", token, claim(next, token))).isTrue();
      assertThat(store.rollbackPrepared(connection, gid)).isEqualTo(Finish.DONE);
    }
  }

  @Test
  void aClaimIsComparedAndSet() {
    UUID next = UUID.randomUUID();
    assertThat(store.claim(storeId, "ledger", null, claim(next, null))).isFalse();
    assertThat(store.claim(storeId, "ledger", next, claim(next, null))).isFalse();
    assertThat(
            store.claim(
                storeId, "ledger", token, new Claim(next, token, "then", HOLDER, Duration.ZERO)))
        .isTrue();

    Claim there = store.claim(storeId, "ledger").orElseThrow();
    assertThat(there).isEqualTo(new Claim(next, token, "then", HOLDER, Duration.ZERO));
    assertThat(store.claim(storeId, "other")).isEmpty();

    assertThat(store.claim(storeId, "ledger", next, claim(token, next))).isTrue();
    assertThat(store.claim(storeId, "ledger").orElseThrow().settlesIn())
        .isBetween(Duration.ofSeconds(1), Duration.ofSeconds(30));
  }

  @Test
  void theConnectionGoesBackToItsPoolAsItCame() throws SQLException {
    String settings =
        "select @@innodb_lock_wait_timeout, @@lock_wait_timeout, @@idle_transaction_timeout,"
            + " @@autocommit, @@tx_isolation, @@in_transaction";
    try (Connection connection = store.connect()) {
      List<String> before = list(connection, settings);
      for (int way = 0; way < 4; way++) {
        Gid gid = gid();
        begin(connection, gid, Isolation.SERIALIZABLE);
        assertThat(list(connection, settings)).isNotEqualTo(before);
        switch (way) {
          case 0 -> store.rollback(connection, gid);
          case 1 -> store.commitAlone(connection, gid, attempt(), "operation");
          default -> {
            store.prepare(connection, gid, "operation", token);
            assertThat(
                    way == 2
                        ? store.commitPrepared(connection, gid)
                        : store.rollbackPrepared(connection, gid))
                .isEqualTo(Finish.DONE);
          }
        }
        assertThat(list(connection, settings)).isEqualTo(before);
      }
    }
  }

  @Test
  void theServerClosesAConnectionThatIsLeftAloneSoonerWhenItIsPrepared() throws SQLException {
    String idle = "select @@idle_transaction_timeout";
    Gid gid = gid();
    try (Connection connection = store.connect()) {
      begin(connection, gid, Isolation.READ_COMMITTED);
      assertThat(list(connection, idle)).containsExactly("600");
      store.prepare(connection, gid, "operation", token);
      assertThat(list(connection, idle)).containsExactly("30");
      assertThat(store.rollbackPrepared(connection, gid)).isEqualTo(Finish.DONE);

      execute(connection, "set session idle_transaction_timeout = 20");
      begin(connection, gid, Isolation.READ_COMMITTED);
      assertThat(list(connection, idle)).containsExactly("20");
      store.rollback(connection, gid);
      execute(connection, "set session idle_transaction_timeout = default");
    }
  }

  @Test
  void waitsForLocksAreBoundedAndMayBeTriedAgain() throws SQLException {
    Gid first = gid();
    Gid second = gid();
    try (Connection one = store.connect();
        Connection two = store.connect()) {
      prepare(one, first);
      store.begin(two, second, Isolation.READ_COMMITTED, Duration.ofMillis(1));
      long start = System.nanoTime();
      SQLException e =
          catchThrowableOfType(
              SQLException.class, () -> execute(two, "insert into entry values ('" + first + "')"));
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
      assertThat(store.isRetryable(e)).isTrue();
      assertThat(store.isReplyLost(e)).isFalse();
      store.rollback(two, second);
      assertThat(store.rollbackPrepared(one, first)).isEqualTo(Finish.DONE);
    }
  }

  @Test
  void aLostConnectionLeavesOpenWhatWasDone() throws SQLException {
    Gid gid = gid();
    try (Connection connection = store.connect()) {
      begin(connection, gid, Isolation.READ_COMMITTED);
      String id = list(connection, "select connection_id()").get(0);
      execute(database, "kill " + id);
      SQLException e =
          catchThrowableOfType(
              SQLException.class, () -> store.prepare(connection, gid, "operation", token));
      assertThat(store.isReplyLost(e)).isTrue();
      assertThat(store.isRetryable(e)).isFalse();
    }
    assertThat(prepared()).isEmpty();
  }

  private static Attempt attempt() {
    return new Attempt(UUID.randomUUID(), Instant.now());
  }

  @Test
  void aCommitAloneCanBeAskedAbout() throws SQLException {
    Attempt attempt = attempt();
    Gid gid = gid();
    try (Connection connection = store.connect()) {
      begin(connection, gid, Isolation.READ_COMMITTED);
      store.commitAlone(connection, gid, attempt, "operation");
    }
    assertThat(store.resolve(attempt)).isEqualTo(new Outcome.Committed());
    assertThat(entries()).containsExactly(gid.text());
    assertThat(store.witnessed(List.of(gid))).isEmpty();
  }

  @Test
  void anAttemptThatWasAskedAboutFirstNeverCommits() throws SQLException {
    Attempt attempt = attempt();
    Gid gid = gid();
    assertThat(store.resolve(attempt)).isInstanceOf(Outcome.Rejected.class);
    try (Connection connection = store.connect()) {
      begin(connection, gid, Isolation.READ_COMMITTED);
      SQLException e =
          catchThrowableOfType(
              SQLException.class, () -> store.commitAlone(connection, gid, attempt, "operation"));
      assertThat(store.isReplyLost(e)).isFalse();
      store.rollback(connection, gid);
    }
    assertThat(entries()).isEmpty();
    assertThat(store.resolve(attempt)).isInstanceOf(Outcome.Rejected.class);
  }

  @Test
  void anAttemptIsNotKnownWhileItIsUnderWayOrWhenItIsOld() throws SQLException {
    Attempt attempt = attempt();
    Gid gid = gid();
    try (Connection connection = store.connect()) {
      begin(connection, gid, Isolation.READ_COMMITTED);
      execute(
          connection,
          "insert into holdfast_attempt values ('%s', true, null, utc_timestamp(6))"
              .formatted(attempt.id()));
      assertThat(store.resolve(attempt)).isInstanceOf(Outcome.Unknown.class);
      store.rollback(connection, gid);
    }
    Attempt old = new Attempt(UUID.randomUUID(), Instant.now().minus(Duration.ofHours(2)));
    assertThat(store.resolve(old)).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void anyTextIsAnOperationsId() throws SQLException {
    String id = "it's \\ \"quoted\" ?; xa end 'x' {ts} € 😀";
    Gid gid = gid();
    try (Connection connection = store.connect()) {
      begin(connection, gid, Isolation.READ_COMMITTED);
      store.prepare(connection, gid, id, token);
      assertThat(store.commitPrepared(connection, gid)).isEqualTo(Finish.DONE);
    }
    assertThat(store.witnesses(storeId, "ledger", 0, Long.MAX_VALUE, 10))
        .containsExactly(new Witness(gid.serial(), gid.nonce(), id));
  }

  @Test
  void forgetsWitnessesBesideABranchInDoubt() throws SQLException {
    Gid first = gid();
    Gid second = gid();
    for (Gid gid : List.of(first, second)) {
      try (Connection connection = store.connect()) {
        prepare(connection, gid);
        assertThat(store.commitPrepared(connection, gid)).isEqualTo(Finish.DONE);
      }
    }
    Gid inDoubt = orphan();
    assertThat(store.witnesses(storeId, "ledger", 0, Long.MAX_VALUE, 1))
        .containsExactly(new Witness(first.serial(), first.nonce(), "operation"));

    long start = System.nanoTime();
    assertThat(store.forgotten(storeId, "ledger")).isZero();
    store.forget(storeId, "ledger", first.serial());
    assertThat(store.forgotten(storeId, "ledger")).isEqualTo(first.serial());
    assertThat(store.witnesses(storeId, "ledger", 0, Long.MAX_VALUE, 10))
        .extracting(Witness::serial)
        .containsExactly(second.serial());
    store.forget(storeId, "ledger", second.serial());
    store.forget(storeId, "ledger", first.serial());
    store.forget(storeId, "ledger", Long.MAX_VALUE);
    assertThat(store.forgotten(storeId, "ledger")).isEqualTo(second.serial());
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    assertThat(store.witnesses(storeId, "ledger", 0, Long.MAX_VALUE, 10)).isEmpty();

    endByAnother(inDoubt, true, Finish.DONE);
    assertThat(store.witnessed(List.of(inDoubt))).containsExactly(inDoubt);
  }

  @ParameterizedTest
  @EnumSource(Isolation.class)
  void whatIsOverIsNotPreparedUntilTheClaimIsAnother(Isolation isolation) throws SQLException {
    Gid over = gid();
    Gid later = gid();
    assertThat(store.refuse(storeId, "ledger", UUID.randomUUID(), later.serial())).isFalse();
    assertThat(store.refuse(storeId, "ledger", token, over.serial())).isTrue();
    assertThat(store.refuse(storeId, "ledger", token, over.serial() - 1)).isTrue();
    try (Connection connection = store.connect()) {
      begin(connection, over, isolation);
      assertThatThrownBy(() -> store.prepare(connection, over, "operation", token))
          .isInstanceOf(StaleClaim.class);
      store.rollback(connection, over);
      begin(connection, later, isolation);
      store.prepare(connection, later, "operation", token);
      assertThat(store.rollbackPrepared(connection, later)).isEqualTo(Finish.DONE);

      UUID next = UUID.randomUUID();
      assertThat(store.claim(storeId, "ledger", token, claim(next, token))).isTrue();
      begin(connection, over, isolation);
      store.prepare(connection, over, "operation", next);
      assertThat(store.rollbackPrepared(connection, over)).isEqualTo(Finish.DONE);
    }
  }

  @Test
  void forgetsOldAttempts() throws SQLException {
    execute(
        database,
        "insert into holdfast_attempt values ('old', true, null, utc_timestamp(6) - interval 3 hour),"
            + " ('new', true, null, utc_timestamp(6) - interval 1 hour)");
    store.forget(storeId, "ledger", 0);
    assertThat(list(database, "select id from holdfast_attempt")).containsExactly("new");
  }

  @Test
  void isTheSameServerWhileItRunsAndTheSameDatabaseAfterwards() {
    Server before = store.server();
    assertThat(store.server()).isEqualTo(before);
    assertThat(before.isSameServer(store.server())).isTrue();
    TestServers.MariaDb.SERVER.restart();
    Server after = store.server();
    assertThat(after.isSameDatabase(before)).isTrue();
    assertThat(after.isSameServer(before)).isFalse();

    BranchStore other = new MariaDbParticipantProvider().open(database, "other");
    other.schema().migrate();
    assertThat(other.server().system()).isNotEqualTo(before.system());
    assertThat(store.description()).matches("mariadb .+:[0-9]+/ledger_[0-9]+");
  }

  @Test
  void aServerThatCannotTakePartSaysWhy() throws SQLException {
    execute(database, "set global innodb_flush_log_at_trx_commit = 2");
    execute(database, "set global sync_binlog = 0");
    try {
      assertThatThrownBy(store::verify)
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("innodb_flush_log_at_trx_commit is 2")
          .hasMessageContaining("sync_binlog is 0")
          .hasMessageContaining("Nothing was started");
    } finally {
      execute(database, "set global innodb_flush_log_at_trx_commit = 1");
      execute(database, "set global sync_binlog = 1");
    }
    store.verify();
  }

  @Test
  void whatOtherServersLackIsSaidAsWell() {
    Map<String, String> variables = new HashMap<>();
    variables.put("VERSION", "11.4.5-MariaDB-log");
    variables.put("INNODB_FLUSH_LOG_AT_TRX_COMMIT", "1");
    variables.put("LOG_BIN", "OFF");
    variables.put("SYNC_BINLOG", "0");
    variables.put("READ_ONLY", "OFF");
    assertThat(ServerCheck.problems(variables)).isEmpty();

    variables.put("VERSION", "10.6.22-MariaDB");
    assertThat(ServerCheck.problems(variables)).singleElement().asString().contains("10.11");
    variables.put("VERSION", "10.11.6-MariaDB-0+deb12u1");
    assertThat(ServerCheck.problems(variables)).isEmpty();
    variables.put("READ_ONLY", "ON");
    assertThat(ServerCheck.problems(variables)).singleElement().asString().contains("replica");
    variables.put("READ_ONLY", "OFF");
    variables.put("WSREP_ON", "ON");
    assertThat(ServerCheck.problems(variables)).singleElement().asString().contains("Galera");
  }

  @Test
  void theTablesAreMadeByWhatIsPrintedAndUsedByWhoHasTheRole() throws SQLException {
    HikariDataSource admin = TestServers.mariaDb();
    BranchStore asAdmin = new MariaDbParticipantProvider().open(admin, "hf");
    String user = TestServers.unique("shop");
    try (admin;
        Connection connection = admin.getConnection()) {
      for (String sql :
          (asAdmin.schema().print(0) + asAdmin.schema().printRoles()).split(";\\s*\\n")) {
        execute(connection, sql);
      }
      asAdmin.schema().verify();
      assertThat(asAdmin.schema().migrate()).isEmpty();
      execute(connection, "create table entry (id varchar(100) primary key)");
      execute(connection, "create user " + user + " identified by 'secret'");
      execute(connection, "grant select, insert on entry to " + user);
      execute(connection, "grant holdfast_participant to " + user);
      execute(connection, "set default role holdfast_participant for " + user);
    }
    try (HikariDataSource pool =
        TestServers.pool(
            admin.getJdbcUrl().replace("user=root", "user=" + user + "&password=secret"))) {
      store = new MariaDbParticipantProvider().open(pool, "hf");
      store.schema().verify();
      store.verify();
      assertThat(store.server().database()).isNotEmpty();
      assertThat(store.claim(storeId, "ledger", null, claim(token, null))).isTrue();
      Gid gid = orphan();
      assertThat(prepared()).containsExactly(gid);
      endByAnother(gid, true, Finish.DONE);
      assertThat(store.witnessed(List.of(gid))).containsExactly(gid);
      Attempt attempt = attempt();
      try (Connection connection = store.connect()) {
        Gid alone = gid();
        begin(connection, alone, Isolation.READ_COMMITTED);
        store.commitAlone(connection, alone, attempt, "operation");
      }
      assertThat(store.resolve(attempt)).isEqualTo(new Outcome.Committed());
      assertThat(store.claim(storeId, "ledger", token, claim(UUID.randomUUID(), token))).isTrue();
      store.forget(storeId, "ledger", Long.MAX_VALUE);
    }
  }

  @Test
  void aNameThatWouldNotFitIsRefused() {
    for (String name : List.of("", "Holdfast", "a-b", "1a", "a".repeat(41), "a`b")) {
      assertThatThrownBy(() -> new MariaDbParticipantProvider().open(database, name))
          .as(name)
          .isInstanceOf(InvalidConfiguration.class);
    }
  }
}
