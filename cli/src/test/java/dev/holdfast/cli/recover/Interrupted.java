package dev.holdfast.cli.recover;

import dev.holdfast.Holdfast;
import dev.holdfast.Isolation;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Decision;
import dev.holdfast.twophase.store.Gid;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** An operation across two databases whose process came as far as preparing; its owner is alive. */
public final class Interrupted implements AutoCloseable {
  private final Connection deciding;
  public final Gid gid;

  /**
   * Two databases with a table {@code entry} each, and the ledger as a participant of the other.
   */
  public record Databases(String orders, String ledger) {
    public static Databases create() throws SQLException {
      Databases databases = new Databases(TestDatabases.create(), TestDatabases.create());
      for (String url : List.of(databases.orders, databases.ledger)) {
        Run.line("schema migrate --database", url).result();
        TestDatabases.execute(url, "create table entry (id text primary key)");
      }
      try (Holdfast holdfast =
          Holdfast.on(source(databases.orders))
              .participant(databases.participant())
              .manual()
              .holdfast()) {
        holdfast.twoPhase().recover();
      }
      return databases;
    }

    public static DataSource source(String url) {
      PGSimpleDataSource source = new PGSimpleDataSource();
      source.setUrl(url);
      return source;
    }

    Participant participant() {
      return Participant.of("ledger", source(ledger));
    }

    /** So that tests of the server's own state do not meet it. */
    void endWhatIsPrepared() throws SQLException {
      List<String> gids = new ArrayList<>();
      try (Connection connection = source(ledger).getConnection();
          Statement statement = connection.createStatement();
          ResultSet rows =
              statement.executeQuery(
                  "select gid from pg_prepared_xacts where database = current_database()")) {
        while (rows.next()) {
          gids.add(rows.getString(1));
        }
      }
      for (String gid : gids) {
        TestDatabases.execute(ledger, "rollback prepared '" + gid + "'");
      }
    }

    /** The ids that are in either, as {@code orders / ledger}. */
    public String entries() throws SQLException {
      return entries(orders) + " / " + entries(ledger);
    }

    private static String entries(String url) throws SQLException {
      try (Connection connection = source(url).getConnection();
          Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "select coalesce(string_agg(id, ' ' order by id), '-') from entry")) {
        row.next();
        return row.getString(1);
      }
    }
  }

  public Interrupted(Databases databases, String id) throws SQLException {
    DataSource orders = Databases.source(databases.orders());
    DecisionStore decisions = PostgresStore.open(orders, "holdfast").decisions();
    BranchStore branches = databases.participant().branches();
    deciding = orders.getConnection();
    decisions.begin(deciding, Isolation.READ_COMMITTED, Duration.ofSeconds(5));
    insert(deciding, id);
    long nonce = ThreadLocalRandom.current().nextLong();
    long serial =
        decisions.decide(
            deciding,
            new Decision(nonce, List.of("ledger"), "of " + id, Duration.ofMinutes(5), false),
            List.of());
    gid = new Gid(decisions.identity().storeId(), serial, nonce, "ledger");
    try (Connection other = branches.connect()) {
      branches.begin(other, null, Isolation.READ_COMMITTED, Duration.ofSeconds(5));
      insert(other, id);
      branches.prepare(
          other, gid, "of " + id, decisions.participant("ledger").orElseThrow().claim());
    }
  }

  private static void insert(Connection connection, String id) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("insert into entry values ('" + id + "')");
    }
  }

  /** Its owner dies behind the decision. */
  public Interrupted decided() throws SQLException {
    try (deciding) {
      deciding.commit();
    }
    return this;
  }

  /** Its owner dies in front of it. */
  public Interrupted undecided() throws SQLException {
    try (deciding) {
      deciding.rollback();
    }
    return this;
  }

  @Override
  public void close() throws SQLException {
    deciding.close();
  }
}
