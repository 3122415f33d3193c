package dev.holdfast.crashtest.workflow;

import dev.holdfast.crashtest.workflow.Sent.Change;
import dev.holdfast.crashtest.workflow.WorkflowModel.Scope;
import dev.holdfast.crashtest.workflow.World.Harm;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.Entry.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What becomes of that which was sent to the database. */
final class DatabaseMoves {
  private final Scope scope;
  private final WorkflowRules rules;
  private final Course course;

  /** There are few, and each is named in many steps. */
  private final Map<Sent, String> names = new HashMap<>();

  DatabaseMoves(Scope scope, WorkflowRules rules, Course course) {
    this.scope = scope;
    this.rules = rules;
    this.course = course;
  }

  void add(World world, Moves into) {
    for (Sent each : world.sent()) {
      if (each.locked()) {
        commit(world, each, into);
      } else {
        fence(world, each, into);
      }
      if (each.attached()) {
        lose(world, each, into);
      } else {
        into.progress(name(each) + " never arrives, or is rolled back", world.replace(each, null));
      }
    }
    if (scope.cancels() && !world.row().cancelled() && !world.row().isOver() && !world.isLocked()) {
      into.fault("somebody cancels the run", world.with(world.row().cancel()));
    }
  }

  private String name(Sent sent) {
    return names.computeIfAbsent(sent, each -> "database: " + each);
  }

  /** The row is locked where it names the executor; else nothing is written. */
  private void fence(World world, Sent sent, Moves into) {
    if (world.isLocked() && rules.fenceLocks()) {
      return;
    }
    String label = name(sent) + " comes to the fence";
    if (world.row().status() == RunStatus.RUNNING && world.row().executor() == sent.executor()) {
      into.progress(label, world.replace(sent, sent.lock()));
      return;
    }
    World refused = world.replace(sent, null);
    into.progress(
        label + ", and is refused",
        sent.attached() ? course.lose(refused, sent.executor()) : refused);
  }

  private void commit(World world, Sent sent, Moves into) {
    World committed = committed(world.replace(sent, null), sent);
    String label = name(sent) + " is committed";
    if (!sent.attached()) {
      into.progress(label, committed);
      return;
    }
    into.progress(label, course.replied(committed, sent.executor()));
    into.fault(label + ", and the reply is lost", committed);
  }

  private void lose(World world, Sent sent, Moves into) {
    String label = name(sent) + " loses its connection";
    into.fault(label, world.replace(sent, null));
    long late = world.sent().stream().filter(each -> !each.attached()).count();
    if (late < scope.late()) {
      into.fault(label + ", and is under way", world.replace(sent, sent.detach()));
    }
  }

  /** {@code world} is without it. */
  private static World committed(World world, Sent sent) {
    boolean isNew = world.journal().size() == sent.base();
    if (!isNew && sent.isTransaction()) {
      // It violates the journal's key. Whoever waits for one has taken a number of its own.
      return sent.attached() ? world.harm(Harm.SWALLOWED) : world;
    }
    if (!isNew && !isThere(world, sent)) {
      return world.harm(Harm.SWALLOWED);
    }
    World to = isNew ? work(written(world, sent.lines()), sent) : world;
    if (isNew && !sent.lines().isEmpty() && !isOwner(world, sent)) {
      return to.harm(Harm.WRITTEN_BY_A_FORMER_OWNER);
    }
    return sent.change() == Change.KEEP ? to : left(to, sent);
  }

  private static boolean isOwner(World world, Sent sent) {
    return world.row().executor() == sent.executor();
  }

  private static World written(World world, List<Line> lines) {
    World to = lines.isEmpty() ? world : world.append(lines);
    for (Line line : lines) {
      if (line.kind() == Kind.INTENT || line.kind() == Kind.DOUBT) {
        to = to.service(line.step(), to.service(line.step()).settled(false));
      }
    }
    return to;
  }

  private static boolean isThere(World world, Sent sent) {
    int end = sent.base() + sent.lines().size();
    return end <= world.journal().size()
        && world.journal().subList(sent.base(), end).equals(sent.lines());
  }

  private static World work(World world, Sent sent) {
    Service service = world.service(sent.step());
    return switch (sent.work()) {
      case NONE -> world;
      case DO -> world.service(sent.step(), service.execute(false));
      case UNDO -> world.service(sent.step(), service.undo(false));
      case INSTEAD -> withoutLate(world, sent);
    };
  }

  /** The record that comes behind it violates the journal's key. */
  private static World withoutLate(World world, Sent instead) {
    World to = world;
    for (Sent each : world.sent()) {
      if (each.isTransaction() && each.executor() == instead.executor()) {
        to = to.replace(each, null);
      }
    }
    return to;
  }

  /** Numbers of the dead come to nothing with that: nobody ever has them again. */
  private static World left(World world, Sent sent) {
    RunStatus status =
        switch (sent.change()) {
          case KEEP -> world.row().status();
          case PARK -> RunStatus.PARKED;
          case STICK -> RunStatus.STUCK;
          case COMPLETE -> RunStatus.COMPLETED;
          case FAIL -> RunStatus.FAILED;
          case CANCEL -> RunStatus.CANCELLED;
        };
    World to = world.with(world.row().leave(status));
    return to.sent(
        to.sent().stream().filter(each -> each.locked() || each.executor() != Row.DEAD).toList());
  }
}
