package dev.holdfast.crashtest.workflow;

import dev.holdfast.crashtest.model.Step;
import java.util.ArrayList;
import java.util.List;

/** Gathers the steps from one state. */
final class Moves {
  private final List<Step<World>> steps = new ArrayList<>();

  void progress(String label, World to) {
    steps.add(Step.progress(label, to));
  }

  void fault(String label, World to) {
    steps.add(Step.fault(label, to));
  }

  List<Step<World>> list() {
    return steps;
  }
}
