package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Patient.seconds;

import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Each channel: does it run, who leads it, how far behind is it, what is parked. */
final class ChannelChecks {
  private static final int LAG_FAILS_AT = 10;
  private static final int LANES_TOLD = 5;

  static final List<Check> ALL =
      List.of(
          new Check("channel", ChannelChecks::channels),
          new Check("channel.delayed", ChannelChecks::delayed));

  private ChannelChecks() {}

  private static List<Finding> channels(Patient patient) throws SQLException {
    List<Finding> result = new ArrayList<>();
    for (String name : patient.store().channels().names()) {
      ChannelStatus status = patient.store().channels().status(name);
      result.add(state(status));
      result.add(leader(patient, status));
      result.add(lag(patient, status));
      result.add(parked(patient, status));
    }
    if (result.isEmpty()) {
      result.add(
          Finding.of(
              Severity.WARN,
              "channel.none",
              "",
              "There is no channel.",
              "Publishing is refused, since nobody would deliver.",
              "holdfast relay --channel NAME --topics 'orders.*' --kafka HOST:PORT",
              Map.of()));
    }
    return result;
  }

  private static Finding state(ChannelStatus channel) {
    String resume = "holdfast outbox resume --channel " + channel.name();
    String reason = Objects.requireNonNullElse(channel.reason(), "no reason is given");
    return switch (channel.state()) {
      case RUNNING ->
          Finding.ok("channel.state", channel.name(), "The channel is to run.", Map.of());
      case PAUSED ->
          Finding.of(
              Severity.WARN,
              "channel.state",
              channel.name(),
              "The channel is paused: " + reason + ".",
              "Its messages wait and are kept, and so is everything that was recorded since.",
              resume,
              Map.of("state", channel.state().name(), "reason", reason));
      case STOPPED ->
          Finding.of(
              Severity.FAIL,
              "channel.state",
              channel.name(),
              "The channel is stopped: " + reason,
              "Nothing of it is delivered until somebody has decided; messages wait and are kept.",
              "Do as the reason says (holdfast outbox reanchor after a restore), or: " + resume,
              Map.of("state", channel.state().name(), "reason", reason));
    };
  }

  /** Since when nobody leads: a lease that was given up ended then; none was ever taken before. */
  private static final String LEADERLESS =
      """
      select extract(epoch from ${schema}.now() - coalesce(
               (select l.expires_at from ${schema}.lease l where l.name = 'channel/' || c.name),
               c.created_at))::float8
      from ${schema}.channel c where c.name = ?
      """;

  private static Finding leader(Patient patient, ChannelStatus channel) throws SQLException {
    if (channel.leader() != null) {
      return Finding.ok(
          "channel.leader",
          channel.name(),
          "The channel is led by " + channel.leader() + ".",
          Map.of("leader", channel.leader(), "epoch", channel.epoch()));
    }
    if (channel.state() != ChannelState.RUNNING) {
      return Finding.ok(
          "channel.leader",
          channel.name(),
          "Nobody leads the channel, which is not to run.",
          Map.of("epoch", channel.epoch()));
    }
    double since = patient.one(LEADERLESS, row -> row.getDouble(1), channel.name());
    boolean shortly = since * 1000 < patient.limits().leaderless().toMillis();
    String found = "Nobody has led the channel for " + seconds(since) + ".";
    Map<String, Object> evidence =
        Map.of("since_seconds", Math.round(since), "epoch", channel.epoch());
    return shortly
        ? Finding.ok(
            "channel.leader", channel.name(), found + " A relay may be starting.", evidence)
        : Finding.of(
            Severity.FAIL,
            "channel.leader",
            channel.name(),
            found,
            "Nothing of it is delivered; messages wait and are kept.",
            "Start a process that has the channel in its configuration, or: holdfast relay --channel %s --topics '%s' --kafka HOST:PORT. If it is not wanted any more: holdfast outbox unroute and remove."
                .formatted(channel.name(), String.join(",", channel.patterns())),
            evidence);
  }

  private static Finding lag(Patient patient, ChannelStatus channel) {
    Duration most = patient.limits().lag();
    Map<String, Object> evidence =
        Map.of(
            "messages", channel.lagMessages(),
            "seconds", channel.lag().toMillis() / 1000.0,
            "limit_seconds", most.toMillis() / 1000.0);
    String found =
        "%d message(s) wait, the oldest for %s."
            .formatted(channel.lagMessages(), seconds(channel.lag().toMillis() / 1000.0));
    if (channel.lag().compareTo(most) <= 0) {
      return Finding.ok("channel.lag", channel.name(), found, evidence);
    }
    return Finding.of(
        channel.lag().compareTo(most.multipliedBy(LAG_FAILS_AT)) > 0
            ? Severity.FAIL
            : Severity.WARN,
        "channel.lag",
        channel.name(),
        found,
        "What was published then has not reached its readers.",
        "See channel.state and channel.leader of "
            + channel.name()
            + "; if it is led, the leader's /health or log says what blocks it, and holdfast doctor --kafka asks the broker.",
        evidence);
  }

  private static Finding parked(Patient patient, ChannelStatus channel) throws SQLException {
    if (channel.parkedLanes() == 0) {
      return Finding.ok("channel.parked", channel.name(), "Nothing is parked.", Map.of());
    }
    List<String> lanes =
        patient.many(
            """
            select lane || ': ' || reason from ${schema}.parked_lane
            where channel = ? order by parked_at limit ?
            """,
            row -> row.getString(1),
            channel.name(),
            LANES_TOLD);
    return Finding.of(
        Severity.WARN,
        "channel.parked",
        channel.name(),
        "%d key(s) are parked with %d message(s); first %s."
            .formatted(channel.parkedLanes(), channel.parkedMessages(), String.join("; ", lanes)),
        "The later messages of these keys wait behind them; all others are delivered.",
        "holdfast outbox list --channel %1$s; then remove the cause and: holdfast outbox unpark --channel %1$s KEY, or first: holdfast outbox skip --channel %1$s POSITION"
            .formatted(channel.name()),
        Map.of(
            "keys", channel.parkedLanes(),
            "messages", channel.parkedMessages(),
            "first", String.join("; ", lanes)));
  }

  private record Delayed(long overdue, double seconds) {}

  private static List<Finding> delayed(Patient patient) throws SQLException {
    Delayed now =
        patient.one(
            """
            select count(*), coalesce(extract(epoch from ${schema}.now() - min(d.due_at)), 0)::float8
            from (select due_at from ${schema}.delayed
                  where due_at <= ${schema}.now() - ? * interval '1 ms'
                  order by due_at limit 1000000) d
            """,
            row -> new Delayed(row.getLong(1), row.getDouble(2)),
            patient.limits().leaderless().toMillis());
    return List.of(
        now.overdue() == 0
            ? Finding.ok("channel.delayed", "No delayed message is overdue.")
            : Finding.of(
                Severity.FAIL,
                "channel.delayed",
                "",
                "%d delayed message(s) are overdue, the first by %s."
                    .formatted(now.overdue(), seconds(now.seconds())),
                "They are moved into the outbox by a relay's upkeep, which is not done, or waits for a key that a transaction holds: see storage.upkeep and transactions.publishers.",
                "Start a relay (any channel's will do), or end the transaction that transactions.publishers names.",
                Map.of("messages", now.overdue(), "seconds", Math.round(now.seconds()))));
  }
}
