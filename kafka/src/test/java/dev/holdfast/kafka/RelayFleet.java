package dev.holdfast.kafka;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Relays of one channel under supervision: one that has died is replaced. */
final class RelayFleet implements AutoCloseable {
  private static final int LOG_TAIL = 4_000;

  private final String jdbcUrl;
  private final String schema;
  private final String topic;
  private final Sabotage sabotage;
  private final List<RelayProcess> relays = new ArrayList<>();

  RelayFleet(String jdbcUrl, String schema, String topic, Sabotage sabotage, int size) {
    this.jdbcUrl = jdbcUrl;
    this.schema = schema;
    this.topic = topic;
    this.sabotage = sabotage;
    for (int i = 0; i < size; i++) {
      relays.add(relay());
    }
  }

  private RelayProcess relay() {
    return RelayProcess.start(jdbcUrl, schema, topic, sabotage);
  }

  /** Replaces those that are dead, as whatever supervises processes in production does. */
  synchronized void supervise() {
    relays.replaceAll(relay -> relay.isAlive() ? relay : relay());
  }

  /** SIGKILL to the leader. False when none of these leads. */
  synchronized boolean kill(Optional<String> leader) {
    for (RelayProcess relay : relays) {
      if (leader.equals(Optional.of(relay.owner())) && relay.isAlive()) {
        relay.kill();
        return true;
      }
    }
    return false;
  }

  /** What they do now, thread by thread, and what they said last. */
  synchronized String describe() {
    relays.forEach(relay -> relay.signal("QUIT"));
    return relays.stream().map(RelayFleet::describe).collect(Collectors.joining());
  }

  private static String describe(RelayProcess relay) {
    try {
      String log = Files.readString(relay.log());
      return "%n%s, %s, in %s:%n%s"
          .formatted(
              relay.owner(),
              relay.isAlive() ? "alive" : "dead",
              relay.log().toAbsolutePath(),
              log.substring(Math.max(0, log.length() - LOG_TAIL)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public synchronized void close() {
    relays.forEach(RelayProcess::close);
  }
}
