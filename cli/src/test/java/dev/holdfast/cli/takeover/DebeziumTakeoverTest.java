package dev.holdfast.cli.takeover;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.cli.Run;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The connector is its slot: read with {@code pgoutput} and confirmed, as Debezium does. What it
 * has delivered are the table's inserts that it has read.
 */
final class DebeziumTakeoverTest {
  private final OldDatabase database = OldDatabase.create("outbox.event.*");
  private final String slot = "dbz_" + UUID.randomUUID().toString().replace("-", "");

  @BeforeEach
  void createTable() throws SQLException {
    database.execute(
        """
        create table outboxevent (id uuid primary key default gen_random_uuid(),
          aggregatetype varchar(255) not null, aggregateid varchar(255) not null,
          type varchar(255) not null, payload jsonb)""",
        "create publication dbz_publication for table outboxevent",
        "select pg_create_logical_replication_slot('" + slot + "', 'pgoutput')");
  }

  @AfterEach
  void dropSlot() throws SQLException {
    database.query(
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '"
            + slot
            + "'");
  }

  private void write(String value) throws SQLException {
    database.execute(
        "insert into outboxevent (aggregatetype, aggregateid, type, payload) values ('order', 'o1', 'OrderPlaced', '\""
            + value
            + "\"')");
  }

  /** What the connector reads and confirms, as values. */
  private List<String> connectorDelivers() throws SQLException {
    return database.query(
        """
        select substring(encode(data, 'escape') from '"([a-z0-9 ]+)"')
        from pg_logical_slot_get_binary_changes('%s', null, null,
          'proto_version', '1', 'publication_names', 'dbz_publication')
        where get_byte(data, 0) = 73"""
            .formatted(slot));
  }

  private Run takeover(String more) {
    return database.takeover("debezium --slot " + slot + " " + more);
  }

  private void pause() {
    Run.line("outbox pause --channel taking --database", database.url()).result();
  }

  @Test
  void connectorDeliversWhatWasThereBeforeTheTriggerAndTheOutboxTheRest() throws Exception {
    write("one");
    assertThat(takeover("--install-trigger --execute").error())
        .contains("Channel taking is running", "outbox pause --channel taking");
    assertThat(takeover("--execute").result()).contains("First give --install-trigger");
    pause();
    takeover("--install-trigger --execute").result();

    write("two");

    assertThat(takeover("--execute").error())
        .contains("1 rows lie between", "has not delivered everything", "Nothing was dropped");
    assertThat(takeover("--json").json().path("phase").asText()).isEqualTo("draining");
    assertThat(connectorDelivers()).containsExactly("one");
    assertThat(database.messages()).containsExactly("outbox.event.order o1 \"two\"");
    assertThat(takeover("--json").json().path("phase").asText()).isEqualTo("drained");
    assertThat(takeover("--execute").result()).contains("its slot is dropped", "taking");
    assertThat(takeover("--execute").result()).contains("is gone");
    assertThat(database.query("select slot_name from pg_replication_slots")).doesNotContain(slot);
    // What the connector had delivered is not moved.
    assertThat(database.messages()).hasSize(1);
  }

  @Test
  void messageIsWhatTheConnectorWouldHaveMade() throws Exception {
    pause();
    takeover("--install-trigger --execute").result();
    UUID id = UUID.randomUUID();
    database.execute(
        "insert into outboxevent values ('%s', 'order', 'o1', 'OrderPlaced', '{\"a\": 1}')"
            .formatted(id));
    assertThat(
            database.query(
                "select id || ' ' || type || ' ' || (headers ->> 'id') || ' ' || content_type || ' ' || convert_from(payload, 'UTF8') from holdfast.message"))
        .containsExactly(id + " OrderPlaced " + id + " application/json {\"a\": 1}");
    assertThat(database.query("select id from outboxevent")).isEmpty();
  }

  @Test
  void stoppedConnectorThatHasReadAllRowsIsDrainedThoughItsPositionTrails() throws Exception {
    write("one");
    assertThat(connectorDelivers()).containsExactly("one");
    pause();
    takeover("--install-trigger --execute").result();

    JsonNode state = takeover("--json").json();

    assertThat(state.at("/slot/behind_bytes").asLong()).isPositive();
    assertThat(state.path("phase").asText()).isEqualTo("drained");
  }

  @Test
  void rowsThatAreKeptForTheApplicationAreNotReadByTheConnector() throws Exception {
    pause();
    write("one");
    takeover("--install-trigger --execute --keep-rows").result();
    write("two");
    takeover("--install-trigger --execute --keep-rows").result();

    assertThat(database.query("select payload::text from outboxevent"))
        .containsExactlyInAnyOrder("\"one\"", "\"two\"");
    assertThat(connectorDelivers()).containsExactly("one");
    assertThat(database.messages()).containsExactly("outbox.event.order o1 \"two\"");
  }

  @Test
  void withoutAConnectorAllRowsAreMovedInTheirOrder() throws Exception {
    database.execute(
        "alter table outboxevent rename column payload to body",
        "alter table outboxevent add column number bigint generated always as identity");
    for (String value : List.of("one", "two", "three")) {
      database.execute(
          "insert into outboxevent (aggregatetype, aggregateid, type, body) values ('order', 'o1', 't', '\""
              + value
              + "\"')");
    }
    String columns = "--all-rows --column payload=body --execute";
    assertThat(database.takeover("debezium " + columns).error())
        .contains("in which order", "--column timestamp=NAME");

    database
        .takeover("debezium --batch 2 --column timestamp=number " + columns + " --install-trigger")
        .result();
    database.execute(
        "insert into outboxevent (aggregatetype, aggregateid, type, body) values ('order', 'o1', 't', '\"four\"')");

    assertThat(database.messages())
        .containsExactly(
            "outbox.event.order o1 \"one\"",
            "outbox.event.order o1 \"two\"",
            "outbox.event.order o1 \"three\"",
            "outbox.event.order o1 \"four\"");
    assertThat(database.query("select id from outboxevent")).isEmpty();
  }

  @Test
  void whoDeliversTheRowsMustBeSaid() {
    assertThat(database.takeover("debezium").error()).contains("--slot", "--all-rows");
    assertThat(database.takeover("debezium --all-rows --keep-rows").error())
        .contains("--keep-rows");
    assertThat(
            database
                .takeover("debezium --slot none --install-trigger --unordered --execute")
                .error())
        .contains("There is no slot none");
    assertThat(database.takeover("debezium --all-rows --column x=y").error())
        .contains("--column x");
  }
}
