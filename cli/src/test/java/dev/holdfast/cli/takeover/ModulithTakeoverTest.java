package dev.holdfast.cli.takeover;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tables are those of the library's own SQL, of both versions. */
final class ModulithTakeoverTest {
  private static final String EXTERNALIZER =
      "org.springframework.modulith.events.support.DelegatingEventExternalizer.externalize(java.lang.Object)";

  private final OldDatabase database = OldDatabase.create("com.acme.*", "orders.*");
  private int number;

  private void create(String version) throws IOException, SQLException {
    String resource =
        "/org/springframework/modulith/events/jdbc/schemas/%s/schema-postgresql.sql"
            .formatted(version);
    try (InputStream sql =
        Objects.requireNonNull(ModulithTakeoverTest.class.getResourceAsStream(resource))) {
      database.execute(new String(sql.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  private void publication(String listener, String event, String age, boolean completed)
      throws SQLException {
    number++;
    database.execute(
        """
        insert into event_publication
          (id, listener_id, event_type, serialized_event, publication_date, completion_date)
        values ('00000000-0000-0000-0000-00000000000%d', '%s', 'com.acme.OrderPlaced', '%s',
                now() - interval '%s', %s)"""
            .formatted(number, listener, event, age, completed ? "now()" : "null"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"v1", "v2"})
  void incompleteExternalizationsAreMovedAndTheRestStays(String version) throws Exception {
    create(version);
    publication(EXTERNALIZER, "{\"order\":{\"id\":\"o2\"}}", "1 hour", false);
    publication(EXTERNALIZER, "{\"order\":{\"id\":\"o1\"}}", "2 hours", false);
    publication(EXTERNALIZER, "{\"order\":{\"id\":\"done\"}}", "2 hours", true);
    publication(EXTERNALIZER, "{\"order\":{\"id\":\"young\"}}", "1 second", false);
    publication("com.acme.Mailer.on(com.acme.OrderPlaced)", "{}", "1 hour", false);

    JsonNode dry = database.takeover("modulith --json").json();
    assertThat(dry.at("/waiting/0/topic").asText()).isEqualTo("com.acme.OrderPlaced");
    assertThat(dry.at("/waiting/0/rows").asInt()).isEqualTo(2);
    assertThat(dry.at("/waiting/0/oldest").asText()).isNotEmpty();
    assertThat(dry.path("left").findValuesAsText("reason"))
        .containsExactlyInAnyOrder(
            "of another listener: com.acme.Mailer.on(com.acme.OrderPlaced)",
            "published a moment ago: it may be under way");

    database
        .takeover("modulith --execute --topic orders.placed --key-json-pointer /order/id")
        .result();

    assertThat(database.messages())
        .containsExactly(
            "orders.placed o1 {\"order\":{\"id\":\"o1\"}}",
            "orders.placed o2 {\"order\":{\"id\":\"o2\"}}");
    assertThat(
            database.query(
                "select right(id::text, 1) from event_publication where completion_date is null order by 1"))
        .containsExactly("4", "5");
    assertThat(database.query("select type from holdfast.message"))
        .containsOnly("com.acme.OrderPlaced");
    assertThat(database.takeover("modulith --execute").result()).contains("0 moved.");
    assertThat(database.takeover("modulith --execute --settle 0").result()).contains("1 moved.");
  }

  @Test
  void statesThatAreNotCompletedAreMovedOnce() throws Exception {
    create("v2");
    List<String> states = List.of("PUBLISHED", "PROCESSING", "FAILED", "RESUBMITTED", "COMPLETED");
    for (String state : states) {
      publication(EXTERNALIZER, "{}", "1 hour", state.equals("COMPLETED"));
      database.execute(
          "update event_publication set status = '" + state + "' where status is null");
    }

    assertThat(database.takeover("modulith --execute").result()).contains("4 moved.");

    assertThat(database.query("select distinct status from event_publication"))
        .containsExactly("COMPLETED");
    assertThat(database.takeover("modulith --execute").result()).contains("0 moved.");
    assertThat(database.messages()).hasSize(4);
  }
}
