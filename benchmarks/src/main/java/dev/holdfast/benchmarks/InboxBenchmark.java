package dev.holdfast.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.internal.Doorbell;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Consumers side by side: a backlog from Kafka into the database, a row each. */
final class InboxBenchmark {
  static final List<InboxContender> CONTENDERS =
      List.of(
          new HoldfastInboxContender(false),
          new HoldfastInboxContender(true),
          new PlainConsumerContender(PlainConsumerContender.Rows.EACH),
          new PlainConsumerContender(PlainConsumerContender.Rows.BATCH),
          new PlainConsumerContender(PlainConsumerContender.Rows.RECEIVED),
          new EventuateContender());

  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final String ROWS = "select count(*) from bench_effect";
  private static final Duration SAMPLE = Duration.ofMillis(2);

  private final Servers servers;
  private final List<InboxScenario> scenarios;
  private final List<InboxContender> contenders;
  private final int messages;
  private final PrintWriter progress;
  private final Map<InboxScenario, Map<String, List<Double>>> rates = new LinkedHashMap<>();
  private final List<String> failures = new ArrayList<>();

  InboxBenchmark(
      Servers servers,
      List<InboxScenario> scenarios,
      List<InboxContender> contenders,
      int messages,
      PrintWriter progress) {
    this.servers = servers;
    this.scenarios = scenarios;
    this.contenders = contenders;
    this.messages = messages;
    this.progress = progress;
  }

  /** A warm-up, and then so many rounds. Every round begins with another contender. */
  void run(int rounds) {
    round(0, Math.max(1_000, messages / 4));
    rates.clear();
    failures.clear();
    for (int round = 1; round <= rounds; round++) {
      round(round, messages);
    }
  }

  private void round(int number, int count) {
    for (InboxScenario scenario : scenarios) {
      List<InboxContender> order =
          new ArrayList<>(
              contenders.stream().filter(c -> c.scenarios().contains(scenario)).toList());
      Collections.rotate(order, -number);
      for (InboxContender contender : order) {
        String outcome;
        try {
          double rate = measure(contender, scenario, count);
          rates
              .computeIfAbsent(scenario, s -> new LinkedHashMap<>())
              .computeIfAbsent(contender.name(), c -> new ArrayList<>())
              .add(rate);
          outcome = "%,.0f /s".formatted(rate);
        } catch (BenchmarkFailure e) {
          failures.add(
              "round %d: %s in %s: %s"
                  .formatted(number, contender.name(), scenario.id(), e.getMessage()));
          outcome = "failed: " + e.getMessage();
        }
        progress.printf(
            "%-8s %-12s %-15s %s%n",
            number == 0 ? "warm-up" : "round " + number, scenario.id(), contender.name(), outcome);
        progress.flush();
      }
    }
  }

  /** Messages a second, from the first commit that is seen to the last. */
  private double measure(InboxContender contender, InboxScenario scenario, int count) {
    Venue venue = servers.venue(Mode.PLAIN);
    Db.execute(
        venue.pool(),
        "drop table if exists bench_effect",
        "create table bench_effect (n bigserial primary key, key bytea, payload bytea)");
    fill(venue, count);
    long began = Doorbell.nanos();
    long since = began;
    long before = 0;
    long now = began;
    long handled = 0;
    try (AutoCloseable running = contender.start(scenario, venue)) {
      while (handled < count) {
        new Doorbell().await(SAMPLE);
        now = Doorbell.nanos();
        // The highest number is quickly found. What is rolled back leaves gaps, so it is no count.
        handled = Db.count(venue.pool(), "select coalesce(max(n), 0) from bench_effect");
        if ((before == 0 && handled > 0) || handled >= count) {
          handled = Db.count(venue.pool(), ROWS);
        }
        if (before == 0 && handled > 0) {
          before = handled;
          since = now;
        }
        if (Doorbell.hasPassed(LIMIT, began)) {
          throw new BenchmarkFailure(
              "%,d of %,d messages were handled within %s".formatted(handled, count, LIMIT));
        }
      }
    } catch (BenchmarkFailure e) {
      throw e;
    } catch (Exception e) {
      throw new BenchmarkFailure(contender.name() + " failed", e);
    }
    long rows = Db.count(venue.pool(), ROWS);
    long distinct =
        Db.count(venue.pool(), "select count(distinct substr(payload, 1, 10)) from bench_effect");
    if (rows != count || distinct != count) {
      throw new BenchmarkFailure(
          "%,d messages had %,d effects, of %,d messages".formatted(count, rows, distinct));
    }
    return (handled - before) / (Math.max(1, now - since) / 1e9);
  }

