package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.workflow.Flow;
import dev.holdfast.workflow.Rejected;
import dev.holdfast.workflow.Replay;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Seen;
import dev.holdfast.workflow.StartOptions;
import dev.holdfast.workflow.StepFailed;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowQueue;
import dev.holdfast.workflow.Workflows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/workflows.md shows, compiled and run. */
final class WorkflowSnippetsTest extends WorkflowProcesses {
  private final Payments payments = new Payments();
  private final AtomicInteger lost = new AtomicInteger();

  record Charge(String id, int cents) {}

  /** Somebody else's service, which keeps keys and can be asked. */
  private static final class Payments {
    final Map<String, Charge> charges = new ConcurrentHashMap<>();

    Charge charge(String key, int cents) throws Rejected {
      if (cents > 1_000_000) {
        throw new Rejected("over the limit");
      }
      return charges.computeIfAbsent(key, any -> new Charge("c-" + key, cents));
    }

    Optional<Charge> find(String key) {
      return Optional.ofNullable(charges.get(key));
    }

    void refund(String key) {
      charges.remove(key);
    }
  }

  @BeforeEach
  void createOrders() throws Exception {
    execute("create table %s.orders (id text primary key, state text)".formatted(schema));
    execute("create table %s.shelf (held integer not null)".formatted(schema));
    execute("insert into %s.shelf values (0)".formatted(schema));
  }

  private Workflow<Order, Receipt> placeOrder() {
    String shelf = schema + ".shelf";
    String orders = schema + ".orders";
    // snippet:workflow-define
    Workflow<Order, Receipt> placeOrder =
        Workflow.define(
            "place-order",
            1,
            Order.class,
            Receipt.class,
            (flow, order) -> {
              // Rows and record are one commit; undone by rows as well.
              flow.step("hold")
                  .compensate(tx -> tx.update("update " + shelf + " set held = held - 1"))
                  .transact(tx -> tx.update("update " + shelf + " set held = held + 1"));
              // Somebody else, who executes what comes under one key once.
              Charge charge =
                  flow.step("charge", Charge.class)
                      .keyKeptFor(Duration.ofHours(24))
                      .compensate((key, known) -> payments.refund(key))
                      .call(key -> payments.charge(key, order.cents()));
              // From here on it goes forward only.
              flow.pivot();
              flow.step("confirm")
                  .retry(Retry.forever())
                  .transact(
                      tx -> tx.update("insert into " + orders + " values (?, 'PAID')", order.id()));
              return new Receipt(charge.id());
            });
    // end
    return placeOrder;
  }

  @Test
  void startsAndReturns() throws Exception {
    Workflow<Order, Receipt> placeOrder = placeOrder();
    Order order = new Order("o-1", 100);
    Order other = new Order("o-2", 200);
    Holdfast.Builder builder = Holdfast.on(pool).schema(schema);
    // snippet:workflow-start
    Holdfast holdfast = builder.workflow(placeOrder).start();
    Workflows workflows = holdfast.workflows();

    // In a commit of its own; a repeat finds what was started.
    workflows.start(placeOrder, "order-1", order);
    // Or in yours: it is there, and begins behind the commit, if and only if that commits.
    StartOptions options =
        StartOptions.DEFAULT
            .withAttributes(Map.of("customer", "c-7"))
            .withDeadline(Duration.ofDays(1));
    holdfast.transact(tx -> workflows.start(tx, placeOrder, "order-2", other, options));

    Optional<Receipt> receipt = workflows.result(placeOrder, "order-1", Duration.ofSeconds(20));
    // end
    try (holdfast) {
      assertThat(receipt).hasValueSatisfying(got -> assertThat(got.text()).startsWith("c-"));
      assertThat(workflows.result(placeOrder, "order-2", SOON)).isPresent();
      workflows.start(placeOrder, "order-3", new Order("o-3", 2_000_000));
      assertThatThrownBy(() -> workflows.result(placeOrder, "order-3", SOON))
          .isInstanceOf(RunFailed.class)
          .hasMessageContaining("over the limit");
      assertThat(list("select held::text from " + schema + ".shelf")).containsExactly("2");
      assertThat(list("select id from " + schema + ".orders order by id"))
          .containsExactly("o-1", "o-2");
    }
  }

