package dev.holdfast.benchmarks;

import java.sql.PreparedStatement;
import java.util.Map;
import java.util.Set;

/** The floor of a commit: one more ordinary row in the same transaction, for nobody to read. */
final class PlainRowContender implements Contender {
  @Override
  public String name() {
    return "plain-row";
  }

  @Override
  public Set<Mode> modes() {
    return Set.of(Mode.PLAIN);
  }

  @Override
  public boolean takesPart(Measurement measurement) {
    return switch (measurement) {
      case COMMIT, COMMIT_ALONE, COMMIT_HELD -> true;
      case DRAIN, DRAIN_HELD, LATENCY -> false;
    };
  }

  @Override
  public String participation() {
    return "in commits only, there is nothing to deliver";
  }

  @Override
  public String guarantee(Mode mode) {
    return "none: a floor, nothing is delivered";
  }

  @Override
  public Map<String, String> settings() {
    return Map.of();
  }

  @Override
  public int backlog(int messages) {
    return messages;
  }

  @Override
  public Entry enter(Venue venue) {
    Db.execute(
        venue.pool(),
        "drop table if exists plain_row",
        "create table plain_row (id bigserial primary key, key text, payload bytea)");
    return new Participation(venue);
  }

  private record Participation(Venue venue) implements Entry {
    private static final String INSERT = "insert into plain_row (key, payload) values (?, ?)";

    @Override
    public void fill(int messages) {
      throw new UnsupportedOperationException("nothing is delivered");
    }

    @Override
    public void start(boolean relay) {}

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
      return 0;
    }

    @Override
    public void close() {
      Db.execute(venue.pool(), "drop table plain_row");
    }
  }
}
