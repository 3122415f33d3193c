package dev.holdfast.kafka;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.outbox.ChannelConfig;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.outbox.Relay;
import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * A relay in a process of its own, which can be killed: no shutdown hook, no finally, no goodbye to
 * the servers. Its output is in {@code target/relays}.
 */
final class RelayProcess implements AutoCloseable {
  private static final AtomicInteger STARTED = new AtomicInteger();
  private static final int POOL_SIZE = 6;

  private final Process process;
  private final Path log;

  private RelayProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  static RelayProcess start(String jdbcUrl, String schema, String topic, Sabotage sabotage) {
    try {
      Path log =
          Files.createDirectories(Path.of("target", "relays"))
              .resolve(
                  "%s-%d-%d.log"
                      .formatted(schema, ProcessHandle.current().pid(), STARTED.incrementAndGet()));
      List<String> command = new ArrayList<>();
      command.add(ProcessHandle.current().info().command().orElse("java"));
      command.addAll(
          List.of("-Xmx160m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"));
      command.add("-cp");
      command.add(
          System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
      command.add(RelayProcess.class.getName());
      command.addAll(List.of(jdbcUrl, TestServers.KAFKA.bootstrapServers(), schema, topic));
      command.addAll(sabotage.toArguments());
      return new RelayProcess(
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start(),
          log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The name under which it leads. */
  String owner() {
    return "relay-" + process.pid();
  }

  Path log() {
    return log;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Whether it is stopped (SIGSTOP). */
  boolean isStopped() {
    try {
      String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
    process.onExit().join();
  }

  /**
   * SIGSTOP and SIGCONT: a long pause, as of a garbage collector or a moved machine; SIGQUIT: what
   * its threads do, into the log.
   */
  void signal(String name) {
    signal(name, process.pid());
  }

  static void signal(String name, long pid) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start().onExit().join();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    signal("CONT");
    kill();
  }

  /** Knows nothing of {@link TestServers}, which would start servers of this process's own. */
  public static void main(String[] args) throws InterruptedException {
    Sabotage sabotage = Sabotage.ofArguments(List.of(args).subList(4, args.length));
    Sabotage.Trap trap = new Sabotage.Trap(sabotage);
    Sabotage.Trap.current = trap;
    Store store = PostgresStore.open(sabotage.dataSource(pool(args[0])), args[2]);
    KafkaTarget target =
        Kafka.to(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                args[1],
                ProducerConfig.INTERCEPTOR_CLASSES_CONFIG,
                Sabotage.TrappedInterceptor.class.getName()));
    Relay.start(
        store,
        List.of(new ChannelConfig("orders", sabotage.target(target, trap), List.of(args[3] + "*"))),
        settings(),
        "relay-" + ProcessHandle.current().pid(),
        OutboxListener.all(List.of()));
    new CountDownLatch(1).await();
  }

  private static HikariDataSource pool(String url) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(POOL_SIZE);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(5_000);
    return new HikariDataSource(config);
  }

  static RelaySettings settings() {
    return RelaySettings.DEFAULT
        .withLeaseDuration(Duration.ofSeconds(1))
        .withPage(25, 1 << 20)
        .withProgressInterval(Duration.ofSeconds(1));
  }
}
