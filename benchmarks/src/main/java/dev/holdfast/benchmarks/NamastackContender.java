package dev.holdfast.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.namastack.outbox.Outbox;
import io.namastack.outbox.handler.OutboxRecordMetadata;
import io.namastack.outbox.handler.OutboxTypedHandler;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionTemplate;

/** namastack outbox, in a Spring Boot application of its own for each run. */
final class NamastackContender implements Contender {
  @Override
  public String name() {
    return "namastack";
  }

  @Override
  public Set<Mode> modes() {
    return Set.of(Mode.PLAIN);
  }

  @Override
  public boolean takesPart(Measurement measurement) {
    return true;
  }

  @Override
  public String participation() {
    return "as gruelbox";
  }

  @Override
  public String guarantee(Mode mode) {
    return "at least once; order per key unless one fails";
  }

  @Override
  public Map<String, String> settings() {
    Map<String, String> settings = new TreeMap<>();
    BestSettings.namastack().forEach((name, value) -> settings.put(name, value.toString()));
    return settings;
  }

  @Override
  public int backlog(int messages) {
    return Math.max(1, messages / BestSettings.SLOW_DIVISOR);
  }

  @Override
  public Entry enter(Venue venue) {
    return new Participation(venue);
  }

  /** What is recorded, as JSON. */
  record Event(String key, String payload) {}

  /** Called by namastack for each record. */
  static final class Handler implements OutboxTypedHandler<Event> {
    private final Sender sender;

    Handler(Sender sender) {
      this.sender = sender;
    }

    @Override
    public void handle(Event event, OutboxRecordMetadata metadata) {
      sender.sendAndWait(event.key(), event.payload().getBytes(ISO_8859_1));
    }
  }

  @SpringBootConfiguration
  @EnableAutoConfiguration
  static class Application {}

  private static final class Participation implements Entry {
    private static final int PER_COMMIT = 1_000;

    private final Venue venue;
    private final Sender sender;
    private @Nullable ConfigurableApplicationContext context;
    private @Nullable TransactionTemplate transactions;
    private @Nullable JdbcTemplate jdbc;
    private @Nullable Outbox outbox;

    Participation(Venue venue) {
      this.venue = venue;
      this.sender = Sender.oneByOne(venue);
      dropTables();
    }

    private void dropTables() {
      Db.execute(
          venue.pool(), "drop table if exists outbox_record, outbox_instance, outbox_partition");
    }

    private void boot(boolean relay) {
      // Spring Boot would configure the logging of the whole process anew.
      System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
      Map<String, Object> settings = new HashMap<>(BestSettings.namastack());
      if (!relay) {
        settings.put("namastack.outbox.polling.fixed.interval", "10h");
      }
      ConfigurableApplicationContext started =
          new SpringApplicationBuilder(Application.class)
              .web(WebApplicationType.NONE)
              .bannerMode(Banner.Mode.OFF)
              .logStartupInfo(false)
              .registerShutdownHook(false)
              .properties(settings)
              .initializers(
                  application -> {
                    // As a singleton, which the application does not close with itself.
                    application.getBeanFactory().registerSingleton("dataSource", venue.pool());
                    ((GenericApplicationContext) application)
                        .registerBean("handler", Handler.class, () -> new Handler(sender));
                  })
              .run();
      context = started;
      transactions = started.getBean(TransactionTemplate.class);
      jdbc = started.getBean(JdbcTemplate.class);
      outbox = started.getBean(Outbox.class);
    }

    private void shutDown() {
      if (context != null) {
        context.close();
      }
      context = null;
      // The next instance shall not wait until this one is held for dead.
      Db.execute(venue.pool(), "truncate outbox_instance, outbox_partition");
    }

    @Override
    public void fill(int messages) {
      boot(false);
      for (int done = 0; done < messages; done += PER_COMMIT) {
        int from = done;
        int to = Math.min(done + PER_COMMIT, messages);
        transactions()
            .executeWithoutResult(
                status -> {
                  for (long number = from; number < to; number++) {
                    schedule(number);
                  }
                });
      }
      shutDown();
      Db.execute(venue.pool(), "vacuum analyze outbox_record");
    }

    private void schedule(long number) {
      String key = Payload.key(number);
      Objects.requireNonNull(outbox).schedule(new Event(key, Payload.text(number)), key);
    }

    @Override
    public void start(boolean relay) {
      boot(relay);
    }

    @Override
    public void commit(long number) {
      transactions()
          .executeWithoutResult(
              status -> {
                Objects.requireNonNull(jdbc)
                    .update("insert into bench_order (number, status) values (?, 'NEW')", number);
                schedule(number);
              });
    }

    private TransactionTemplate transactions() {
      return Objects.requireNonNull(transactions, "start() comes first");
    }

    @Override
    public long delivered() {
      return sender.delivered();
    }

    @Override
    public void close() {
      shutDown();
      sender.close();
      dropTables();
    }
  }
}
