package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.DatabaseFailure;
import dev.holdfast.Holdfast;
import dev.holdfast.Stepper;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Condition;
import dev.holdfast.eventlog.ConditionFailed;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.Imported;
import dev.holdfast.eventlog.ImportedEvent;
import dev.holdfast.eventlog.InvalidEvent;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Events of another log. */
final class ImportTest {
  private static final Instant BEGIN = Instant.parse("2020-01-01T00:00:00Z");

  private final Log log = new Log();

  @AfterEach
  void end() {
    log.close();
  }

  private static ImportedEvent event(String stream, long version, String json) {
    return new ImportedEvent(
        stream,
        version,
        EventData.json(
                UUID.nameUUIDFromBytes((stream + version).getBytes(StandardCharsets.UTF_8)),
                "noted",
                json)
            .withTags("all", "of:" + stream)
            .withMetadata("k", "tab\tline\nback\\slash"),
        "import",
        BEGIN.plusSeconds(version));
  }

  private static List<ImportedEvent> history(int streams, int versions) {
    return IntStream.range(0, streams * versions)
        .mapToObj(i -> event("s" + i % streams, i / streams + 1, "{\"n\":" + i + "}"))
        .toList();
  }

  @Test
  @Attacks("eventlog.kept")
  void aHistoryIsReadAsItWas() throws SQLException {
    List<ImportedEvent> history = new ArrayList<>(history(3, 4));
    history.add(event("odd", 1, "\t\\N\n\r\\"));
    assertThat(log.log.importAll(history.iterator())).isEqualTo(new Imported(13, 0));
    List<RecordedEvent> read = Log.drain(log.log.reader(0), 5);
    assertThat(read).hasSize(13);
    for (int i = 0; i < read.size(); i++) {
      ImportedEvent was = history.get(i);
      RecordedEvent is = read.get(i);
      assertThat(is.stream()).isEqualTo(was.stream());
      assertThat(is.version()).isEqualTo(was.version());
      assertThat(is.id()).isEqualTo(was.event().id());
      assertThat(is.data()).isEqualTo(was.event().data());
      assertThat(is.metadata()).isEqualTo(was.event().metadata());
      assertThat(is.recordedAt()).isEqualTo(was.recordedAt());
      assertThat(is.operationId()).isEqualTo("import");
    }
    assertThat(log.log.read(EventQuery.tags("of:s1")).events()).hasSize(4);
    assertThat(log.append("s1", ExpectedVersion.exactly(4), Log.event("now")).version("s1"))
        .isEqualTo(5);
    assertThat(log.log.read(StreamQuery.of("s1").asOfTime(BEGIN.plusSeconds(2)))).hasSize(2);
  }

  @Test
  void whatWasCutOffIsImportedAgain() {
    List<ImportedEvent> history = history(7, 3_000);
    assertThat(log.log.importAll(history.subList(0, 12_345).iterator()))
        .isEqualTo(new Imported(12_345, 0));
    assertThat(log.log.importAll(history.iterator())).isEqualTo(new Imported(8_655, 12_345));
    assertThat(log.log.importAll(history.iterator())).isEqualTo(new Imported(0, 21_000));
    assertThat(Log.drain(log.log.reader(0), 10_000)).hasSize(21_000);
  }

  @Test
  @Attacks("eventlog.kept")
  void aHistoryWithAGapOrOfAnotherOrderIsRefused() throws SQLException {
    log.log.importAll(history(1, 2).iterator());
    assertThatThrownBy(() -> log.log.importAll(List.of(event("s0", 4, "{}")).iterator()))
        .isInstanceOf(InvalidEvent.class)
        .hasMessageContainingAll("s0 is at version 2", "version 4", "does not follow");
    ImportedEvent early =
        new ImportedEvent("s0", 3, Log.event("{}"), "import", BEGIN.minusSeconds(1));
    assertThatThrownBy(() -> log.log.importAll(List.of(early).iterator()))
        .isInstanceOf(InvalidEvent.class);
    log.execute("update ${schema}.store set max_payload_bytes = 10");
    assertThatThrownBy(() -> log.log.importAll(List.of(event("s0", 3, "01234567890")).iterator()))
        .isInstanceOf(InvalidEvent.class)
        .hasMessageContaining("bound of 10");
    assertThat(log.ask("select count(*) from ${schema}.event")).isEqualTo(2);
  }

  @Test
  void whoeverAppendsToTheSameStreamMeanwhileHasItRefused() throws Exception {
    Connection other = Log.begin();
    log.append(other, Append.to("s0", ExpectedVersion.none(), Log.event("mine")));
    CompletableFuture<Imported> importing =
        Log.async(() -> log.log.importAll(history(1, 2).iterator()));
    Awaitility.await().until(() -> log.ask("select count(*) from pg_locks where not granted") == 1);
    other.commit();
    Log.end(other);
    assertThatThrownBy(importing::get).cause().isInstanceOf(DatabaseFailure.class);
    assertThat(log.ask("select count(*) from ${schema}.event")).isEqualTo(1);
  }

  @Test
  void aConditionWaitsForABatchThatIsUnderWay() throws Exception {
    Connection obstacle = Log.begin();
    log.append(obstacle, Append.to("s0", ExpectedVersion.none(), Log.event("undone")));
    CompletableFuture<Imported> importing =
        Log.async(() -> log.log.importAll(history(1, 2).iterator()));
    Awaitility.await().until(() -> log.ask("select count(*) from pg_locks where not granted") == 1);
    CompletableFuture<?> decided =
        Log.async(
            () ->
                log.log.append(
                    Append.to("d", ExpectedVersion.any(), Log.event("decided"))
                        .onlyIf(Condition.never(EventQuery.tags("of:s0")))));
    Awaitility.await().until(() -> log.ask("select count(*) from pg_locks where not granted") == 2);
    Log.end(obstacle);
    assertThat(importing.get().appended()).isEqualTo(2);
    assertThatThrownBy(decided::get).cause().isInstanceOf(ConditionFailed.class);
  }

  @Test
  void aRelaysRightsSufficeAndAWritersDoNot() throws SQLException {
    log.execute(log.holdfast.store().schema().printRoles());
    for (String role : List.of("holdfast_relay", "holdfast_writer")) {
      HikariConfig config = new HikariConfig();
      config.setJdbcUrl(Log.server().jdbcUrl());
      config.setMaximumPoolSize(2);
      config.setMinimumIdle(0);
      config.setConnectionInitSql("set role " + role);
      try (HikariDataSource users = new HikariDataSource(config);
          Stepper user = Holdfast.on(users).schema(log.schema).manual()) {
        if (role.equals("holdfast_relay")) {
          assertThat(user.holdfast().eventLog().importAll(history(1, 2).iterator()).appended())
              .isEqualTo(2);
        } else {
          assertThatThrownBy(
                  () ->
                      user.holdfast()
                          .eventLog()
                          .importAll(List.of(event("s0", 3, "{}")).iterator()))
              .hasMessageContaining("lacks a privilege");
          user.holdfast()
              .eventLog()
              .append(Append.to("s0", ExpectedVersion.exactly(2), Log.event("3").withTags("t")));
          assertThat(user.holdfast().eventLog().read(EventQuery.tags("t")).events()).hasSize(1);
          assertThat(user.holdfast().eventLog().reader(0).next(10).events()).hasSize(3);
        }
      }
    }
  }
}
