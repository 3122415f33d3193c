package dev.holdfast.cli.operation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.TransactionOptions;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.twophase.Participant;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** An operation across two databases, asked for by its id in either. */
class AcrossDatabasesTest {
  private static PGSimpleDataSource source(String url) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(url);
    return source;
  }

  @Test
  void theDecisionIsToldInOneAndTheCommitInTheOther() throws Exception {
    String orders = TestDatabases.create();
    String ledger = TestDatabases.create();
    for (String url : new String[] {orders, ledger}) {
      Run.line("schema migrate --database", url).result();
      TestDatabases.execute(url, "create table entry (id text primary key)");
    }
    Participant participant = Participant.of("ledger", source(ledger));
    String store;
    try (Holdfast holdfast =
        Holdfast.on(source(orders))
            .schemaManagedElsewhere()
            .participant(participant)
            .manual()
            .holdfast()) {
      holdfast
          .atomic()
          .with(participant)
          .options(TransactionOptions.DEFAULT.withOperationId("order-4711"))
          .run(
              tx -> {
                tx.update("insert into entry values ('a')");
                tx.on(participant).update("insert into entry values ('a')");
              });
      store = holdfast.store().decisions().identity().storeId().toString();
    }

    assertThat(Run.of("operation", "order-4711", "--database", orders).result())
        .containsPattern("database +decide, with ledger +done")
        .contains("Nothing is owed.");
    assertThat(Run.of("operation", "order-4711", "--database", ledger).result())
        .containsPattern(
            "participant ledger +commit what was prepared +done +decided in the store " + store)
        .contains("Nothing is owed.");
  }
}
