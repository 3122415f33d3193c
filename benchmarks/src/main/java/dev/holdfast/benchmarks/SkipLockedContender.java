package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/** What teams write by hand: delete a batch with SKIP LOCKED, send it, wait, commit. */
class SkipLockedContender implements Contender {
  @Override
  public String name() {
    return "skip-locked";
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
    return "as gruelbox; transactions would not make it deliver once, since its rows are deleted in another commit";
  }

  @Override
  public String guarantee(Mode mode) {
    return "at least once; no order: ids commit out of order, and a second poller overtakes";
  }

  @Override
  public Map<String, String> settings() {
    return Map.of(
        "batch", Integer.toString(BestSettings.SKIP_LOCKED_BATCH),
        "poll_ms", Integer.toString(BestSettings.SKIP_LOCKED_POLL_MS),
        "pollers", "1");
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
    private static final String TAKE =
        """
        delete from hand_outbox where id in (
          select id from hand_outbox order by id limit %d for update skip locked)
        returning id, key, payload
        """
            .formatted(BestSettings.SKIP_LOCKED_BATCH);

    private static final String INSERT = "insert into hand_outbox (key, payload) values (?, ?)";

    private final Venue venue;
    private final Sender sender;
    private @Nullable Background poller;

    Participation(Venue venue) {
      this.venue = venue;
      this.sender = new Sender(venue);
      Db.execute(
          venue.pool(),
          "drop table if exists hand_outbox",
          "create table hand_outbox (id bigserial primary key, key text, payload bytea)");
    }

    @Override
    public void fill(int messages) {
      Db.execute(
          venue.pool(),
          "insert into hand_outbox (key, payload) select 'key-' || i %% %d, convert_to(%s, 'LATIN1') from generate_series(0, %d) i"
              .formatted(Payload.KEYS, Payload.sql(), messages - 1),
          "vacuum analyze hand_outbox");
    }

    @Override
    public void start(boolean relay) {
      if (relay) {
        poller = Background.start("skip-locked", this::poll);
      }
    }

    private void poll(Background.Running running) throws SQLException, InterruptedException {
      try (Connection connection = venue.pool().getConnection();
          PreparedStatement take = connection.prepareStatement(TAKE)) {
        connection.setAutoCommit(false);
        Doorbell wait = new Doorbell();
        while (running.isWanted()) {
          if (deliver(take) == 0) {
            wait.await(Duration.ofMillis(BestSettings.SKIP_LOCKED_POLL_MS));
          }
        }
        connection.setAutoCommit(true);
      }
    }

    private int deliver(PreparedStatement take) throws SQLException {
      List<Message> messages = new ArrayList<>();
      try (ResultSet rows = take.executeQuery()) {
        while (rows.next()) {
          messages.add(new Message(rows.getLong(1), rows.getString(2), rows.getBytes(3)));
        }
      }
      // A DELETE returns rows as it finds them.
      messages.sort((a, b) -> Long.compare(a.id(), b.id()));
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (Message message : messages) {
        sent.add(sender.send(message.key(), message.payload()));
      }
      sender.producer().flush();
      sent.forEach(Sender::await);
      take.getConnection().commit();
      sender.delivered(sent.size());
      return sent.size();
    }

    private record Message(long id, String key, byte[] payload) {}

    @Override
    public void commit(long number) {
      Db.transact(
          venue.pool(),
          connection -> {
            Db.insertOrder(connection, number);
            try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
              insert.setString(1, Payload.key(number));
              insert.setBytes(2, Payload.of(number));
              insert.executeUpdate();
            }
          });
    }

    @Override
    public long delivered() {
      return sender.delivered();
    }

    @Override
    public void close() {
      if (poller != null) {
        poller.close();
      }
      sender.close();
      Db.execute(venue.pool(), "drop table hand_outbox");
    }
  }
}
