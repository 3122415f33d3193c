package dev.holdfast.mariadb;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.twophase.Participant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** The code of {@code docs/mariadb.md}. */
final class MariaDbSnippetsTest {

  @Test
  void theCodeOfTheManualChangesBothDatabases() throws SQLException {
    try (HikariDataSource orders = TestServers.postgres();
        HikariDataSource ledger = TestServers.mariaDb()) {
      TestServers.execute(orders, "create table shop_order (id text primary key)");
      TestServers.execute(
          ledger, "create table booking (order_id varchar(50) primary key, amount int)");

      // Both are known to each other already, as on every start but the first.
      try (Holdfast before = OrdersAndLedger.process(orders, Participant.of("ledger", ledger))) {
        before.twoPhase().recover();
      }
      book(orders, ledger);

      assertThat(TestServers.list(orders, "select id from shop_order")).containsExactly("order-1");
      assertThat(TestServers.list(ledger, "select order_id, amount from booking"))
          .containsExactly("order-1 1990");
    }
  }

  private static void book(DataSource postgres, DataSource mariaDb) {
    // snippet:mariadb-atomically
    Participant ledger = Participant.of("ledger", mariaDb);
    try (Holdfast holdfast = Holdfast.on(postgres).participant(ledger).start()) {
      holdfast.atomically(
          holdfast.decider(),
          ledger,
          (o, l) -> {
            o.update("insert into shop_order (id) values (?)", "order-1");
            l.update("insert into booking (order_id, amount) values (?, ?)", "order-1", 1990);
          });
    }
    // end
  }

  @Test
  void theStatementsOfTheManualFindWhatIsNotInInnoDb() throws IOException, SQLException {
    try (HikariDataSource ledger = TestServers.mariaDb()) {
      TestServers.execute(ledger, "create table kept (id int) engine = innodb");
      TestServers.execute(ledger, "create table lost (id int) engine = myisam");
      assertThat(TestServers.list(ledger, sql("mariadb-engines")))
          .isEqualTo(List.of("lost MyISAM"));
    }
  }

  private static String sql(String name) throws IOException {
    Matcher block =
        Pattern.compile("<!-- snippet:" + name + " -->\\s*```sql\\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("../docs/mariadb.md")));
    assertThat(block.find()).as("a block %s", name).isTrue();
    return block.group(1);
  }
}