  /** The first reply is lost. */
  private Charge send(String key, int cents) throws Exception {
    Charge charge = payments.charge(key, cents);
    if (lost.getAndIncrement() == 0) {
      throw new IOException("the reply was lost");
    }
    return charge;
  }

  private Seen<Charge> ask(String key) {
    return payments.find(key).map(Seen::happened).orElseGet(Seen::notYet);
  }

  @Test
  void resolvesWhatIsNotKnown() throws Exception {
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              int cents = order.cents();
              // snippet:workflow-unknown
              // It keeps keys: called again under the same one.
              flow.step("a", Charge.class)
                  .keyKeptFor(Duration.ofHours(24))
                  .call(key -> send(key, cents));
              // It can be asked; what is not seen a minute after the last attempt is not coming.
              flow.step("b", Charge.class)
                  .lookup(key -> ask(key))
                  .settleAfter(Duration.ofMinutes(1))
                  .timeout(Duration.ofSeconds(10))
                  .call(key -> send(key, cents));
              // It can be undone, whether or not it has happened: the step fails, and is undone.
              try {
                flow.step("c", Charge.class)
                    .compensateByKey((key, known) -> payments.refund(key))
                    .call(key -> send(key, cents));
              } catch (StepFailed e) {
                flow.step("on account").transact(tx -> {});
              }
              // None of these: a person says what became of it.
              Charge charge =
                  flow.step("d", Charge.class).parkUnknown().call(key -> send(key, cents));
              // end
              return new Receipt(charge.id());
            });
    for (int unlucky = 0; unlucky < 4; unlucky++) {
      String id = "o-" + unlucky;
      lost.set(-unlucky);
      Workflows workflows = process(workflow);
      workflows.start(workflow, id, new Order(id, 100));
      if (unlucky == 3) {
        awaitStatus(workflows, id, RunStatus.STUCK);
        // snippet:workflow-person
        Optional<String> why = workflows.reason(id); // "What became of step d is not known ..."
        workflows.resolveHappened(id, "d", new Charge("c-9", 100), "anna", "on the statement");
        // end
        assertThat(why).hasValueSatisfying(text -> assertThat(text).contains("step d"));
      }
      assertThat(workflows.result(workflow, id, SOON)).isPresent();
      processes.remove(0).close();
    }
    assertThat(
            list("select count(*)::text from " + schema + ".workflow_journal where kind = 'DOUBT'"))
        .containsExactly("1");
  }

  @Test
  void waitsAndDoesSeveralThingsAtOnce() throws Exception {
    Workflow<Order, Receipt> ship =
        Workflow.define(
            "ship", 1, Order.class, Receipt.class, (flow, order) -> new Receipt("parcel"));
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              // snippet:workflow-waits
              Optional<String> answer = flow.await("approved", String.class, Duration.ofDays(3));
              if (answer.isEmpty()) {
                throw new IllegalStateException("nobody has answered"); // undone
              }
              flow.sleep("cool off", Duration.ofMillis(10)); // or days
              // end
              List<String> items = List.of("book", "pen");
              // snippet:workflow-parallel
              List<String> boxes =
                  flow.parallel(
                      "pack",
                      items,
                      (branch, item) -> {
                        branch.step("pick").compensate(tx -> {}).transact(tx -> {});
                        return branch.step("box", String.class).compute(() -> "box of " + item);
                      });
              Receipt parcel = flow.child("ship", ship, order); // its id: order-1/ship
              // end
              return new Receipt(boxes + parcel.text());
            });
    Workflows workflows = process(workflow, ship);
    workflows.start(workflow, "order-1", new Order("o-1", 100));
    awaitStatus(workflows, "order-1", RunStatus.PARKED);
    // snippet:workflow-signal
    workflows.signal("order-1", "approved", "anna"); // or in a transaction: signal(tx, ...)
    // end
    assertThat(workflows.result(workflow, "order-1", SOON))
        .contains(new Receipt("[box of book, box of pen]parcel"));
  }

  @Test
  void endsWithItsLastStep() throws Exception {
    String orders = schema + ".orders";
    Workflow<Order, Receipt> workflow =
        define(
            (flow, order) -> {
              // snippet:workflow-complete
              return flow.step("confirm", Receipt.class)
                  .transactAndComplete(
                      tx -> {
                        tx.update("insert into " + orders + " values (?, 'PAID')", order.id());
                        return new Receipt(order.id());
                      });
              // end
            });
    Workflows workflows = process(workflow);
    workflows.start(workflow, "order-1", new Order("o-1", 100));
    assertThat(workflows.result(workflow, "order-1", SOON)).contains(new Receipt("o-1"));
    assertThat(list("select state from " + orders)).containsExactly("PAID");
  }

  private static Receipt former(Flow flow) {
    flow.step("hold").transact(tx -> {});
    flow.await("approved", String.class, Duration.ofDays(3));
    return new Receipt("held");
  }

  @Test
  void isChangedWhileRunsAreUnderWay(@TempDir Path histories) throws Exception {
    Workflow<Order, Receipt> before = define((flow, order) -> former(flow));
    Workflow<Order, Receipt> placeOrder =
        define(
            (flow, order) -> {
              // snippet:workflow-patch
              if (flow.patch("check-fraud")) { // false for runs that had passed here before
                flow.step("check").transact(tx -> {});
              }
              flow.step("hold").transact(tx -> {});
              // end
              flow.await("approved", String.class, Duration.ofDays(3));
              return new Receipt("held");
            });
    Workflows workflows = process(before);
    workflows.start(before, "order-1", new Order("o-1", 100));
    Awaitility.await().atMost(SOON).until(() -> journal().contains("WAIT approved"));
    // snippet:workflow-export
    String json = workflows.export("order-1").orElseThrow();
    Files.writeString(histories.resolve("order-1.json"), json);
    // end
    // snippet:workflow-replay
    Replay.of(placeOrder).histories(histories).verify();
    // end
    assertThatThrownBy(
            () ->
                Replay.of(define((flow, order) -> new Receipt("nothing to do")))
                    .histories(histories)
                    .verify())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("without step hold");
  }

  @Test
  void waitsItsTurnInAQueue() throws Exception {
    Workflow<Order, Receipt> placeOrder =
        define((flow, order) -> new Receipt("placed " + order.id()));
    // snippet:workflow-queue
    WorkflowQueue payments =
        WorkflowQueue.named("payments")
            .withConcurrency(20) // under way at once, in all processes together
            .withConcurrencyPerKey(1) // and of one customer
            .withRate(100, Duration.ofSeconds(1));
    Holdfast holdfast =
        Holdfast.on(pool).schema(schema).workflow(placeOrder).workflowQueue(payments).start();
    // end
    processes.add(holdfast);
    Workflows workflows = holdfast.workflows();
    Order order = new Order("o-1", 100);
    // snippet:workflow-enqueue
    StartOptions options =
        StartOptions.DEFAULT
            .withQueue("payments", "customer-7")
            .withDeadline(Duration.ofHours(1))
            .withAttributes(Map.of("customer", "customer-7"));
    holdfast.transact(tx -> workflows.start(tx, placeOrder, order.id(), order, options));
    // end
    assertThat(workflows.result(placeOrder, "o-1", SOON)).contains(new Receipt("placed o-1"));
    assertThat(
            list(
                """
                select id from %s.workflow_run where attributes @> '{"customer": "customer-7"}'
                """
                    .formatted(schema)))
        .containsExactly("o-1");
  }
}
