package dev.holdfast.crashtest;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.TargetUnavailable;
import dev.holdfast.outbox.store.OutboxRecord;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A target as users may write one: a table in another database, which commits a batch with its
 * progress, and whose leader is the one that raised the term last.
 */
record TableTarget(String url, String table) implements Target {
  static final String REFUSED_TOPIC = "nobody-takes-this";

  static TableTarget create(String url) throws SQLException {
    String table = LabServers.unique("inbox");
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table %1$s (n bigint generated always as identity, key text, payload text);
          create table %1$s_leader (scope text primary key, term int not null, progress text)
          """
              .formatted(table));
    }
    return new TableTarget(url, table);
  }

  /** The same one, to be reached elsewhere. */
  TableTarget at(String otherUrl) {
    return new TableTarget(otherUrl, table);
  }

  List<String> payloads(String key) {
    try (Connection connection = DriverManager.getConnection(url);
        PreparedStatement query =
            connection.prepareStatement(
                "select payload from " + table + " where key = ? order by n")) {
      query.setString(1, key);
      List<String> payloads = new ArrayList<>();
      try (ResultSet rows = query.executeQuery()) {
        while (rows.next()) {
          payloads.add(rows.getString(1));
        }
      }
      return payloads;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String description() {
    return "table " + table;
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(Capability.PROGRESS_MARK);
  }

  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.COMMITTED;
  }

  @Override
  public TargetSession open(Context context) {
    return new Session(context.scope());
  }

  private final class Session implements TargetSession {
    private final String scope;
    private @Nullable Connection connection;
    private int term;

    Session(String scope) {
      this.scope = scope;
    }

    private Connection connection() throws SQLException {
      Connection open = connection;
      if (open == null) {
        open = DriverManager.getConnection(url);
        open.setAutoCommit(false);
        connection = open;
      }
      return open;
    }

    @Override
    public Optional<String> peekProgress() {
      try (PreparedStatement query =
          connection()
              .prepareStatement("select progress from " + table + "_leader where scope = ?")) {
        query.setString(1, scope);
        Optional<String> progress = Optional.empty();
        try (ResultSet row = query.executeQuery()) {
          if (row.next()) {
            progress = Optional.ofNullable(row.getString(1));
          }
        }
        connection().commit();
        return progress;
      } catch (SQLException e) {
        throw new TargetUnavailable("The table cannot be read.", e);
      }
    }

    @Override
    public void takeOver() {
      try (PreparedStatement raise =
          connection()
              .prepareStatement(
                  "insert into %1$s_leader as l values (?, 1, null)%n on conflict (scope) do update set term = l.term + 1 returning term"
                      .formatted(table))) {
        raise.setString(1, scope);
        try (ResultSet row = raise.executeQuery()) {
          row.next();
          term = row.getInt(1);
        }
        connection().commit();
      } catch (SQLException e) {
        throw new TargetUnavailable("The table cannot be written to.", e);
      }
    }

    @Override
    public Optional<String> progress() {
      return peekProgress();
    }

    @Override
    public Delivery send(List<OutboxRecord> messages, String progress) {
      Map<Long, String> refused = new HashMap<>();
      for (OutboxRecord message : messages) {
        if (message.topic().equals(REFUSED_TOPIC)) {
          refused.put(message.position(), "No such topic.");
        }
      }
      if (!refused.isEmpty()) {
        return new Delivery.Refused(refused, Set.of());
      }
      try {
        return commit(messages, progress);
      } catch (SQLException e) {
        close();
        return new Delivery.Unavailable("The table cannot be written to: " + e.getMessage());
      }
    }

    private Delivery commit(List<OutboxRecord> messages, String progress) throws SQLException {
      try (PreparedStatement move =
              connection()
                  .prepareStatement(
                      "update %s_leader set progress = ? where scope = ? and term = ?"
                          .formatted(table));
          PreparedStatement insert =
              connection()
                  .prepareStatement("insert into " + table + " (key, payload) values (?, ?)")) {
        move.setString(1, progress);
        move.setString(2, scope);
        move.setInt(3, term);
        if (move.executeUpdate() == 0) {
          connection().rollback();
          return new Delivery.Fenced();
        }
        for (OutboxRecord message : messages) {
          insert.setString(1, message.key());
          insert.setString(
              2, new String(Objects.requireNonNull(message.payload()), StandardCharsets.UTF_8));
          insert.executeUpdate();
        }
        connection().commit();
        return new Delivery.Done();
      }
    }

    @Override
    public void close() {
      Connection open = connection;
      if (open != null) {
        try {
          open.close();
        } catch (SQLException e) {
          // It is of no more use, either way.
        }
      }
    }
  }
}
