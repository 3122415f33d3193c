package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.Transaction;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a callback can do with the connection it is lent, and what it cannot. */
final class LentConnectionTest {
  private static final String REFUSED = "To roll back, throw; to commit, return.";

  private final String schema = TestDatabase.newSchema();
  private Holdfast holdfast;

  @BeforeEach
  void begin() throws SQLException {
    holdfast = Holdfast.on(TestDatabase.dataSource()).schema(schema).start();
    execute("create table " + schema + ".t (id text)");
  }

  @AfterEach
  void end() {
    holdfast.close();
  }

  private static void execute(String sql) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private long rows() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select count(*) from " + schema + ".t")) {
      row.next();
      return row.getLong(1);
    }
  }

  private void insert(Transaction tx) throws SQLException {
    tx.update("insert into " + schema + ".t values ('a')");
  }

  @FunctionalInterface
  private interface Use {
    void of(Transaction tx) throws SQLException;
  }

  private void assertRefused(Use use) throws SQLException {
    assertThatThrownBy(
            () ->
                holdfast.transact(
                    tx -> {
                      insert(tx);
                      use.of(tx);
                    }))
        .hasMessageContaining(REFUSED);
    assertThat(rows()).isZero();
  }

  private static void run(Transaction tx, String sql) throws SQLException {
    try (Statement statement = tx.connection().createStatement()) {
      statement.execute(sql);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/* one /* in another */ of them */ commit",
        "--x\rcommit",
        "prepare/**/transaction 'x'",
        "begin; select ';' as x; commit",
        "select $a$;$a$; -- and\n rollback"
      })
  void sqlThatEndsTheTransactionIsRefusedWhereverItStands(String sql) throws SQLException {
    assertRefused(tx -> run(tx, sql));
    assertRefused(
        tx -> {
          try (Statement statement = tx.connection().createStatement()) {
            statement.addBatch("select 1");
            statement.addBatch(sql);
          }
        });
    assertRefused(tx -> tx.update(sql));
    assertRefused(tx -> tx.connection().prepareCall(sql).close());
  }

  @Test
  void whatLeadsBackToTheConnectionLeadsToTheGuard() throws SQLException {
    assertRefused(
        tx -> {
          try (Statement statement = tx.connection().createStatement()) {
            statement.getConnection().commit();
          }
        });
    assertRefused(
        tx -> {
          try (PreparedStatement statement = tx.connection().prepareStatement("select 1")) {
            statement.getConnection().commit();
          }
        });
    assertRefused(tx -> tx.connection().getMetaData().getConnection().commit());
    holdfast.transact(
        tx -> {
          assertThat(tx.connection().getMetaData().getConnection()).isEqualTo(tx.connection());
          assertThat(tx.connection().getMetaData().getDatabaseProductName())
              .isEqualTo("PostgreSQL");
        });
  }

  @Test
  void whatOnlyNamesAnEndIsExecuted() throws SQLException {
    holdfast.transact(
        tx -> {
          insert(tx);
          try (Statement statement = tx.connection().createStatement()) {
            assertThat(statement.enquoteLiteral("Commit to it")).isEqualTo("'Commit to it'");
            assertThat(statement.enquoteIdentifier("end", true)).isEqualTo("\"end\"");
            assertThat(statement.isSimpleIdentifier("commit")).isTrue();
            statement.execute("savepoint a");
            statement.execute("rollback /* x */ to a");
            statement.execute("select '; commit', $$; commit$$, E'\\'; commit'; select 2");
            statement.execute(
                "create function %s.f() returns int language sql begin atomic select 1; end"
                    .formatted(schema));
          }
        });
    assertThat(rows()).isOne();
  }

  /** The server does not let them. */
  @Test
  void aProcedureCannotEndTheTransaction() throws SQLException {
    execute(
        "create procedure %s.p() language plpgsql as $$ begin commit; end $$".formatted(schema));
    assertThatThrownBy(
            () ->
                holdfast.transact(
                    tx -> {
                      insert(tx);
                      run(tx, "call %s.p()".formatted(schema));
                    }))
        .hasStackTraceContaining("invalid transaction termination");
    assertThat(rows()).isZero();
  }

  @Test
  void aStatementThatIsKeptIsOfNoUseBehindTheTransaction() throws SQLException {
    PreparedStatement kept =
        holdfast.transactReturning(
            tx -> tx.connection().prepareStatement("insert into " + schema + ".t values ('b')"));
    assertThatThrownBy(kept::executeUpdate)
        .hasMessageContaining("has ended; use it only inside the callback. Nothing was done.");
    assertThatThrownBy(kept::getConnection).hasMessageContaining("has ended");
    kept.close();
    assertThat(rows()).isZero();
  }
}
