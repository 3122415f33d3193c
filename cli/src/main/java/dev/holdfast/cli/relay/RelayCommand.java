package dev.holdfast.cli.relay;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.cli.DatabaseOptions;
import dev.holdfast.cli.LogLevel;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.micrometer.HoldfastMeters;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code holdfast relay}: delivers until it is told to end. */
@Command(
    name = "relay",
    description = {
      "Delivers an outbox to Kafka, for applications in any language. Several instances are standbys"
          + " of one another.",
      "SIGTERM ends it cleanly: the batch under way is finished and the lease released."
    })
public final class RelayCommand implements Callable<Integer> {
  private static final int CONNECTIONS = 8;

  /** Short, since threads that wait for a connection hold up a clean end. */
  private static final Duration LONGEST_WAIT_FOR_CONNECTION = Duration.ofSeconds(2);

  private static final int PARTITIONS = 4;

  /** Short, so that each scrape sees what is there, and all its gauges the same. */
  private static final Duration FIGURES_MAX_AGE = Duration.ofSeconds(1);

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Mixin private DatabaseOptions database = new DatabaseOptions();

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description = "The brokers, as in bootstrap.servers.")
  private @Nullable String kafka;

  @Option(
      names = "--embedded",
      description =
          "Starts a PostgreSQL and a Kafka of its own, to try things out, and creates the topics"
              + " that are named without *.")
  private boolean embedded;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A YAML file: database, kafka, channels, relay, health.")
  private @Nullable Path config;

  @Option(
      names = "--channel",
      paramLabel = "NAME",
      description = "The channel (default: those of the file, or one named default).")
  private @Nullable String channel;

  @Option(
      names = "--topics",
      paramLabel = "TOPIC",
      split = ",",
      description =
          "The topics of the channel, in which * stands for any characters (default: all of them).")
  private List<String> topics = new ArrayList<>();

  @Option(
      names = "--health-port",
      paramLabel = "PORT",
      description = "Answers /health and /metrics there; 0 for a free port.")
  private @Nullable Integer healthPort;

  @Override
  public Integer call() throws InterruptedException {
    RelayPlan plan =
        RelayPlan.of(
            config == null ? RelayConfig.EMPTY : RelayConfig.read(config),
            new RelayPlan.Arguments(
                database.database(), database.schema(), kafka, channel, topics, healthPort),
            embedded,
            System.getenv());
    // A short command's one message is its result; what a relay does, people read in its log.
    try (LogLevel log = LogLevel.speaking();
        UntilSignalled running = new UntilSignalled(this::say)) {
      start(plan, running);
      running.await();
    }
    return 0;
  }

  private void start(RelayPlan plan, UntilSignalled running) {
    RelayPlan ready = embedded ? embed(plan, running) : plan;
    ready.address().verify();
    HikariDataSource pool =
        running.add(ready.address().pool(CONNECTIONS, LONGEST_WAIT_FOR_CONNECTION));
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    HoldfastMeters meters = new HoldfastMeters(registry);
    Holdfast.Builder builder =
        Holdfast.on(pool).schema(ready.address().schema()).relay(ready.settings()).listener(meters);
    for (RelayPlan.Channel each : ready.channels()) {
      KafkaTarget target = Kafka.to(ready.kafka());
      builder.channel(
          each.name(),
          each.plain() ? target.plain() : target,
          each.topics().toArray(String[]::new));
    }
    Holdfast holdfast = running.add(builder.start());
    say("Delivering " + ready + ".");
    if (ready.healthPort() != null) {
      meters.observe(holdfast, FIGURES_MAX_AGE);
      HealthServer health = running.add(HealthServer.start(holdfast, registry, ready.healthPort()));
      say("Health and metrics: http://127.0.0.1:" + health.port() + "/health and /metrics");
    }
  }

  private RelayPlan embed(RelayPlan plan, UntilSignalled running) {
    PostgresServer postgres = running.add(PostgresServer.start());
    KafkaServer broker = running.add(KafkaServer.start());
    plan.channels().stream()
        .flatMap(each -> each.topics().stream())
        .filter(topic -> !topic.contains("*"))
        .distinct()
        .forEach(topic -> broker.createTopic(topic, PARTITIONS));
    say("PostgreSQL: " + postgres.jdbcUrl());
    say("Kafka: " + broker.bootstrapServers());
    return plan.at(postgres.jdbcUrl(), broker.bootstrapServers());
  }

  private void say(String text) {
    spec.commandLine().getErr().println(text);
    spec.commandLine().getErr().flush();
  }
}
