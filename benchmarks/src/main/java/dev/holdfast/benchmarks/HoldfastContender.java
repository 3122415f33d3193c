package dev.holdfast.benchmarks;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Holdfast as users get it, with no setting changed. */
final class HoldfastContender implements Contender {
  @Override
  public String name() {
    return "holdfast";
  }

  @Override
  public Set<Mode> modes() {
    return EnumSet.allOf(Mode.class);
  }

  @Override
  public boolean takesPart(Measurement measurement) {
    return true;
  }

  @Override
  public String participation() {
    return "in everything, with Kafka transactions and without";
  }

  @Override
  public String guarantee(Mode mode) {
    return switch (mode) {
      case TRANSACTIONAL -> "read_committed: nothing lost or repeated; order per key";
      case PLAIN -> "at least once, with ids; order per key";
    };
  }

  @Override
  public Map<String, String> settings() {
    return Map.of("all", "defaults");
  }

  @Override
  public int backlog(int messages) {
    return messages;
  }

  @Override
  public Entry enter(Venue venue) {
    return new Participation(venue);
  }

  private static final class Participation implements Entry {
    private static final String SCHEMA = "holdfast";
    private static final String CHANNEL = "bench";
    private static final int PER_COMMIT = 10_000;

    private final Venue venue;
    private @Nullable Holdfast holdfast;

    Participation(Venue venue) {
      this.venue = venue;
      dropSchema();
      Store store = PostgresStore.open(venue.pool(), SCHEMA);
      store.schema().migrate();
      store.channels().register(CHANNEL, List.of(venue.topic()));
    }

    private void dropSchema() {
      Db.execute(venue.pool(), "drop schema if exists " + SCHEMA + " cascade");
    }

    @Override
    public void fill(int messages) {
      for (int done = 0; done < messages; done += PER_COMMIT) {
        // Through the function that every publisher uses.
        Db.execute(
            venue.pool(),
            """
            select holdfast.publish_all(array_agg(gen_random_uuid()), array_agg('%s'::text),
              array_agg('key-' || i %% %d), array_agg('bench'::text),
              array_agg('application/octet-stream'::text),
              array_agg(convert_to(%s, 'LATIN1')), array_agg(null::text), null, null, 'bench')
            from generate_series(%d, %d) i
            """
                .formatted(
                    venue.topic(),
                    Payload.KEYS,
                    Payload.sql(),
                    done,
                    Math.min(done + PER_COMMIT, messages) - 1));
      }
      Db.execute(venue.pool(), "vacuum analyze " + SCHEMA + ".message_0");
    }

    @Override
    public void start(boolean relay) {
      Holdfast.Builder builder = Holdfast.on(venue.pool()).schema(SCHEMA);
      if (relay) {
        KafkaTarget target = Kafka.to(Map.of("bootstrap.servers", venue.bootstrapServers()));
        builder.channel(
            CHANNEL, venue.mode() == Mode.PLAIN ? target.plain() : target, venue.topic());
      }
      holdfast = builder.start();
    }

    @Override
    public void commit(long number) {
      started()
          .transact(
              tx -> {
                Db.insertOrder(tx.connection(), number);
                tx.publish(Message.of(venue.topic(), Payload.key(number), Payload.of(number)));
              });
    }

    @Override
    public long delivered() {
      return started().status().stream().mapToLong(RelayStatus::delivered).sum();
    }

    /** That is, before it has read its first page, which is a part of the drain. */
    @Override
    public boolean isReading() {
      return started().status().stream().anyMatch(each -> each.phase() == RelayPhase.LEADING);
    }

    private Holdfast started() {
      return Objects.requireNonNull(holdfast, "start() comes first");
    }

    @Override
    public void close() {
      if (holdfast != null) {
        holdfast.close();
      }
      dropSchema();
    }
  }
}
