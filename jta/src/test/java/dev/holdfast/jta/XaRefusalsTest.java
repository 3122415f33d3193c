package dev.holdfast.jta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.devservices.PostgresServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a coordinator is not started with. */
final class XaRefusalsTest {
  private final XaParticipant<XaBranch> orders =
      XaParticipant.jdbc("orders", Drivers.xa(TestServers.ORDERS));
  private final String node = TestServers.unique("refused");
  private final Path directory = TestServers.logDirectory();

  @Test
  void narayanasDefaultNodeIdentifierIsRefused() {
    assertThatThrownBy(() -> XaCommit.as("1"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("every Narayana has");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "shop-1", "Shop", "shöp", "twenty_nine_characters_long_1"})
  void nodeIdentifierThatNarayanaWouldReplaceIsRefused(String identifier) {
    assertThatThrownBy(() -> XaCommit.as(identifier))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("Nothing was started");
  }

  @Test
  void coordinatorWithoutALogOrParticipantsIsRefused() {
    assertThatThrownBy(() -> XaCommit.as(node).participants(orders).start())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("logIn");
    assertThatThrownBy(() -> XaCommit.as(node).logIn(directory).allowTemporaryLog().start())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("no participants");
    assertThatThrownBy(() -> XaCommit.as(node).timeout(Duration.ofMillis(1_500)))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("whole seconds");
  }

  @Test
  void twoParticipantsOfOneNameAreRefused() {
    XaParticipant<XaBranch> other = XaParticipant.jdbc("orders", Drivers.xa(TestServers.LEDGER));
    assertThatThrownBy(
            () ->
                XaCommit.as(node)
                    .logIn(directory)
                    .allowTemporaryLog()
                    .participants(orders, other)
                    .start())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("Two participants are named orders");
  }

  @Test
  void databaseThatCannotPrepareIsRefused() {
    try (PostgresServer server =
        PostgresServer.builder().setting("max_prepared_transactions", "0").start()) {
      XaParticipant<XaBranch> unable = XaParticipant.jdbc("unable", Drivers.xa(server.jdbcUrl()));
      assertThatThrownBy(
              () ->
                  XaCommit.as(node)
                      .logIn(directory)
                      .allowTemporaryLog()
                      .participants(orders, unable)
                      .start())
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("max_prepared_transactions is 0 at the participant unable");
    }
  }

  @Test
  void participantOutOfReachIsRefusedAndNothingIsHeldAfterwards() {
    XaParticipant<XaBranch> gone =
        XaParticipant.jdbc(
            "gone", Drivers.xa("jdbc:postgresql://127.0.0.1:1/x?user=u&password=s3cret"));
    XaParticipant<?> broker = XaParticipant.jms("broker", Drivers.broker("tcp://127.0.0.1:1"));
    assertThatThrownBy(
            () ->
                XaCommit.as(node)
                    .logIn(directory)
                    .allowTemporaryLog()
                    .participants(orders, gone)
                    .start())
        .isInstanceOf(StoreUnavailable.class)
        .hasMessageContaining("gone")
        .hasMessageNotContaining("s3cret");
    assertThatThrownBy(
            () ->
                XaCommit.as(node)
                    .logIn(directory)
                    .allowTemporaryLog()
                    .participants(orders, broker)
                    .start())
        .isInstanceOf(StoreUnavailable.class)
        .hasMessageContaining("broker");
    DirectoryLog.acquire(directory, node, true).close();
  }

  @Test
  void logAmongTemporaryFilesIsRefused(@TempDir Path temporary) {
    assertThatThrownBy(
            () -> XaCommit.as(node).logIn(temporary.resolve("log")).participants(orders).start())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("temporary files");
  }

  @Test
  void logThatCannotBeWrittenIsRefused() throws Exception {
    Files.createDirectories(directory);
    Path file = Files.createFile(directory.resolve("file"));
    assertThatThrownBy(
            () -> XaCommit.as(node).logIn(file).allowTemporaryLog().participants(orders).start())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("cannot be written");
  }

  @Test
  void logThatAnotherCoordinatorHasIsRefusedUntilItIsGivenUp() {
    try (Log other = DirectoryLog.acquire(directory, node, true)) {
      assertThat(other.isHeld()).isTrue();
      assertThatThrownBy(
              () ->
                  XaCommit.as(node)
                      .logIn(directory)
                      .allowTemporaryLog()
                      .participants(orders)
                      .start())
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("Another process");
    }
    DirectoryLog.acquire(directory, node, true).close();
  }

  @Test
  void logOfAnotherNodeIsRefused() {
    DirectoryLog.acquire(directory, "another", true).close();
    assertThatThrownBy(
            () ->
                XaCommit.as(node).logIn(directory).allowTemporaryLog().participants(orders).start())
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("belongs to the node 'another'");
  }

  @Test
  void nodeThatAnotherProcessHasInTheDatabaseIsRefusedUntilItIsGivenUp() {
    try (HikariDataSource pool = TestServers.pool(TestServers.LEDGER)) {
      try (Log other = DatabaseLog.acquire(pool, node)) {
        assertThat(other.isHeld()).isTrue();
        assertThatThrownBy(() -> XaCommit.as(node).logIn(pool).participants(orders).start())
            .isInstanceOf(InvalidConfiguration.class)
            .hasMessageContaining("Another process runs as the node");
      }
      DatabaseLog.acquire(pool, node).close();
    }
  }

  @Test
  void databaseLogThatForgetsWhatItAnsweredIsRefused() {
    try (HikariDataSource pool =
        TestServers.pool(TestServers.LEDGER + "&options=-c%20synchronous_commit=off")) {
      assertThatThrownBy(() -> XaCommit.as(node).logIn(pool).participants(orders).start())
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("synchronous_commit is off");
    }
  }

  @Test
  void secondCoordinatorInAProcessIsRefused() {
    try (XaCommit first =
        XaCommit.as(TestServers.NODE)
            .logIn(TestServers.LOG)
            .allowTemporaryLog()
            .participants(orders)
            .start()) {
      assertThat(first.transactionManager()).isNotNull();
      assertThatThrownBy(
              () ->
                  XaCommit.as(node + "b")
                      .logIn(TestServers.logDirectory())
                      .allowTemporaryLog()
                      .participants(orders)
                      .start())
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("already runs in this process");
    }
  }
}
