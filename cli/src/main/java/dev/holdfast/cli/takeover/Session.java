package dev.holdfast.cli.takeover;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.DatabaseAddress;
import dev.holdfast.cli.takeover.TakeoverCommand.Common;
import dev.holdfast.cli.takeover.TakeoverCommand.SideBySide;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.OldTable;
import dev.holdfast.postgres.Takeover;
import java.time.Duration;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** One run of the command. Not thread-safe. */
final class Session {
  private final Common common;
  private final DatabaseAddress address;
  private final Store store;
  private @Nullable Report report;

  Session(Common common, DatabaseAddress address, Store store) {
    this.common = common;
    this.address = address;
    this.store = store;
  }

  DataSource dataSource() {
    return address.dataSource();
  }

  Store store() {
    return store;
  }

  Report report() {
    return Objects.requireNonNull(report);
  }

  /** The table, which the report is about from now on. */
  TableShape shape(String usual) {
    TableShape shape = TableShape.of(dataSource(), Objects.requireNonNullElse(common.table, usual));
    report = new Report(shape.name(), common.execute);
    return shape;
  }

  Takeover takeover(OldTable table) {
    return Takeover.of(
        dataSource(), address.schema(), table, common.batch, Duration.ofSeconds(common.wait));
  }

  void moveOrRemove(OldTable table, SideBySide trigger) {
    if (trigger.install && trigger.remove) {
      throw new InvalidConfiguration(
          "--install-trigger and --remove-trigger are two decisions, so nothing was done.");
    }
    if (trigger.remove) {
      remove(table);
    } else {
      move(table, trigger.install);
    }
  }

  private void remove(OldTable table) {
    Takeover takeover = takeover(table);
    boolean installed = takeover.cutover().isPresent();
    if (!installed) {
      report().say("There is no trigger on " + table.name() + ".");
    } else if (common.execute) {
      takeover.removeTrigger();
      report()
          .say("The trigger is removed: rows written from now on stay in " + table.name() + ".");
    } else {
      report().say("Would remove the trigger. Give --execute to do it.");
    }
    report().put("trigger_removed", installed && common.execute);
  }

  void move(OldTable table, boolean install) {
    Takeover takeover = takeover(table);
    Takeover.Preview before = takeover.preview();
    if (!common.execute) {
      report().preview(before);
      report().put("trigger", takeover.cutover().isPresent());
      report()
          .say(
              "Nothing was changed. Give --execute to move them"
                  + (install ? " and then to install the trigger." : "."));
      return;
    }
    long moved = install ? takeover.cutOver() : takeover.move();
    report().put("moved", moved);
    report().say("%d moved.".formatted(moved));
    report().preview(takeover.preview());
    boolean installed = takeover.cutover().isPresent();
    report().put("trigger", installed);
    if (installed) {
      report()
          .say(
              "The trigger publishes what is written into %s. When no old version of the application runs any more, run this with --remove-trigger."
                  .formatted(table.name()));
    }
  }
}
