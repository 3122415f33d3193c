package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.workflow.Flow;
import dev.holdfast.workflow.Rejected;
import dev.holdfast.workflow.Replay;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.Workflows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that were executed, against the functions that came later. */
final class ReplayTest extends WorkflowProcesses {

  record Charge(String id, int cents) {}

  /** What a charge has been made of later. */
  record Amount(int euros) {}

  record Later(String id, Amount cents) {}

  /** With everything in it that a history can have but children. */
  private Receipt place(Flow flow, Order order) throws Exception {
    String tax = flow.step("tax", String.class).compute(() -> noted("tax", "5 \"\n\\ é 😀"));
    flow.step("hold", String.class)
        .compensate((tx, hold) -> done.add("cancel " + hold))
        .transact(tx -> noted("hold", "h-1"));
    Charge charge =
        flow.step("charge", Charge.class)
            .keyKeptFor(Duration.ofDays(1))
            .compensate((key, known) -> done.add("refund"))
            .retry(QUICK)
            .call(key -> noted("charge", new Charge("c-1", order.cents())));
    List<String> boxes =
        flow.parallel(
            "pack",
            List.of("a", "b", "c"),
            (branch, item) -> {
              branch
                  .step("pick")
                  .compensate(tx -> done.add("unpick " + item))
                  .transact(tx -> done.add("pick " + item));
              return branch.step("box", String.class).compute(() -> noted("box", "box " + item));
            });
    String answer =
        flow.await("approved", String.class, Duration.ofDays(1)).orElse("nobody has answered");
    if (answer.equals("no")) {
      throw new IllegalStateException("refused");
    }
    flow.pivot();
    flow.step("ship").transact(tx -> done.add("ship"));
    return new Receipt(tax + charge.id() + boxes + answer);
  }

  private <T> T noted(String step, T value) {
    done.add(step);
    return value;
  }

