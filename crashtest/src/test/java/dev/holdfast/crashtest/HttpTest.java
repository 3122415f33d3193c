package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.http;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations that charge somebody's card over HTTP. */
final class HttpTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private String orders = "";

  @BeforeEach
  void table() {
    orders = LabServers.keyedTable("orders");
  }

  private record Shop(DataSource dataSource, HttpClient client, HttpLedger payments) {

    void charge(String key, boolean async) throws IOException, InterruptedException {
      HttpRequest request =
          HttpRequest.newBuilder(payments.uri().resolve("charges/" + key))
              .header("Idempotency-Key", key)
              .POST(HttpRequest.BodyPublishers.ofString("{}"))
              .build();
      HttpResponse<Void> response;
      if (async) {
        response = client.sendAsync(request, HttpResponse.BodyHandlers.discarding()).join();
      } else {
        response = client.send(request, HttpResponse.BodyHandlers.discarding());
      }
      if (response.statusCode() != 201) {
        throw new IOException("Not charged: " + response);
      }
    }

    void save(String table, String key) throws SQLException {
      try (Connection connection = dataSource.getConnection()) {
        TwoTables.insertOnce(connection, table, key);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void chargingBeforeSavingChargesForNothing(boolean async) {
    try (HttpLedger payments = HttpLedger.executingRepeats()) {
      ExplorationReport report = explore(payments, async, false);
      assertThat(report.points())
          .extracting(point -> point.role().detail().replaceAll("_\\d+", ""))
          .first()
          .isEqualTo("POST /charges/{}");
      assertThat(failed(report))
          .extracting(run -> run.replayId().replaceAll("-[0-9a-f]{4}:.*", ""))
          .containsExactly("fenced:ack-lost@1", "fenced:before@2", "lost-ack:ack-lost@1");
      assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.PHANTOM);
      assertThat(report.findings().findFirst().orElseThrow().text())
          .containsPattern("made at HttpTest\\$Shop.charge\\(HttpTest.java:\\d+");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aCallerThatComesBackChargesTwiceUnlessTheServiceAbsorbsIt(boolean async) {
    try (HttpLedger payments = HttpLedger.executingRepeats()) {
      ExplorationReport report = explore(payments, async, true);
      assertThat(report.findings()).isNotEmpty();
      assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.DUPLICATE);
    }
    try (HttpLedger payments = HttpLedger.absorbingRepeats()) {
      ExplorationReport report = explore(payments, async, true);
      assertThat(report.runs()).hasSize(async ? 10 : 9).allMatch(RunReport::passed);
    }
  }

  private ExplorationReport explore(HttpLedger payments, boolean async, boolean comesBack) {
    return CrashLab.explore(
        "charge and save",
        CrashLab.Options.defaults().withCarriers(Carrier.FENCED, Carrier.LOST_ACK),
        lab -> {
          Scenario<Shop> scenario =
              lab.application(
                      resources ->
                          new Shop(
                              resources.dataSource("shop", LabServers.url()),
                              resources.httpClient("payments", CLIENT),
                              payments))
                  .operation(
                      (shop, key) -> {
                        shop.charge(key, async);
                        shop.save(orders, key);
                      })
                  .expect(row(orders).byKey().once(), http(payments).byIdempotencyKey().once());
          if (comesBack) {
            scenario.recoveredByRetry(2);
          }
        });
  }

  private static List<RunReport> failed(ExplorationReport report) {
    assertThat(report.runs()).allMatch(run -> run.problem() == null);
    return report.runs().stream().filter(run -> !run.passed()).toList();
  }
}