  private static void fill(Venue venue, int count) {
    try (Sender sender = new Sender(venue)) {
      KafkaProducer<byte[], byte[]> producer = sender.producer();
      for (int i = 0; i < count; i++) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("ce_id", UUID.randomUUID().toString().getBytes(UTF_8));
        headers.add("ce_operationid", ("bench-" + i).getBytes(UTF_8));
        producer.send(
            new ProducerRecord<>(
                venue.topic(), null, Payload.key(i).getBytes(UTF_8), Payload.of(i), headers));
      }
      producer.flush();
    }
  }

  boolean isComplete() {
    return failures.isEmpty();
  }

  private List<Double> runs(InboxScenario scenario, InboxContender contender) {
    return rates.getOrDefault(scenario, Map.of()).getOrDefault(contender.name(), List.of());
  }

  /** The form that every benchmark writes. */
  Map<String, Object> document(Map<String, Object> machine) {
    List<Object> all = new ArrayList<>();
    for (InboxScenario scenario : scenarios) {
      List<Object> results = new ArrayList<>();
      for (InboxContender contender : contenders) {
        List<Double> runs = runs(scenario, contender);
        if (!runs.isEmpty()) {
          Map<String, Object> result = new LinkedHashMap<>();
          result.put("contender", contender.name());
          result.put("value", Results.median(runs));
          result.put("min", Collections.min(runs));
          result.put("max", Collections.max(runs));
          result.put("runs", runs);
          result.put("guarantee", contender.guarantee(scenario));
          results.add(result);
        }
      }
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", scenario.id());
      entry.put("unit", "messages/s");
      entry.put("higher_is_better", true);
      entry.put("results", results);
      all.add(entry);
    }
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("benchmark", "inbox");
    document.put("machine", machine);
    document.put(
        "settings",
        Map.of(
            "messages",
            messages,
            "message_bytes",
            Payload.BYTES,
            "postgres",
            BestSettings.POSTGRES,
            "consumer",
            BestSettings.consumer("...")));
    document.put("scenarios", all);
    if (!failures.isEmpty()) {
      document.put("failures", failures);
    }
    return document;
  }

  /** For people. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (InboxScenario scenario : scenarios) {
      text.append("%n%s (messages/s): %s%n".formatted(scenario.id(), scenario.description()));
      text.append(
          "  %-15s %12s %12s %12s %12s  %s%n"
              .formatted("contender", "median", "min", "max", "of holdfast", "guarantee"));
      double ours = Results.median(runs(scenario, CONTENDERS.get(0)));
      for (InboxContender contender : contenders) {
        List<Double> runs = runs(scenario, contender);
        if (!runs.isEmpty()) {
          double value = Results.median(runs);
          text.append(
              "  %-15s %,12.0f %,12.0f %,12.0f %12s  %s%n"
                  .formatted(
                      contender.name(),
                      value,
                      Collections.min(runs),
                      Collections.max(runs),
                      Double.isNaN(ours) ? "-" : "%.2f".formatted(value / ours),
                      contender.guarantee(scenario)));
        }
      }
    }
    failures.forEach(
        failure -> text.append("%nA run failed and is left out: %s%n".formatted(failure)));
    return text.toString();
  }
}
