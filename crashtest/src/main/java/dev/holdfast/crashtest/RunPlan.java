package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Fault;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.resource.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A run to be made: no fault at all (the golden one), one, or a second one while the process
 * recovers from the first or the caller retries.
 *
 * @param carrier how the faults are made; none for the golden run
 */
record RunPlan(@Nullable Carrier carrier, List<Fault> faults) {
  static final RunPlan GOLDEN = new RunPlan(null, List.of());

  RunPlan {
    faults = List.copyOf(faults);
  }

  /**
   * One fault each: at n points before and after, merged to 2n + 1 crashes, and one more where a
   * client may hold something back; or n lost acknowledgments, and the loss of the operation's own
   * answer when the caller would retry.
   */
  static List<RunPlan> singles(Carrier carrier, List<CommitPoint> points, boolean retried) {
    List<RunPlan> plans = new ArrayList<>();
    int number = 0;
    for (CommitPoint point : points) {
      number++;
      if (carrier != Carrier.LOST_ACK) {
        plans.add(new RunPlan(carrier, List.of(new Fault(Stage.BEFORE, point, number))));
      }
      plans.add(new RunPlan(carrier, List.of(new Fault(Stage.ACK_LOST, point, number))));
      if (carrier != Carrier.LOST_ACK && point.deferred()) {
        plans.add(new RunPlan(carrier, List.of(new Fault(Stage.BUFFERED, point, number))));
      }
    }
    if (carrier != Carrier.LOST_ACK) {
      plans.add(new RunPlan(carrier, List.of(new Fault(Stage.AFTER_LAST, null, 0))));
    } else if (retried) {
      plans.add(new RunPlan(carrier, List.of(new Fault(Stage.REPLY_LOST, null, 0))));
    }
    return plans;
  }

  /** The same with a second fault, at every point that a run of this plan passed afterwards. */
  List<RunPlan> withSecond(List<CommitPoint> passed) {
    List<RunPlan> plans = new ArrayList<>();
    int number = 0;
    for (CommitPoint point : passed) {
      number++;
      for (Stage stage : List.of(Stage.BEFORE, Stage.ACK_LOST)) {
        if (carrier != Carrier.LOST_ACK || stage == Stage.ACK_LOST) {
          List<Fault> both = new ArrayList<>(faults);
          both.add(new Fault(stage, point, number));
          plans.add(new RunPlan(carrier, both));
        }
      }
    }
    return plans;
  }

  /**
   * The points of a phase at which a fault can be planned. How often something is repeated in the
   * background depends on the time that it is given, so there only the first occurrence counts.
   *
   * @param byChance tells whose number depends on that
   */
  static List<CommitPoint> plannable(
      List<CommitPoint> passed, Phase phase, Predicate<Role> byChance) {
    return passed.stream()
        .filter(point -> point.phase() == phase)
        .filter(point -> point.occurrence() == 1 || !byChance.test(point.role()))
        .toList();
  }

  /** Whether its second fault strikes what is done in the background. */
  boolean hasSecondByOthers() {
    CommitPoint second = faults.size() < 2 ? null : faults.get(1).point();
    return second != null && !LabThread.isOurs(second.role());
  }

  boolean isGolden() {
    return faults.isEmpty();
  }

  /** One line that is the same for the same plan in another exploration of the same operation. */
  String id() {
    if (carrier == null) {
      return "golden";
    }
    return carrier.id() + ":" + faults.stream().map(Fault::id).collect(Collectors.joining("+"));
  }

  /** One line for people. */
  String title() {
    if (carrier == null) {
      return "golden run, without any fault";
    }
    Carrier by = carrier;
    return faults.stream().map(fault -> fault.describe(by)).collect(Collectors.joining(", then "));
  }
}
