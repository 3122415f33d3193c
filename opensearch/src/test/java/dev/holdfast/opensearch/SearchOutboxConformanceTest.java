package dev.holdfast.opensearch;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.OutboxConformance;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.outbox.Target;
import java.net.URI;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;

/**
 * The outbox from PostgreSQL to an index, crashed at every commit point: every message is there,
 * once, and in order.
 */
@Tag("long")
final class SearchOutboxConformanceTest extends OutboxConformance {
  private static final String SCHEMA = TestServers.unique("conformance");
  private static final HikariDataSource DIRECT = TestServers.pool(10);
  private static final Messages MESSAGES = new Messages();

  @Override
  protected DataSource direct() {
    return DIRECT;
  }

  @Override
  protected DataSource dataSource(Resources resources) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(resources.dataSource("database", TestServers.POSTGRES.jdbcUrl()));
    config.setMaximumPoolSize(8);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    HikariDataSource pool = new HikariDataSource(config);
    resources.onStop(pool);
    return pool;
  }

  @Override
  protected Target target(Resources resources) {
    String address = resources.address("search", "127.0.0.1", TestServers.SEARCH.port());
    return resources.target(
        "search",
        SearchTarget.to(
            MESSAGES.index(SearchEngine.at(URI.create("http://" + address))), Messages::document));
  }

  @Override
  protected String topic() {
    return Messages.TOPIC;
  }

  @Override
  protected Counted delivered() {
    return MESSAGES.delivered();
  }

  @Override
  protected Holdfast.Builder configure(Holdfast.Builder builder) {
    return builder.schema(SCHEMA);
  }

  @Override
  protected void expireLeases() {
    TestServers.execute(
        DIRECT,
        """
        do $$ begin
          update %1$s.lease set expires_at = '-infinity'
          where name in (select name from %1$s.lease for update skip locked);
        exception when undefined_table or invalid_schema_name then null;
        end $$
        """
            .formatted(SCHEMA));
  }

  @Override
  protected List<String> bookkeeping() {
    return List.of(
        SCHEMA + ".lease",
        SCHEMA + ".ring",
        // A question, which only asks for the time.
        SCHEMA + ".delayed order by due_at limit",
        "pg_notify",
        "pg_logical_emit_message");
  }

  @Override
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"outbox.delivery.deduplicated", "outbox.delivery.none-lost"})
  public void aRowAndItsMessage(CrashLab lab) {
    super.aRowAndItsMessage(lab);
  }
}
