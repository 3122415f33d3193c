package dev.holdfast.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.internal.Doorbell;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Drains a backlog from PostgreSQL into Kafka, everything on one machine.
 *
 * <p>Arguments, each optional: {@code --messages N} (500,000), {@code --bytes N} (200), {@code
 * --rounds N} (3, after a warm-up), {@code --only NAME}, {@code --json FILE}.
 */
public final class OutboxBenchmark {
  private final KafkaServer kafka;
  private final HikariDataSource dataSource;
  private int topics;

  private OutboxBenchmark(KafkaServer kafka, HikariDataSource pool) {
    this.kafka = kafka;
    this.dataSource = pool;
  }

  public static void main(String[] args) throws IOException {
    Map<String, String> options = options(args);
    int messages = Integer.parseInt(options.getOrDefault("--messages", "500000"));
    int bytes = Integer.parseInt(options.getOrDefault("--bytes", "200"));
    int rounds = Integer.parseInt(options.getOrDefault("--rounds", "3"));
    List<Contender> contenders =
        new ArrayList<>(
            List.of(new HoldfastContender(), new SkipLockedContender(), new KafkaRawContender()));
    String only = options.get("--only");
    contenders.removeIf(contender -> only != null && !contender.name().equals(only));
    try (PostgresServer postgres = PostgresServer.start();
        KafkaServer kafka = KafkaServer.builder().javaOption("-XX:TieredStopAtLevel=4").start();
        HikariDataSource pool = pool(postgres)) {
      OutboxBenchmark benchmark = new OutboxBenchmark(kafka, pool);
      Map<String, Object> report = benchmark.run(contenders, messages, bytes, rounds);
      String json = options.get("--json");
      if (json != null) {
        new ObjectMapper()
            .writerWithDefaultPrettyPrinter()
            .writeValue(Path.of(json).toFile(), report);
      }
    }
  }

  private static Map<String, String> options(String[] args) {
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i], args[i + 1]);
    }
    return options;
  }

  private static HikariDataSource pool(PostgresServer postgres) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(postgres.jdbcUrl());
    config.setMaximumPoolSize(10);
    return new HikariDataSource(config);
  }

  private Map<String, Object> run(List<Contender> contenders, int messages, int bytes, int rounds) {
    Map<String, List<Double>> rates = new LinkedHashMap<>();
    for (Contender contender : contenders) {
      once(contender, messages, bytes); // warm-up, of the broker and the database too
    }
    for (int round = 0; round < rounds; round++) {
      for (Contender contender : contenders) {
        double rate = once(contender, messages, bytes);
        rates.computeIfAbsent(contender.name(), name -> new ArrayList<>()).add(rate);
        System.out.printf(
            "round %d  %-12s %,10.0f messages/s%n", round + 1, contender.name(), rate);
      }
    }
    return report(contenders, rates, messages, bytes);
  }

  private double once(Contender contender, int messages, int bytes) {
    String topic = "bench-" + topics++;
    kafka.createTopic(topic, 4);
    contender.fill(dataSource, topic, messages, bytes);
    long started = Doorbell.nanos();
    contender.drain(dataSource, kafka.bootstrapServers(), topic, messages, bytes);
    Duration took = Doorbell.since(started);
    return messages / (took.toNanos() / 1e9);
  }

  private Map<String, Object> report(
      List<Contender> contenders, Map<String, List<Double>> rates, int messages, int bytes) {
    List<Object> results = new ArrayList<>();
    double ours = median(rates.getOrDefault("holdfast", List.of(Double.NaN)));
    for (Contender contender : contenders) {
      List<Double> runs = rates.getOrDefault(contender.name(), List.of());
      double value = median(runs);
      System.out.printf(
          "%-12s median %,10.0f messages/s  %5.2f of holdfast  (%s)%n",
          contender.name(), value, value / ours, contender.guarantee());
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("contender", contender.name());
      result.put("value", value);
      result.put("min", runs.stream().mapToDouble(Double::doubleValue).min().orElse(0));
      result.put("max", runs.stream().mapToDouble(Double::doubleValue).max().orElse(0));
      result.put("runs", runs);
      result.put("guarantee", contender.guarantee());
      results.add(result);
    }
    Map<String, Object> scenario = new LinkedHashMap<>();
    scenario.put("name", "drain");
    scenario.put("unit", "messages/s");
    scenario.put("higher_is_better", true);
    scenario.put("results", results);
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("benchmark", "outbox");
    report.put(
        "machine",
        Map.of(
            "processors", Runtime.getRuntime().availableProcessors(),
            "max_heap_mb", Runtime.getRuntime().maxMemory() >> 20,
            "java", System.getProperty("java.version")));
    report.put("settings", Map.of("messages", messages, "bytes", bytes));
    report.put("scenarios", List.of(scenario));
    return report;
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 2);
  }
}