  /** Runs it until it waits for its approval. */
  private Workflows waiting(Workflow<Order, Receipt> workflow) {
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 13));
    awaitStatus(workflows, "o-1", RunStatus.PARKED);
    return workflows;
  }

  private Replay replay(Workflows workflows, Workflow<?, ?> today) {
    return Replay.of(today).historyText(workflows.export("o-1").orElseThrow());
  }

  private static String difference(Replay replay) {
    return replay.results().get(0).difference().orElseThrow();
  }

  @Test
  void goesAlongWithTheSameFunctionWhereverItWasAndCallsNothing() throws Exception {
    Workflow<Order, Receipt> workflow = define(this::place);
    Workflows workflows = waiting(workflow);
    Replay atTheWait = replay(workflows, workflow);
    List<String> before = List.copyOf(done);
    assertThat(atTheWait.results())
        .singleElement()
        .satisfies(
            result -> {
              assertThat(result.difference()).isEmpty();
              assertThat(result.then()).isEqualTo("comes to step approved");
            });
    atTheWait.verify();
    assertThat(done).isEqualTo(before);

    workflows.signal("o-1", "approved", "yes");
    assertThat(workflows.result(workflow, "o-1", SOON)).isPresent();
    List<String> after = List.copyOf(done);
    Replay ended = replay(workflows, workflow);
    ended.verify();
    assertThat(ended.results().get(0).then()).isEqualTo("ends COMPLETED");
    assertThat(done).isEqualTo(after);
  }

  @Test
  void namesTheStepsOfAChangedFunction() throws Exception {
    Workflows workflows = waiting(define(this::place));
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.step("tax", String.class).compute(() -> "5");
                          flow.step("check").transact(tx -> {});
                          return place(flow, order);
                        }))))
        .contains("has step hold", "asks for step check");
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.step("tax", String.class).compute(() -> "5");
                          return new Receipt("short");
                        }))))
        .contains("without step hold");
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          throw new IllegalStateException("no orders today");
                        }))))
        .contains("without step");
  }

  @Test
  void seesThatABranchHasChanged() {
    Workflow<Order, Receipt> former = define((flow, order) -> boxes(flow, "pick", "box"));
    Workflows workflows = process(former);
    workflows.start(former, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.PARKED);
    replay(workflows, former).verify();
    assertThat(difference(replay(workflows, define((flow, order) -> boxes(flow, "box", "pick")))))
        .contains("has step pack[", "]/pick", "]/box");
    assertThat(difference(replay(workflows, define((flow, order) -> boxes(flow, "pick")))))
        .contains("without step pack[0]/box");
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.await("go", String.class, Duration.ofDays(1));
                          return new Receipt("boxes forgotten");
                        }))))
        .contains("without step pack[0]/pick");
  }

  private static Receipt boxes(Flow flow, String... steps) {
    flow.parallel(
        "pack",
        List.of(1, 2, 3),
        (branch, item) -> {
          for (String step : steps) {
            branch.step(step).transact(tx -> {});
          }
          return item;
        });
    flow.await("go", String.class, Duration.ofDays(1));
    return new Receipt("packed");
  }

  @Test
  void seesWhatCanNoLongerBeRead() throws Exception {
    Workflow<Order, Receipt> former = define((flow, order) -> charged(flow, Charge.class));
    Workflows workflows = process(former);
    workflows.start(former, "o-1", new Order("o-1", 13));
    assertThat(workflows.result(former, "o-1", SOON)).isPresent();
    replay(workflows, former).verify();
    assertThat(difference(replay(workflows, define((flow, order) -> charged(flow, Later.class)))))
        .contains("Step charge: ", "cannot be read as a Later");
    Workflow<Integer, Receipt> otherInput =
        Workflow.define(
            "place-order",
            1,
            Integer.class,
            Receipt.class,
            (flow, order) -> charged(flow, Charge.class));
    assertThat(difference(replay(workflows, otherInput))).contains("cannot be read as a Integer");
    Workflow<Order, Integer> otherResult =
        Workflow.define(
            "place-order",
            1,
            Order.class,
            Integer.class,
            (flow, order) -> charged(flow, Charge.class).text().length());
    assertThat(difference(replay(workflows, otherResult)))
        .contains("The run's result", "cannot be read as a Integer");
  }

  private static Receipt charged(Flow flow, Class<?> type) {
    @SuppressWarnings("unchecked")
    Class<Object> any = (Class<Object>) type;
    flow.step("charge", any).keyKeptFor(Duration.ofDays(1)).call(key -> new Charge("c-1", 13));
    return new Receipt("charged");
  }

  @Test
  void letsAPatchKeepOldRunsOnTheOldWay() throws Exception {
    Workflow<Order, Receipt> former =
        define(
            (flow, order) -> {
              flow.step("hold").transact(tx -> {});
              flow.await("go", String.class, Duration.ofDays(1));
              return new Receipt("held");
            });
    Workflow<Order, Receipt> patched =
        define(
            (flow, order) -> {
              if (flow.patch("check-first")) {
                flow.step("check").transact(tx -> {});
              }
              flow.step("hold").transact(tx -> {});
              flow.await("go", String.class, Duration.ofDays(1));
              return new Receipt("held");
            });
    Workflows workflows = process(former);
    workflows.start(former, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.PARKED);
    replay(workflows, patched).verify();
    processes.remove(0).close();
    Workflows later = process(patched);
    later.start(patched, "o-2", new Order("o-2", 1));
    awaitStatus(later, "o-2", RunStatus.PARKED);
    String taken = later.export("o-2").orElseThrow();
    Replay.of(patched).historyText(taken).verify();
    // The change cannot be taken back while there are runs that have taken it.
    assertThat(difference(Replay.of(former).historyText(taken)))
        .contains("has step patch:check-first", "asks for step hold");
  }

  @Test
  void comparesWhatIsUndone() throws Exception {
    Workflow<Order, Receipt> workflow = define(this::place);
    Workflows workflows = waiting(workflow);
    workflows.signal("o-1", "approved", "no");
    assertThatThrownBy(() -> workflows.result(workflow, "o-1", SOON)).isInstanceOf(RunFailed.class);
    List<String> before = List.copyOf(done);
    replay(workflows, workflow).verify();
    assertThat(done).isEqualTo(before);
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.step("tax", String.class)
                              .compensate((tx, tax) -> done.add("untax"))
                              .transact(tx -> "5");
                          return place(flow, order);
                        }))))
        .as("the second step of that name is another one")
        .contains("tax#2");
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.step("tax", String.class)
                              .compensate((tx, tax) -> done.add("untax"))
                              .transact(tx -> "5");
                          throw new IllegalStateException("refused");
                        }))))
        .contains("without step hold");
  }

  @Test
  void comparesWhatIsBeingUndone() {
    Workflow<Order, Receipt> former =
        define(
            (flow, order) -> {
              flow.step("hold")
                  .compensate(
                      tx -> {
                        throw new IllegalStateException("no stock to give it back to");
                      })
                  .retryCompensation(Retry.times(2).withWaits(Duration.ofMillis(5), SOON))
                  .transact(tx -> {});
              flow.step("note").transact(tx -> {});
              flow.step("list").compensate(tx -> {}).transact(tx -> {});
              throw new IllegalStateException("no money");
            });
    Workflows workflows = process(former);
    workflows.start(former, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    assertThat(journal()).contains("UNDONE list", "UNDO_ATTEMPT hold");
    replay(workflows, former).verify();
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.step("hold").transact(tx -> {});
                          flow.step("note").transact(tx -> {});
                          flow.step("list").transact(tx -> {});
                          throw new IllegalStateException("no money");
                        }))))
        .contains("is undoing step hold", "says no more how");
    Workflow<Order, Receipt> undoesMore =
        define(
            (flow, order) -> {
              flow.step("hold").compensate(tx -> {}).transact(tx -> {});
              flow.step("note").compensate(tx -> {}).transact(tx -> {});
              flow.step("list").transact(tx -> {});
              throw new IllegalStateException("no money");
            });
    // It comes before what is undone by now, and so in its turn.
    replay(workflows, undoesMore).verify();
    workflows.fail("o-1", "ops", "given back by hand");
    replay(workflows, former).verify();
  }

  @Test
  void seesThatMoreWouldHaveBeenUndone() {
    Workflow<Order, Receipt> former =
        define(
            (flow, order) -> {
              flow.step("hold").transact(tx -> {});
              throw new IllegalStateException("no money");
            });
    Workflows workflows = process(former);
    workflows.start(former, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.FAILED);
    replay(workflows, former).verify();
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.step("hold").compensate(tx -> {}).transact(tx -> {});
                          throw new IllegalStateException("no money");
                        }))))
        .contains("ended FAILED", "would undo step hold as well");
  }

  @Test
  void seesAFailureThatWasNone() throws Exception {
    Workflow<Order, Receipt> former =
        define(
            (flow, order) -> {
              flow.step("hold").transact(tx -> {});
              flow.await("go", String.class, Duration.ofDays(1));
              return new Receipt("held");
            });
    Workflows workflows = process(former);
    workflows.start(former, "o-1", new Order("o-1", 1));
    workflows.signal("o-1", "go", "now");
    assertThat(workflows.result(former, "o-1", SOON)).isPresent();
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.step("hold").transact(tx -> {});
                          flow.await("go", Integer.class, Duration.ofDays(1));
                          return new Receipt("held");
                        }))))
        .contains("cannot be read as a Integer");
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.step("hold").transact(tx -> {});
                          flow.await("go", String.class, Duration.ofDays(1));
                          throw new IllegalStateException("a field that old results do not have");
                        }))))
        .contains("throws behind what is recorded", "a field that old results do not have");
    assertThat(
            difference(
                replay(
                    workflows,
                    define(
                        (flow, order) -> {
                          flow.step("hold").transact(tx -> {});
                          flow.await("go", String.class, Duration.ofDays(1));
                          flow.step("thank").transact(tx -> {});
                          return new Receipt("held");
                        }))))
        .contains("ended COMPLETED", "asks for step thank");
  }

  @Test
  void takesARejectionAndAFailureBehindThePivotForWhatTheyAre() {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              try {
                flow.step("charge")
                    .parkUnknown()
                    .call(
                        key -> {
                          throw new Rejected("no money");
                        });
              } catch (StepFailed e) {
                flow.step("remind").transact(tx -> {});
              }
              flow.pivot();
              flow.step("ship")
                  .transact(
                      tx -> {
                        throw new IllegalStateException("no road");
                      });
              return new Receipt("shipped");
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.STUCK);
    replay(workflows, workflow).verify();
    workflows.complete("o-1", new Receipt("carried there"), "ops", "by hand");
    replay(workflows, workflow).verify();
  }

  @Test
  void goesAlongWithARunThatWasRestarted() throws Exception {
    Workflow<Order, Receipt> failing =
        define(
            (flow, order) -> {
              insert(flow, "hold");
              flow.step("check").transact(tx -> {});
              throw new IllegalStateException("no money");
            });
    Workflows workflows = process(failing);
    workflows.start(failing, "o-1", new Order("o-1", 1));
    awaitStatus(workflows, "o-1", RunStatus.FAILED);
    processes.remove(0).close();
    Workflow<Order, Receipt> mended =
        define(
            (flow, order) -> {
              insert(flow, "hold");
              flow.step("charge").transact(tx -> {});
              return new Receipt("charged");
            });
    Workflows later = process(mended);
    assertThat(later.restart("o-1", "check", "ops", "mended")).isTrue();
    assertThat(later.result(mended, "o-1", SOON)).isPresent();
    replay(later, mended).verify();
    assertThat(difference(replay(later, failing)))
        .contains("has step charge", "asks for step check");
  }

  @Test
  void comparesChildrenAndTheirParents() throws Exception {
    Workflow<Order, Receipt> child =
        Workflow.define(
            "ship",
            1,
            Order.class,
            Receipt.class,
            (flow, order) -> {
              flow.step("pack").transact(tx -> {});
              return new Receipt("shipped");
            });
    Workflow<Order, Receipt> parent = define((flow, order) -> flow.child("ship", child, order));
    Workflows workflows = process(parent, child);
    workflows.start(parent, "o-1", new Order("o-1", 1));
    assertThat(workflows.result(parent, "o-1", SOON)).isPresent();
    String ofTheChild = workflows.export("o-1/ship").orElseThrow();
    String ofTheParent = workflows.export("o-1").orElseThrow();
    Replay.of(parent, child).historyText(ofTheParent).historyText(ofTheChild).verify();
    assertThat(difference(Replay.of(parent).historyText(ofTheChild)))
        .contains("workflow ship 1", "[place-order 1]");
  }

  @Test
  void readsFilesOfADirectory(@TempDir Path directory) throws IOException {
    Workflow<Order, Receipt> workflow = define(this::place);
    Workflows workflows = waiting(workflow);
    assertThatThrownBy(() -> Replay.of(workflow).histories(directory))
        .isInstanceOf(InvalidConfiguration.class);
    assertThatThrownBy(() -> Replay.of(workflow).verify()).isInstanceOf(InvalidConfiguration.class);
    String json = workflows.export("o-1").orElseThrow();
    Files.writeString(directory.resolve("one.json"), json);
    Files.writeString(directory.resolve("notes.txt"), "not a history");
    Replay.of(workflow).histories(directory).verify();
    Files.writeString(directory.resolve("two.json"), json.substring(0, json.length() / 2));
    Files.writeString(
        directory.resolve("three.json"), json.replace("\"format\":1", "\"format\":2"));
    Files.writeString(directory.resolve("four.json"), json.replace("\"RESULT\"", "\"MARVEL\""));
    assertThatThrownBy(() -> Replay.of(workflow).histories(directory).verify())
        .isInstanceOf(AssertionError.class)
        .hasMessageContainingAll(
            "two.json: This is no exported run",
            "three.json: The run was exported in format 2",
            "four.json: The journal has an entry of the kind MARVEL")
        .message()
        .doesNotContain("one.json");
  }

  @Test
  void exportsOnlyWhatThereIsAndWritesNothing() {
    Workflow<Order, Receipt> workflow = define(this::place);
    Workflows workflows = waiting(workflow);
    workflows.signal("o-1", "other", "there is \"more\"");
    assertThat(workflows.export("o-2")).isEmpty();
    List<String> before = journal();
    String json = workflows.export("o-1").orElseThrow();
    assertThat(json).contains("\"input\":{\"id\":\"o-1\",\"cents\":13}", "\"name\":\"other\"");
    assertThatCode(() -> Replay.of(workflow).historyText(json).verify()).doesNotThrowAnyException();
    assertThat(journal()).isEqualTo(before);
  }
}
