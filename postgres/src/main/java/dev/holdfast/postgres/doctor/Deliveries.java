package dev.holdfast.postgres.doctor;

import dev.holdfast.HoldfastException;
import java.sql.Array;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * What the database says is to be delivered, for those who examine the targets.
 *
 * @param channels by name, the patterns of the topics that each takes
 * @param parkedTopics the topics of parked messages, a hundred at most
 * @param retention how long what is delivered is kept
 * @param maxPayloadBytes the largest payload that is accepted
 */
public record Deliveries(
    UUID storeId,
    Map<String, List<String>> channels,
    List<String> parkedTopics,
    Duration retention,
    int maxPayloadBytes) {

  private static final String CHANNELS =
      """
      select c.name, array(select r.pattern from ${schema}.route r
                           where r.channel = c.name order by 1) as patterns
      from ${schema}.channel c order by 1
      """;

  private static final String PARKED =
      "select distinct topic from ${schema}.parked_message order by 1 limit 100";

  private static final String STORE =
      "select store_id, retention_ms, max_payload_bytes from ${schema}.store";

  static Deliveries read(DataSource dataSource, String schema) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      Map<String, List<String>> channels = new LinkedHashMap<>();
      try (ResultSet row = statement.executeQuery(CHANNELS.replace("${schema}", schema))) {
        while (row.next()) {
          Array patterns = row.getArray(2);
          channels.put(row.getString(1), List.of((String[]) patterns.getArray()));
        }
      }
      List<String> parked = new ArrayList<>();
      try (ResultSet row = statement.executeQuery(PARKED.replace("${schema}", schema))) {
        while (row.next()) {
          parked.add(row.getString(1));
        }
      }
      try (ResultSet row = statement.executeQuery(STORE.replace("${schema}", schema))) {
        row.next();
        return new Deliveries(
            row.getObject(1, UUID.class),
            channels,
            parked,
            Duration.ofMillis(row.getLong(2)),
            row.getInt(3));
      }
    } catch (SQLException e) {
      throw new HoldfastException(
          "SQLState %s: %s".formatted(e.getSQLState(), String.valueOf(e.getMessage()).strip()), e);
    }
  }
}
