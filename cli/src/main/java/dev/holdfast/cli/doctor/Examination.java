package dev.holdfast.cli.doctor;

import dev.holdfast.cli.LogLevel;
import dev.holdfast.cli.ParticipantAddress;
import dev.holdfast.cli.relay.Servers;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.postgres.doctor.Limits;
import dev.holdfast.postgres.doctor.PostgresDoctor;
import dev.holdfast.postgres.doctor.PostgresDoctor.Role;
import dev.holdfast.twophase.Participant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks the servers that a relay would use. Changes nothing.
 *
 * @param target {@code null} when no broker is named
 */
public record Examination(Servers servers, @Nullable KafkaTarget target) {
  private static final Finding OTHERS =
      new Finding(
          "targets.connection",
          Severity.NOT_ASKED,
          "",
          "Endpoints of webhooks and brokers of JMS and RabbitMQ are not asked: their addresses and credentials are the application's.",
          "Whether they take messages is told by what the database knows: channel.leader, channel.lag and channel.parked of their channels. What their listeners have received is in the inbox; how much waits for them, their brokers tell.",
          "holdfast outbox status",
          Map.of());

  /**
   * @throws dev.holdfast.InvalidConfiguration for settings that no relay would start with
   */
  public static Examination of(Servers servers) {
    Map<String, Object> settings = servers.kafka();
    return new Examination(servers, settings == null ? null : Kafka.to(settings));
  }

  /**
   * What they answered; one that does not answer is a finding.
   *
   * @param role whose rights the user must have; {@code null} for whichever it has
   */
  public List<Finding> examine(Limits limits, @Nullable Role role) {
    return examine(limits, role, Map.of());
  }

  /**
   * As {@link #examine(Limits, Role)}.
   *
   * @param participants databases that take part in operations of this one, by their names
   */
  public List<Finding> examine(
      Limits limits, @Nullable Role role, Map<String, ParticipantAddress> participants) {
    List<ParticipantAddress.Open> opened = new ArrayList<>();
    Map<String, Supplier<Participant>> named = new LinkedHashMap<>();
    participants.forEach((name, address) -> named.put(name, () -> open(address, opened)));
    try (LogLevel log = LogLevel.silent()) {
      PostgresDoctor doctor =
          new PostgresDoctor(
              servers.address().dataSource(),
              servers.address().schema(),
              limits,
              InstantSource.system());
      List<Finding> findings = new ArrayList<>(doctor.examine(role, named));
      findings.addAll(new BrokerExamination(doctor, target, limits.lag()).examine());
      findings.add(OTHERS);
      return findings;
    } finally {
      opened.forEach(ParticipantAddress.Open::close);
    }
  }

  private static Participant open(
      ParticipantAddress address, List<ParticipantAddress.Open> opened) {
    ParticipantAddress.Open open = address.open();
    opened.add(open);
    return open.participant();
  }
}
