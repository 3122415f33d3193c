package dev.holdfast.cli.relay;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.DatabaseOptions;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
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
      description = "Starts a PostgreSQL and a Kafka of its own, to try things out.")
  private boolean embedded;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A YAML file: database, kafka, channels, relay, health.")
  private @Nullable Path config;

  @Option(
      names = "--channel",
      paramLabel = "NAME",
      defaultValue = "default",
      description = "The channel (default: ${DEFAULT-VALUE}).")
  private String channel = "default";

  @Option(
      names = "--topics",
      paramLabel = "A,B",
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
    Deque<AutoCloseable> open = new ArrayDeque<>();
    CountDownLatch ended = new CountDownLatch(1);
    Thread end = new Thread(() -> end(open, ended), "holdfast-end");
    try {
      start(plan, open);
    } catch (RuntimeException e) {
      close(open);
      throw e;
    }
    Runtime.getRuntime().addShutdownHook(end);
    ended.await();
    return 0;
  }

  private void start(RelayPlan plan, Deque<AutoCloseable> open) {
    RelayPlan ready = embedded ? embed(plan, open) : plan;
    HikariDataSource pool = ready.address().pool(8);
    open.push(pool);
    Holdfast.Builder builder =
        Holdfast.on(pool).schema(ready.address().schema()).relay(ready.settings());
    for (RelayPlan.Channel each : ready.channels()) {
      KafkaTarget target = Kafka.to(ready.kafka());
      builder.channel(
          each.name(),
          each.plain() ? target.plain() : target,
          each.topics().toArray(String[]::new));
    }
    Holdfast holdfast = builder.start();
    open.push(holdfast);
    say("Delivering " + ready + ".");
    if (ready.healthPort() != null) {
      HealthServer health = HealthServer.start(holdfast, ready.healthPort());
      open.push(health);
      say("Health and metrics: http://127.0.0.1:" + health.port() + "/health and /metrics");
    }
  }

  private RelayPlan embed(RelayPlan plan, Deque<AutoCloseable> open) {
    PostgresServer postgres = PostgresServer.start();
    open.push(postgres);
    KafkaServer broker = KafkaServer.start();
    open.push(broker);
    say("PostgreSQL: " + postgres.jdbcUrl());
    say("Kafka: " + broker.bootstrapServers());
    return plan.at(postgres.jdbcUrl(), broker.bootstrapServers());
  }

  private void say(String text) {
    spec.commandLine().getErr().println(text);
    spec.commandLine().getErr().flush();
  }

  private void end(Deque<AutoCloseable> open, CountDownLatch ended) {
    boolean clean = close(open);
    ended.countDown();
    // The status that the signal would give says nothing of how it went.
    Runtime.getRuntime().halt(clean ? 0 : 1);
  }

  /** Closes in reverse, the relay before what it works with. */
  private boolean close(Deque<AutoCloseable> open) {
    boolean clean = true;
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        clean = false;
        say("holdfast: not ended cleanly: " + e.getMessage());
      }
    }
    return clean;
  }

  /** What nobody named. */
  static InvalidConfiguration missing(String what, String option) {
    return new InvalidConfiguration(
        "No %s is named, so nothing was started. Give %s, or name it in the file of --config, or try --embedded."
            .formatted(what, option));
  }
}
