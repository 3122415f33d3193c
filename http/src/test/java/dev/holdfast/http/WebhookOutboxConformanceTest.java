package dev.holdfast.http;

import static dev.holdfast.crashtest.Expect.effects;
import static org.assertj.core.api.Assertions.assertThat;

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
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.outbox.Target;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The outbox from PostgreSQL to an endpoint, crashed at every commit point: everything comes, and
 * in order, to whoever tells repeats apart.
 */
@Tag("long")
class WebhookOutboxConformanceTest extends OutboxConformance {
  private static final String SCHEMA = TestServers.unique("conformance");
  private static final HikariDataSource DIRECT = TestServers.pool(10);
  private static final Endpoint ENDPOINT = new Endpoint();

  @Override
  protected final DataSource direct() {
    return DIRECT;
  }

  @Override
  protected final DataSource dataSource(Resources resources) {
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
  protected final Target target(Resources resources) {
    String address = resources.address("endpoint", "127.0.0.1", ENDPOINT.port());
    return resources.target(
        "endpoint",
        Webhook.to(URI.create("http://" + address + "/hook")).timeout(Duration.ofSeconds(2)));
  }

  @Override
  protected final String topic() {
    return "orders";
  }

  @Override
  protected Counted delivered() {
    return taken().distinct();
  }

  private static Counted taken() {
    return effects("endpoint", "message", ENDPOINT::taken);
  }

  @Override
  protected final Holdfast.Builder configure(Holdfast.Builder builder) {
    return builder.schema(SCHEMA);
  }

  @Override
  protected final void expireLeases() {
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
  protected final List<String> bookkeeping() {
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
  @Attacks({"outbox.delivery.repeats", "outbox.delivery.none-lost"})
  public void aRowAndItsMessage(CrashLab lab) {
    super.aRowAndItsMessage(lab);
  }

  @Test
  void whoeverDoesNotTellRepeatsApartFindsThem() {
    OutboxConformance literally =
        new WebhookOutboxConformanceTest() {
          @Override
          protected Counted delivered() {
            return taken();
          }
        };
    RunReport failure =
        Objects.requireNonNull(
            literally.firstFailure(
                OutboxConformance::aRowAndItsMessage, CrashLab.Options.defaults()));
    assertThat(failure.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
