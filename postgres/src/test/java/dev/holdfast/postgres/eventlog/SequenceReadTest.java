package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How far a sequence has come, while others draw from it. */
final class SequenceReadTest {
  private final Log log = new Log();

  @AfterEach
  void end() {
    log.close();
  }

  /** How often a value was drawn behind the look that the look had as drawn already. */
  private long ahead(String look, int looks) throws Exception {
    log.execute("create sequence if not exists ${schema}.s cache 1");
    log.execute(
        """
        create or replace function ${schema}.ahead(looks integer) returns integer language plpgsql as $$
        declare h bigint; n integer := 0;
        begin
          for i in 1 .. looks loop
            %s
            if nextval('${schema}.s') <= h then n := n + 1; end if;
          end loop;
          return n;
        end $$
        """
            .formatted(look));
    CompletableFuture<Void> drawing =
        CompletableFuture.runAsync(
            () -> {
              try {
                for (int i = 0; i < looks / 20_000; i++) {
                  log.ask("select count(nextval('${schema}.s')) from generate_series(1, 100000)");
                }
              } catch (SQLException e) {
                throw new IllegalStateException(e);
              }
            });
    long found = log.ask("select ${schema}.ahead(%d)".formatted(looks));
    drawing.get();
    return found;
  }

  @Test
  void underItsPagesLockNoValueIsSeenThatNobodyHasDrawn() throws Exception {
    assertThat(ahead("h := pg_sequence_last_value('${schema}.s');", 200_000)).isZero();
  }

  /** The value is logged 32 ahead, in the page, and then set to what was drawn. */
  @Test
  void aPlainSelectSeesValuesThatNobodyHasDrawn() throws Exception {
    long found = 0;
    for (int round = 0; round < 50 && found == 0; round++) {
      found = ahead("select last_value into h from ${schema}.s;", 200_000);
    }
    assertThat(found).isPositive();
  }
}
