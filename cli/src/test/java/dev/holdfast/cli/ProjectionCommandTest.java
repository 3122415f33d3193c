package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.Holdfast;
import dev.holdfast.Stepper;
import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Capability;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.Projections;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** An operator looks at who follows the event log, and has parked keys replayed. */
final class ProjectionCommandTest {
  private static final Duration BOUND = Duration.ofSeconds(60);
  private static final ProjectionSettings QUICK =
      ProjectionSettings.DEFAULT
          .withAttempts(1, Duration.ofMillis(2))
          .withPollInterval(Duration.ofMillis(10));

  private final String url = TestDatabases.create();
  private final Set<String> broken = ConcurrentHashMap.newKeySet();
  private final List<String> seen = new CopyOnWriteArrayList<>();

  private final Projection.Builder notes =
      Projection.named("notes", 1)
          .on(
              "noted",
              (tx, event) -> {
                if (broken.contains(event.text())) {
                  throw new IllegalStateException("cannot have\n" + event.text());
                }
                tx.update("insert into view (body) values (?)", event.text());
              });

  @SuppressWarnings("NullAway.Init")
  private Stepper stepper;

  @SuppressWarnings("NullAway.Init")
  private Holdfast holdfast;

  @BeforeEach
  void start() throws Exception {
    Run.line("schema migrate --database", url).result();
    TestDatabases.execute(url, "create table view (body text)");
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(url);
    stepper = Holdfast.on(dataSource).manual();
    holdfast = stepper.holdfast();
  }

  @AfterEach
  void close() {
    stepper.close();
  }

  private long append(String stream, String body) {
    return holdfast
        .eventLog()
        .append(Append.to(stream, ExpectedVersion.any(), EventData.json("noted", body)))
        .position();
  }

  private Run run(String line, String... more) {
    String[] all = java.util.Arrays.copyOf(more, more.length + 2);
    all[more.length] = "--database";
    all[more.length + 1] = url;
    return Run.line(line, all);
  }

  private JsonNode json(String line, String... more) {
    String[] all = java.util.Arrays.copyOf(more, more.length + 1);
    all[more.length] = "--json";
    return run(line, all).json();
  }

  private JsonNode listed(String name) {
    for (JsonNode each : json("projection list").path("projections")) {
      if (each.path("projection").asText().equals(name)) {
        return each;
      }
    }
    throw new AssertionError("no " + name);
  }

  private int parked(String name) {
    return json("projection parked", name).path("parked").size();
  }

  @Test
  void showsHowFarProjectionsAreAndWhoIsAtThem() throws Exception {
    assertThat(run("projection list").result()).contains("Nobody follows the event log yet");
    long last = append("a", "1");
    Projections.of(holdfast, notes.slots(2).build()).close();
    append("a", "2");

    JsonNode idle = listed("notes/1");
    assertThat(idle.path("state").asText()).isEqualTo("live");
    assertThat(idle.path("behind_events").asInt()).isEqualTo(2);
    assertThat(idle.path("behind_seconds").asDouble()).isPositive();
    assertThat(idle.at("/slots/1/owner").isNull()).isTrue();
    assertThat(run("projection list").result())
        .contains("notes/1", "0 of 2", "notes/1: nobody is at slot 0, 1.");

    try (Projections projections = Projections.start(holdfast, QUICK, notes.slots(2).build())) {
      assertThat(projections.awaitApplied("notes", last + 1, BOUND)).isTrue();
      await().atMost(BOUND).until(() -> listed("notes/1").at("/slots/1/owner").isTextual());
      JsonNode led = listed("notes/1");
      assertThat(led.path("behind_events").asInt()).isZero();
      assertThat(led.path("behind_seconds").asDouble()).isZero();
      assertThat(led.path("checkpoint").asLong()).isEqualTo(last + 1);
      assertThat(run("projection list").result()).contains("2 of 2").doesNotContain("nobody");
      assertThat(projections.states())
          .singleElement()
          .satisfies(
              state -> {
                assertThat(state.led()).isEqualTo(2);
                assertThat(state.problem()).isNull();
              });
    }
    assertThat(run("projection list").result()).contains("0 of 2");
  }

