package dev.holdfast.cli.takeover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.gruelbox.transactionoutbox.AlreadyScheduledException;
import com.gruelbox.transactionoutbox.Dialect;
import com.gruelbox.transactionoutbox.Instantiator;
import com.gruelbox.transactionoutbox.Persistor;
import com.gruelbox.transactionoutbox.Submitter;
import com.gruelbox.transactionoutbox.TransactionManager;
import com.gruelbox.transactionoutbox.TransactionOutbox;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The table is made, filled and worked off by the library itself. */
final class GruelboxTakeoverTest {
  private static final String TOPIC =
      "gruelbox.dev.holdfast.cli.takeover.GruelboxTakeoverTest-Mailer.send";

  /** What the old outbox calls. */
  interface Mailer {
    void send(String to);
  }

  private final OldDatabase database = OldDatabase.create("gruelbox.*", "mail.*");
  private final List<String> sent = new ArrayList<>();
  private final TransactionManager transactions =
      TransactionManager.fromDataSource(database.dataSource());

  /** Calls at once, on the same thread, or not before it is flushed. */
  private boolean prompt;

  @SuppressWarnings("NullAway.Init")
  private TransactionOutbox outbox;

  @BeforeEach
  void createTable() {
    Submitter now = Submitter.withExecutor(Runnable::run);
    outbox =
        TransactionOutbox.builder()
            .transactionManager(transactions)
            .persistor(Persistor.forDialect(Dialect.POSTGRESQL_9))
            .instantiator(Instantiator.using(type -> (Mailer) sent::add))
            .submitter(
                (entry, run) -> {
                  if (prompt) {
                    now.submit(entry, run);
                  }
                })
            .build();
  }

  private void schedule(String to) {
    transactions.inTransaction(() -> outbox.schedule(Mailer.class).send(to));
  }

  private void scheduleOnce(String request, String to) {
    transactions.inTransaction(
        () -> outbox.with().uniqueRequestId(request).schedule(Mailer.class).send(to));
  }

  /** The relay of an old version that was forgotten; all rows are due. */
  private void flushOld() throws Exception {
    database.execute("update txno_outbox set nextattempttime = '2020-01-01' where not processed");
    while (outbox.flush()) {
      // Until nothing is found.
    }
  }

  @Test
  void callsAreCountedFirstAndThenMovedAndNotMadeAgain() throws Exception {
    schedule("ann");
    schedule("bob");
    List<String> before = database.query("select t::text from txno_outbox t order by id");

    JsonNode dry = database.takeover("gruelbox --json").json();

    assertThat(dry.at("/waiting/0/topic").asText()).isEqualTo(TOPIC);
    assertThat(dry.at("/waiting/0/rows").asInt()).isEqualTo(2);
    assertThat(dry.at("/waiting/0/routed").asBoolean()).isTrue();
    assertThat(database.takeover("gruelbox").result())
        .contains("2 for topic " + TOPIC, "Nothing was changed");
    assertThat(database.query("select t::text from txno_outbox t order by id")).isEqualTo(before);
    assertThat(database.messages()).isEmpty();

    assertThat(database.takeover("gruelbox --execute").result()).contains("2 moved.");

    assertThat(database.messages())
        .hasSize(2)
        .allMatch(message -> message.startsWith(TOPIC + " - {"))
        .anyMatch(message -> message.contains("\"ann\""))
        .anyMatch(message -> message.contains("\"bob\""));
    assertThat(database.query("select id::text from holdfast.message order by 1"))
        .isEqualTo(database.query("select id from txno_outbox order by 1"));
    flushOld();
    assertThat(sent).isEmpty();
    assertThat(database.takeover("gruelbox --execute").result()).contains("0 moved.");
    assertThat(database.messages()).hasSize(2);
  }

  @Test
  void topicAndKeyAreChosenForEachKindOfCall() throws Exception {
    schedule("ann");

    database
        .takeover(
            "gruelbox --execute --topic mail.due --key-json-pointer /a/0/v --only %Mailer.send")
        .result();

    assertThat(database.query("select topic || ' ' || key from holdfast.message"))
        .containsExactly("mail.due ann");
    assertThat(database.takeover("gruelbox --execute --only other.%").result())
        .contains("0 moved.");
  }

  @Test
  void blockedCallsAreLeftUnlessAskedFor() throws Exception {
    schedule("ann");
    schedule("bob");
    database.execute("update txno_outbox set blocked = true where invocation like '%bob%'");

    JsonNode moved = database.takeover("gruelbox --execute --json").json();

    assertThat(moved.path("moved").asInt()).isEqualTo(1);
    assertThat(moved.at("/left/0/reason").asText()).isEqualTo("blocked");
    assertThat(moved.at("/left/0/rows").asInt()).isEqualTo(1);
    assertThat(
            database.takeover("gruelbox --execute --blocked --json").json().path("moved").asInt())
        .isEqualTo(1);
    assertThat(database.messages()).hasSize(2);
  }

