package dev.holdfast.kafka;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Expect;
import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.OutboxConformance;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.outbox.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/** The outbox from PostgreSQL to Kafka, in the crash lab. */
abstract class KafkaOutbox extends OutboxConformance {
  private static final String TRANSACTIONAL = TestServers.unique("conformance_");
  private static final String PLAIN = TestServers.unique("conformance_plain_");
  private static final String TOPIC = TestServers.unique("conformance");
  private static final HikariDataSource DIRECT = TestServers.pool(TestServers.POSTGRES.jdbcUrl());
  private static final KafkaBroker BROKER = KafkaBroker.of(TestServers.KAFKA);

  static {
    TestServers.KAFKA.createTopic(TOPIC, 2);
  }

  private final boolean plain;
  private final String schema;

  KafkaOutbox() {
    this(false);
  }

  /**
   * @param plain without Kafka transactions
   */
  KafkaOutbox(boolean plain) {
    this.plain = plain;
    this.schema = plain ? PLAIN : TRANSACTIONAL;
  }

  @Override
  protected final DataSource direct() {
    return DIRECT;
  }

  @Override
  protected final DataSource dataSource(Resources resources) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(
        database(resources.dataSource("database", TestServers.POSTGRES.jdbcUrl())));
    config.setMaximumPoolSize(8);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    HikariDataSource pool = new HikariDataSource(config);
    resources.onStop(pool);
    return pool;
  }

  /** To be changed where a step of the protocol is to be taken out. */
  protected DataSource database(DataSource real) {
    return real;
  }

  @Override
  protected final Target target(Resources resources) {
    Map<String, String> config =
        Map.of(
            "bootstrap.servers",
            resources.bootstrapServers("kafka", BROKER),
            // So long a commit waits whose network the crash has cut, and the burial with it.
            "max.block.ms",
            "3000");
    KafkaTarget target = Kafka.to(config);
    return resources.target("kafka", BROKER, plain ? target.plain() : target);
  }

  @Override
  protected final String topic() {
    return TOPIC;
  }

  @Override
  protected Counted delivered() {
    return Expect.record(TOPIC).byKey();
  }

  @Override
  protected final Holdfast.Builder configure(Holdfast.Builder builder) {
    return builder.schema(schema);
  }

  @Override
  protected final void expireLeases() {
    try (Connection connection = DIRECT.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          do $$ begin
            update %1$s.lease set expires_at = '-infinity'
            where name in (select name from %1$s.lease for update skip locked);
          exception when undefined_table or invalid_schema_name then null;
          end $$
          """
              .formatted(schema));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  protected final List<String> bookkeeping() {
    return List.of(
        schema + ".lease",
        schema + ".ring",
        // A question, which only asks for the time.
        schema + ".delayed order by due_at limit",
        "pg_notify",
        "pg_logical_emit_message");
  }
}
