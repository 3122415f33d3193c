package dev.holdfast.cli.takeover;

import dev.holdfast.HoldfastException;
import dev.holdfast.postgres.Takeover;
import dev.holdfast.postgres.Takeover.Cutover;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * From a Debezium connector to the outbox. The trigger's commit splits the log: rows before it are
 * the connector's, messages after it the outbox's, and nothing is both.
 *
 * <pre>
 *   reading ── trigger installed ──▶ draining ── slot past it ──▶ drained ── slot dropped ──▶ done
 * </pre>
 *
 * <p>Each arrow is one commit, and each step looks at the database for where it is, so that it can
 * be run again after a crash anywhere. Channels wait from before the first until after the last,
 * for the order of a key.
 */
final class ConnectorHandover {
  private final Takeover takeover;
  private final ReplicationSlot slot;
  private final Channels channels;
  private final Report report;
  private final String table;
  private final String slotName;
  private final String publication;

  ConnectorHandover(
      Takeover takeover,
      ReplicationSlot slot,
      Channels channels,
      Report report,
      String table,
      String slotName,
      String publication) {
    this.takeover = takeover;
    this.slot = slot;
    this.channels = channels;
    this.report = report;
    this.table = table;
    this.slotName = slotName;
    this.publication = publication;
  }

  void run(boolean execute, boolean install, boolean unordered) {
    Optional<Cutover> cutover = takeover.cutover();
    String position = cutover.map(Cutover::since).orElse("0/0");
    Optional<ReplicationSlot.State> state = slot.state(position);
    if (install) {
      install(execute, unordered, state.isPresent());
    } else if (cutover.isEmpty()) {
      report
          .put("phase", "reading")
          .say(
              "The connector reads %s through the slot %s. First give --install-trigger: from then on what is written there is published, and the connector comes to an end."
                  .formatted(table, slotName));
    } else if (state.isEmpty()) {
      report
          .put("phase", "done")
          .say("The slot %s is gone: the connector has ended.".formatted(slotName));
    } else {
      drain(execute, position, state.get());
    }
  }

  private void install(boolean execute, boolean unordered, boolean slotThere) {
    if (!slotThere && takeover.cutover().isEmpty()) {
      throw new HoldfastException(
          "There is no slot %s, so nobody knows what was delivered of the rows in %s; nothing was done. Name the connector's slot, or give --all-rows if no connector ever read the table."
              .formatted(slotName, table));
    }
    if (!unordered) {
      channels.requireWaiting();
    }
    if (!execute) {
      report
          .put("phase", "reading")
          .say("Would install the trigger on %s. Give --execute to do it.".formatted(table));
      return;
    }
    takeover.install();
    String since = takeover.cutover().map(Cutover::since).orElse("0/0");
    report
        .put("phase", "draining")
        .put("since", since)
        .say(
            "The trigger publishes what is written into %s from position %s on. Let the connector run until the slot %s is past it, then stop the connector and run this without --install-trigger."
                .formatted(table, since, slotName));
  }

  private void drain(boolean execute, String position, ReplicationSlot.State state) {
    // Not counted when the position is confirmed, nor while the connector reads.
    long unread =
        state.passed() || state.active() || !state.plugin().equals("pgoutput")
            ? 0
            : slot.unread(table, position, publication);
    boolean drained =
        state.passed() || (!state.active() && state.plugin().equals("pgoutput") && unread == 0);
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", slotName);
    json.put("active", state.active());
    json.put("confirmed", state.confirmed());
    json.put("behind_bytes", state.behind());
    json.put("unread_rows", unread);
    report.put("since", position).put("slot", json);
    if (!drained) {
      String why =
          "The slot %s is at %s, and the trigger took over at %s (%d bytes on)%s, so the connector has not delivered everything."
              .formatted(
                  slotName,
                  state.confirmed(),
                  position,
                  state.behind(),
                  unread == 0 ? "" : ": %d rows lie between".formatted(unread));
      if (execute) {
        throw new HoldfastException(
            why
                + " Nothing was dropped. Let the connector run, or, if nothing else is written that it reads, stop it and run this again.");
      }
      report.put("phase", "draining").say(why);
      return;
    }
    if (!execute) {
      report
          .put("phase", "drained")
          .say("The connector has delivered everything. Give --execute to drop the slot.");
      return;
    }
    slot.drop();
    report
        .put("phase", "done")
        .say(
            "The connector has delivered everything, and its slot is dropped. Delete the connector. Now the channels may run: holdfast outbox resume --channel, for %s."
                .formatted(channels.taking().isEmpty() ? "those that wait" : channels.names()));
  }
}