  @Test
  void whatOldVersionsScheduleIsPublishedInTheirTransactionAndNotCalled() throws Exception {
    schedule("before");
    assertThat(database.takeover("gruelbox --execute --install-trigger").result())
        .contains("1 moved.", "The trigger publishes");
    prompt = true;

    schedule("after");
    assertThatThrownBy(
            () ->
                transactions.inTransaction(
                    () -> {
                      outbox.schedule(Mailer.class).send("never");
                      throw new IllegalStateException("rolled back");
                    }))
        .hasMessageContaining("rolled back");
    flushOld();

    assertThat(sent).isEmpty();
    assertThat(database.messages())
        .satisfiesExactly(
            first -> assertThat(first).contains("\"before\""),
            second -> assertThat(second).contains("\"after\""));

    database.takeover("gruelbox --execute --remove-trigger").result();
    schedule("old way");
    assertThat(sent).containsExactly("old way");
    assertThat(database.takeover("gruelbox --remove-trigger").result()).contains("no trigger");
  }

  @Test
  void requestThatWasMovedIsStillRefusedASecondTime() throws Exception {
    scheduleOnce("r1", "ann");
    database.takeover("gruelbox --execute --install-trigger").result();

    assertThatThrownBy(() -> scheduleOnce("r1", "ann"))
        .isInstanceOf(AlreadyScheduledException.class);
    scheduleOnce("r2", "bob");
    assertThatThrownBy(() -> scheduleOnce("r2", "bob"))
        .isInstanceOf(AlreadyScheduledException.class);

    assertThat(database.messages()).hasSize(2);
    // A new version that publishes with the same dedupe key is caught as well.
    database.execute("select holdfast.publish('" + TOPIC + "', null, '{}', dedupe_key => 'r1')");
    assertThat(database.messages()).hasSize(2);
  }

  @Test
  void orderedCallsKeepTheirOrderAndDoNotPassABlockedOne() throws Exception {
    // The columns that later versions add.
    database.execute(
        "alter table txno_outbox add column topic varchar(250) not null default '*'",
        "alter table txno_outbox add column seq bigint null");
    for (String to : List.of("a3", "a1", "b2", "a2", "b1", "b3")) {
      schedule(to);
      database.execute(
          "update txno_outbox set topic = '%s', seq = %s where invocation like '%%\"%s\"%%'"
              .formatted(to.charAt(0), to.charAt(1), to));
    }
    database.execute("update txno_outbox set blocked = true where topic = 'b' and seq = 2");

    JsonNode moved =
        database.takeover("gruelbox --execute --batch 2 --json --topic mail.due").json();

    assertThat(moved.path("moved").asInt()).isEqualTo(4);
    assertThat(moved.path("left").findValuesAsText("reason"))
        .containsExactly("behind a blocked row of its topic", "blocked");
    assertThat(
            database.query(
                "select key || (convert_from(payload, 'UTF8')::jsonb #>> '{a,0,v}') from holdfast.message order by position"))
        .filteredOn(value -> value.startsWith("a"))
        .containsExactly("aa1", "aa2", "aa3");
    assertThat(database.query("select key from holdfast.message where key = 'b'")).hasSize(1);
  }

  @Test
  void callThatIsBeingMadeIsWaitedForAndItsSessionNamed() throws Exception {
    schedule("ann");
    try (Connection old = database.dataSource().getConnection();
        Statement statement = old.createStatement()) {
      old.setAutoCommit(false);
      statement.execute("set application_name = 'old-relay'");
      statement.execute("select id from txno_outbox for update skip locked");

      assertThat(database.takeover("gruelbox --execute --wait 0").error())
          .contains("others hold the table", "old-relay", "rolled back");

      statement.execute("delete from txno_outbox");
      old.commit();
    }
    assertThat(database.takeover("gruelbox --execute").result()).contains("0 moved.");
    assertThat(database.messages()).isEmpty();
  }

  @Test
  void topicThatNoChannelTakesIsSaidAndRefused() throws Exception {
    schedule("ann");

    assertThat(database.takeover("gruelbox --topic nowhere").result())
        .contains("1 for topic nowhere, which no channel takes");
    assertThat(database.takeover("gruelbox --topic nowhere --execute").error())
        .contains("No channel takes the topic");
    assertThat(database.takeover("gruelbox --topic mail.{type}/ --execute").error())
        .contains("No message can be made of the row", "rolled back");
    assertThat(database.query("select 1 from txno_outbox where not processed")).hasSize(1);
  }

  @Test
  void otherTableIsRefused() throws Exception {
    database.execute("create table misc (id int)");
    assertThat(database.takeover("gruelbox --table misc").error())
        .contains("public.misc is no table of gruelbox", "invocation", "--table");
    assertThat(database.takeover("gruelbox --table none").error()).contains("no table none");
    assertThat(database.takeover("gruelbox --key-json-pointer a").error()).contains("JSON pointer");
    assertThat(database.takeover("gruelbox --batch 0").error()).contains("1 to 100000");
    assertThat(database.takeover("gruelbox --install-trigger --remove-trigger").error())
        .contains("two decisions");
  }
}
