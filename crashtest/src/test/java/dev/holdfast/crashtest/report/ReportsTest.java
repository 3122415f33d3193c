package dev.holdfast.crashtest.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.resource.Change;
import dev.holdfast.crashtest.resource.Role;
import dev.holdfast.crashtest.resource.Site;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class ReportsTest {
  private static final Site SITE = new Site("shop.Orders", "place", "Orders.java", 42);
  private static final CommitPoint SAVE =
      point(new Role("shop", "commit", "insert into \"orders\" <a>", Role.CALLER));
  private static final CommitPoint SEND = point(new Role("kafka", "send", "events", "relay-#"));

  private static final ExplorationReport REPORT =
      new ExplorationReport(
          "Orders.place",
          7,
          List.of(SAVE, SEND),
          List.of(
              run(null, List.of(), null, List.of()),
              run(Carrier.FENCED, List.of(fault(Stage.BEFORE, SAVE, 1)), null, List.of()),
              run(Carrier.FENCED, List.of(fault(Stage.ACK_LOST, SAVE, 1)), Verdict.LOST, List.of()),
              run(
                  Carrier.FENCED,
                  List.of(fault(Stage.ACK_LOST, SAVE, 1), fault(Stage.BEFORE, SEND, 1)),
                  null,
                  List.of()),
              new RunReport(
                  "forked:before@2-1:seed-7",
                  "a run that was not made",
                  Carrier.FORKED,
                  List.of(fault(Stage.BEFORE, SEND, 2)),
                  List.of(),
                  new Problem(Problem.Kind.POINT_NOT_REACHED, "it never came", null),
                  List.of(),
                  List.of(),
                  Duration.ofMillis(3)),
              run(
                  Carrier.LOST_ACK,
                  List.of(new Fault(Stage.REPLY_LOST, null, 0)),
                  null,
                  List.of("absorbed"))));

  @Test
  void theTableShowsEveryFaultByPointAndCarrier() {
    String text = ConsoleReport.render(REPORT);
    assertThat(text.lines().map(String::strip))
        .contains("Orders.place: 2 commit points, 6 runs, 2 did not hold")
        .contains("p2   kafka: send (events) on relay-# at Orders.place(Orders.java:42)")
        .anyMatch(
            line ->
                line.matches("simulated crash +simulated crash +forked crash +lost acknowledgment"))
        .anyMatch(line -> line.matches("p1 +held +LOST \\(2 runs\\) +- +-"))
        .anyMatch(line -> line.matches("p2 +- +- +POINT_NOT_REACHED +-"))
        .anyMatch(line -> line.matches("end +- +- +- +held"))
        .contains("LOST: it is gone")
        .contains("note: absorbed")
        .contains("replay: forked:before@2-1:seed-7");
  }

  @Test
  void thePageSaysEverythingInWordsAndNeedsNothingElse() {
    String html = HtmlReport.render(List.of(REPORT));
    assertThat(html)
        .contains("✗ LOST (2 runs)")
        .contains("✓ held")
        .contains("? POINT_NOT_REACHED")
        .contains("insert into &quot;orders&quot; &lt;a&gt;")
        .doesNotContain("<a>")
        .doesNotContain("http");
  }

  @Test
  void theDocumentCarriesEverything() {
    String json = JsonReport.render(List.of(REPORT));
    assertThat(json)
        .startsWith(
            "{\"crash_lab\":1,\"passed\":false,\"operations\":[{\"operation\":\"Orders.place\"")
        .contains("\"carrier\":null")
        .contains("\"carrier\":\"forked crash\"")
        .contains("\"detail\":\"insert into \\\"orders\\\" <a>\"")
        .contains("\"site\":\"Orders.place(Orders.java:42)\"")
        .contains("\"findings\":[{\"verdict\":\"LOST\",\"text\":\"it is gone\"}]")
        .contains("\"problem\":{\"kind\":\"POINT_NOT_REACHED\"");
  }

  private static CommitPoint point(Role role) {
    return new CommitPoint(
        Phase.OPERATION, role, 1, SITE, List.of(new Change(role.detail(), SITE)), false);
  }

  private static Fault fault(Stage stage, CommitPoint point, int number) {
    return new Fault(stage, point, number);
  }

  private static RunReport run(
      @Nullable Carrier carrier,
      List<Fault> faults,
      @Nullable Verdict verdict,
      List<String> notes) {
    return new RunReport(
        "id",
        "a run",
        carrier,
        faults,
        verdict == null ? List.of() : List.of(new Finding(verdict, "it is gone")),
        null,
        notes,
        List.of(),
        Duration.ofMillis(3));
  }
}
