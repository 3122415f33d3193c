package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Transactions in two phases, by SQL of the application's own. */
final class PreparedTest {
  private String orders = "";
  private String entries = "";

  @BeforeEach
  void tables() {
    orders = LabServers.keyedTable("orders");
    entries = LabServers.keyedTable("entries");
  }

  @AfterEach
  void endAll() throws SQLException {
    for (String gid : prepared("")) {
      LabServers.execute("rollback prepared '" + gid + "'");
    }
  }

  /** An entry is prepared, an order that decides is committed, the entry follows. */
  private final class Ledger {
    private final DataSource shop;
    private final DataSource books;

    Ledger(Resources resources) {
      shop = resources.dataSource("shop", LabServers.url());
      books = resources.dataSource("books", LabServers.url());
    }

    void enter(String key) throws SQLException {
      try (Connection branch = books.getConnection();
          Connection deciding = shop.getConnection();
          Statement statement = branch.createStatement()) {
        branch.setAutoCommit(false);
        TwoTables.insert(branch, entries, key);
        statement.execute("prepare transaction '" + entries + ":" + key + "'");
        branch.setAutoCommit(true);
        TwoTables.insert(deciding, orders, key);
        statement.execute("commit prepared '" + entries + ":" + key + "'");
      }
    }

    /** Of a process that runs alone: what it finds has no owner. */
    void recover() throws SQLException {
      try (Connection branch = books.getConnection();
          Statement statement = branch.createStatement()) {
        for (String gid : prepared(entries)) {
          boolean decided = isThere(orders, gid.substring(gid.indexOf(':') + 1));
          statement.execute((decided ? "commit" : "rollback") + " prepared '" + gid + "'");
        }
      }
    }
  }

  private static List<String> prepared(String prefix) throws SQLException {
    return list("select gid from pg_prepared_xacts where gid like '" + prefix + "%'");
  }

  private static boolean isThere(String table, String key) throws SQLException {
    return !list("select id from " + table + " where id = '" + key + "'").isEmpty();
  }

  private static List<String> list(String sql) throws SQLException {
    List<String> result = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(LabServers.url());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        result.add(rows.getString(1));
      }
    }
    return result;
  }

  private ExplorationReport explore(CrashLab.Options options, Scenario.Step<Ledger> recovery) {
    return CrashLab.explore(
        "enter",
        options,
        lab ->
            lab.application(Ledger::new)
                .operation(Ledger::enter)
                .recover(recovery)
                .expect(
                    row(orders).in("shop").byKey().once(),
                    row(entries).in("books").byKey().once()));
  }

  @Test
  void bothPhasesAreCommitPoints() {
    ExplorationReport report = explore(CrashLab.Options.defaults(), Ledger::recover);

    assertThat(report.runs()).allMatch(RunReport::passed);
    assertThat(report.runs().get(0).trace())
        .extracting(point -> point.role().resource() + " " + point.role().action())
        .containsExactly("books prepare", "shop autocommit", "books commit prepared");
    // Named by their statements, and not by the branch, which has another name in every run.
    assertThat(report.runs().get(0).trace())
        .extracting(point -> point.role().detail())
        .doesNotHaveDuplicates()
        .allMatch(detail -> !detail.contains(":"));
  }

  /** In recovery the second phase is a point, whichever way it goes. */
  @Test
  void aSecondCrashStrikesWhileABranchIsEnded() {
    ExplorationReport report =
        explore(CrashLab.Options.defaults().withCrashesDuringRecovery(1), Ledger::recover);

    assertThat(report.runs()).allMatch(RunReport::passed);
    assertThat(
            report.runs().stream()
                .filter(run -> run.faults().size() == 2)
                .map(run -> run.faults().get(1).point())
                .filter(point -> point != null)
                .map(point -> point.role().action())
                .collect(Collectors.toSet()))
        .containsExactlyInAnyOrder("commit prepared", "rollback prepared");
  }

  @Test
  void answersOfBothPhasesCanBeLost() {
    ExplorationReport report =
        explore(
            CrashLab.Options.defaults().withCarriers(Carrier.LOST_ACK),
            // Never called, since nothing crashes: what is left in doubt stays so.
            ledger -> {});

    Map<String, Verdict> found = new TreeMap<>();
    for (RunReport run : report.runs()) {
      for (Finding finding : run.findings()) {
        found.put(run.title(), finding.verdict());
      }
    }
    // Prepared, and the order was never written: nothing is there, as the caller must expect.
    assertThat(found.values()).containsExactly(Verdict.LOST);
    assertThat(found.keySet()).singleElement().asString().contains("autocommit");
  }

  /** What is prepared counts for nothing until it is committed. */
  @Test
  void whatIsPreparedIsNotThere() {
    List<Finding> findings =
        explore(CrashLab.Options.defaults(), ledger -> {}).runs().stream()
            .flatMap(run -> run.findings().stream())
            .toList();

    assertThat(findings).extracting(Finding::verdict).containsOnly(Verdict.LOST);
    assertThat(findings).isNotEmpty().allMatch(finding -> finding.text().contains(entries));
  }
}
