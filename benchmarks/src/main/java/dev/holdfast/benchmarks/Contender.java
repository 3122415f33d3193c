package dev.holdfast.benchmarks;

import java.util.Map;
import java.util.Set;

/** A way to get messages from PostgreSQL to Kafka, or a floor: the same with a part left out. */
interface Contender {
  String name();

  /** The targets it has. */
  Set<Mode> modes();

  /** Whether there is something of it to measure. */
  boolean takesPart(Measurement measurement);

  /** In what it takes part, and why not in the rest, for the report. */
  String participation();

  /** What its figure is worth. */
  String guarantee(Mode mode);

  /** What it is run with, where that is not the default. */
  Map<String, String> settings();

  /** How many messages it is given to drain when others get so many: a slow one, fewer. */
  int backlog(int messages);

  /** Creates its tables, empty. */
  Entry enter(Venue venue);

  /** The target of a scenario: the asked-for one where there is a choice. */
  default Mode modeFor(Scenario scenario) {
    return modes().contains(scenario.mode()) ? scenario.mode() : modes().iterator().next();
  }
}
