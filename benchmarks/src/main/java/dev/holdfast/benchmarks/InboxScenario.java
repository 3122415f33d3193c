package dev.holdfast.benchmarks;

import java.util.Locale;

/** What a consumer is measured with. */
enum InboxScenario {
  /** Offsets say what was handled. */
  OFFSETS(
      "a backlog from Kafka into the database, a row each; what was handled is told by offsets"),

  /** The id of each message does, too. */
  MESSAGE_ID("the same, and each message is told apart by its id as well");

  private final String description;

  InboxScenario(String description) {
    this.description = description;
  }

  String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  String description() {
    return description;
  }
}