  @Test
  void hasAParkedKeyReplayedByWhoeverIsAtIt() throws Exception {
    broken.add("2");
    try (Projections projections = Projections.start(holdfast, QUICK, notes.build())) {
      append("a", "1");
      long bad = append("a", "2");
      append("a", "3");
      long last = append("b", "4");
      assertThat(projections.awaitApplied("notes", last, BOUND)).isTrue();

      assertThat(run("projection parked notes").result())
          .contains("a ", Long.toString(bad), "cannot have 2");
      assertThat(listed("notes/1").path("parked_keys").asInt()).isOne();
      assertThat(run("projection replay notes b").error())
          .contains("b is not parked in notes/1", "nothing was done");
      assertThat(run("projection replay notes").error()).contains("KEY", "--all");
      assertThat(run("projection replay notes a --all").error()).contains("KEY", "--all");

      // What is not mended fails again, and says so.
      TestDatabases.execute(url, "update holdfast.projection_parked set reason = 'old'");
      assertThat(run("projection replay notes a").result()).contains("1 key(s)", "is asked for");
      await()
          .atMost(BOUND)
          .until(() -> run("projection parked notes").result().contains("cannot have 2"));
      assertThat(json("projection parked notes").at("/parked/0/state").asText())
          .isEqualTo("parked");
      assertThat(view()).containsExactlyInAnyOrder("1", "4");

      broken.clear();
      run("projection replay notes/1 a").result();
      await().atMost(BOUND).until(() -> parked("notes") == 0);
      assertThat(view()).containsExactlyInAnyOrder("1", "4", "2", "3");
      long more = append("a", "5");
      assertThat(projections.awaitApplied("notes", more, BOUND)).isTrue();
      assertThat(view()).containsExactlyInAnyOrder("1", "4", "2", "3", "5");
      assertThat(run("projection replay notes --all").result()).contains("No key is parked");
    }
  }

  @Test
  void whatIsAskedForWhileNobodyIsThereIsDoneWhenSomebodyComes() throws Exception {
    broken.addAll(Set.of("1", "2"));
    try (Projections projections = Projections.start(holdfast, QUICK, notes.build())) {
      append("a", "1");
      assertThat(projections.awaitApplied("notes", append("b", "2"), BOUND)).isTrue();
    }
    assertThat(json("projection replay notes --all").path("keys").asInt()).isEqualTo(2);
    assertThat(run("projection replay notes --all").result()).contains("Nobody is at it");
    assertThat(run("projection parked notes").result()).contains("replay asked");
    broken.clear();
    try (Projections projections = Projections.start(holdfast, QUICK, notes.build())) {
      await().atMost(BOUND).until(() -> parked("notes") == 0);
      assertThat(projections.parked("notes", 1)).isEmpty();
    }
    assertThat(view()).containsExactlyInAnyOrder("1", "2");
  }

  @Test
  void aChannelIsListedBesideProjectionsAndReplayedAlike() throws Exception {
    broken.add("1");
    try (EventChannels channels =
        EventChannels.start(holdfast, QUICK, EventChannel.named("search", new Picky()))) {
      append("a", "1");
      long last = append("b", "2");
      assertThat(channels.awaitPublished("search", last, BOUND)).isTrue();
      await().atMost(BOUND).until(() -> listed("channel/search").at("/slots/0/owner").isTextual());
      assertThat(listed("channel/search").path("state").asText()).isEqualTo("channel");
      assertThat(run("projection parked channel/search").result()).contains("not today");
      broken.clear();
      assertThat(run("projection replay channel/search a").result()).contains("1 key(s)");
      await().atMost(BOUND).until(() -> parked("channel/search") == 0);
      assertThat(seen).containsExactly("2", "1");
    }
  }

  @Test
  void saysWhatThereIsWhenItIsGivenSomethingElse() throws Exception {
    assertThat(run("projection parked orders").error())
        .contains("no projection 'orders'", "Nobody follows");
    Projections.of(holdfast, notes.build()).close();
    assertThat(run("projection replay orders k").error())
        .contains("no projection 'orders'", "There are: notes/1");
    assertThat(run("projection parked notes/2").error()).contains("no projection 'notes/2'");
    assertThat(run("projection parked notes --limit 0").error()).contains("--limit is 0");
    assertThat(run("events stream s --limit 0").error()).contains("--limit is 0");
    assertThat(run("events stream nobody").error()).contains("no event in the stream 'nobody'");

    TestDatabases.execute(
        url,
        "do $$ begin create role clerk login password 'right'; exception when duplicate_object then null; end $$");
    String clerk = url.replaceAll("[?].*", "") + "?user=clerk&password=right";
    assertThat(Run.line("projection list --database", clerk).error())
        .contains("permission denied")
        .doesNotContain("right");
    assertThat(Run.line("events head --database", clerk).error())
        .contains("permission denied")
        .doesNotContain("right");

    TestDatabases.execute(
        url, "insert into holdfast.schema_version (version, name) values (99, 'future')");
    assertThat(run("projection list").error()).contains("99");
  }

  @Test
  void theRightsOfAnAdminSuffice() throws Exception {
    broken.add("1");
    try (Projections projections = Projections.start(holdfast, QUICK, notes.build())) {
      assertThat(projections.awaitApplied("notes", append("a", "1"), BOUND)).isTrue();
    }
    TestDatabases.execute(
        url,
        Run.line("schema print --roles").result(),
        "do $$ begin create role watch login password 'w4tch' in role holdfast_admin;"
            + " exception when duplicate_object then null; end $$");
    String watch = url.replaceAll("[?].*", "") + "?user=watch&password=w4tch";
    for (String line :
        List.of(
            "projection list",
            "projection parked notes",
            "projection replay notes a",
            "projection replay notes --all",
            "events head",
            "events stream a --bodies")) {
      assertThat(Run.line(line, "--database", watch).result()).as(line).isNotEmpty();
    }
    assertThat(json("projection parked notes").at("/parked/0/state").asText())
        .isEqualTo("replay asked");
  }

  @Test
  void showsTheHeadOfTheLogAndWhomReadersWaitFor() throws Exception {
    assertThat(json("events head").path("last").asLong()).isZero();
    long last = append("a", "1");
    JsonNode free = json("events head");
    assertThat(free.path("last").asLong()).isEqualTo(last);
    assertThat(free.path("settled").asLong()).isEqualTo(last);
    assertThat(free.path("waiting").asBoolean()).isFalse();
    assertThat(run("events head").result()).contains("readers read all");

    try (Connection holder = DriverManager.getConnection(url);
        Statement statement = holder.createStatement()) {
      statement.execute("set application_name = 'import'");
      holder.setAutoCommit(false);
      holdfast.join(
          holder,
          "op",
          tx -> {
            holdfast
                .eventLog()
                .append(tx, Append.to("b", ExpectedVersion.any(), EventData.json("noted", "2")));
            return true;
          });
      long behind = append("a", "3");
      JsonNode held = json("events head");
      assertThat(held.path("last").asLong()).isEqualTo(behind);
      assertThat(held.path("settled").asLong()).isLessThan(behind);
      assertThat(held.path("waiting").asBoolean()).isTrue();
      assertThat(held.at("/holders/0/application").asText()).isEqualTo("import");
      assertThat(run("events head").result())
          .contains("at least", "import", "select pg_terminate_backend(");
      holder.rollback();
    }
    assertThat(json("events head").path("holders")).isEmpty();
  }

  @Test
  void printsAStreamNewestLastAndBodiesOnlyWhenAsked() {
    append("order-1", "\"one\"");
    append("order-1", "\"t\\u0077o\"");
    append("order-1", "\"three\"");
    append("order-2", "\"other\"");
    holdfast
        .eventLog()
        .append(
            Append.to(
                "raw",
                ExpectedVersion.any(),
                new EventData(
                    UUID.randomUUID(),
                    "blob",
                    1,
                    "application/octet-stream",
                    new byte[] {(byte) 0xff, 1},
                    Map.of("secret", "meta"),
                    Set.of())));

    String shown = run("events stream order-1 --limit 2").result();
    assertThat(shown).contains("noted").doesNotContain("three", "other");
    JsonNode events = json("events stream order-1 --limit 2").path("events");
    assertThat(events.findValuesAsText("version")).containsExactly("2", "3");
    assertThat(events.findValues("data")).isEmpty();
    assertThat(run("events stream order-1 --bodies").result()).contains("\"one\"", "\"three\"");
    assertThat(json("events stream raw").toString()).doesNotContain("meta");
    JsonNode raw = json("events stream raw --bodies").at("/events/0");
    assertThat(raw.path("data_base64").asText()).isEqualTo("/wE=");
    assertThat(raw.at("/metadata/secret").asText()).isEqualTo("meta");
  }

  /** Refuses what is broken, each by itself. */
  private final class Picky implements Target {
    @Override
    public String description() {
      return "somebody picky";
    }

    @Override
    public Set<Capability> capabilities() {
      return Set.of();
    }

    @Override
    public Acknowledgment acknowledgment() {
      return Acknowledgment.ACCEPTED;
    }

    @Override
    public TargetSession open(Context context) {
      return new TargetSession() {
        @Override
        public Optional<String> peekProgress() {
          return Optional.empty();
        }

        @Override
        public void takeOver() {}

        @Override
        public Optional<String> progress() {
          return Optional.empty();
        }

        @Override
        public Delivery send(List<OutboxRecord> messages, String progress) {
          Map<Long, String> refused =
              messages.stream()
                  .filter(message -> broken.contains(text(message)))
                  .collect(Collectors.toMap(OutboxRecord::position, message -> "not today"));
          Set<Long> taken =
              messages.stream()
                  .map(OutboxRecord::position)
                  .filter(position -> !refused.containsKey(position))
                  .collect(Collectors.toSet());
          messages.stream()
              .filter(message -> taken.contains(message.position()))
              .forEach(message -> seen.add(text(message)));
          return refused.isEmpty() ? new Delivery.Done() : new Delivery.Refused(refused, taken);
        }

        @Override
        public void close() {}
      };
    }
  }

  private static String text(OutboxRecord message) {
    return new String(Objects.requireNonNull(message.payload()), StandardCharsets.UTF_8);
  }

  private List<String> view() throws Exception {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        var rows = statement.executeQuery("select body from view")) {
      List<String> all = new java.util.ArrayList<>();
      while (rows.next()) {
        all.add(rows.getString(1));
      }
      return all;
    }
  }
}
