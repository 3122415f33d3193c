package dev.holdfast.crashtest;

import dev.holdfast.Codec;
import dev.holdfast.Holdfast;
import dev.holdfast.Transaction;
import dev.holdfast.UnreadableData;
import dev.holdfast.workflow.Flow;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunFailed;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Seen;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowSettings;
import dev.holdfast.workflow.Workflows;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;

/** One life of a process that takes orders by a workflow, for {@link WorkflowConformance}. */
final class WorkflowProcess implements AutoCloseable {
  static final String HELD = "conformance_held";
  static final String RELEASED = "conformance_released";
  static final String CONFIRMED = "conformance_confirmed";

  private static final Duration PATIENCE = Duration.ofSeconds(25);
  private static final Retry QUICK =
      Retry.times(20).withWaits(Duration.ofMillis(10), Duration.ofMillis(100));

  private final Holdfast holdfast;
  private final Workflow<String, String> order;
  private final HttpClient client;
  private final String service;
  private final Order as;

  /**
   * What the workflow is.
   *
   * @param fails whether it throws when everything but the last step is done
   * @param repeats whether whatever has an effect asks for it twice
   * @param charge of what kind a charge is at the service, which says that it keeps keys
   * @param parcel of what kind a parcel is, after which it can be asked
   * @param settleAfter for how long a parcel may still come
   * @param completes whether the run ends in the commit of its last step
   */
  record Order(
      boolean fails,
      boolean repeats,
      String charge,
      String parcel,
      Duration settleAfter,
      boolean completes) {

    static final Order STANDARD =
        new Order(
            false,
            false,
            KeyedService.KEPT + "charge",
            KeyedService.LOOSE + "parcel",
            Duration.ofMillis(100),
            false);

    Order failing() {
      return new Order(true, repeats, charge, parcel, settleAfter, completes);
    }

    /** A service that does not keep keys would execute the second request. */
    Order repeating() {
      return new Order(fails, true, charge, KeyedService.KEPT + "parcel", settleAfter, completes);
    }

    Order charging(String kind) {
      return new Order(fails, repeats, kind, parcel, settleAfter, completes);
    }

    Order completing() {
      return new Order(fails, repeats, charge, parcel, settleAfter, true);
    }

    Order settlingAfter(Duration time) {
      return new Order(fails, repeats, charge, parcel, time, completes);
    }
  }

  WorkflowProcess(DataSource dataSource, HttpClient client, String service, Order as) {
    this.client = client;
    this.service = service;
    this.as = as;
    this.order =
        Workflow.define(
            as.fails() ? "failing-order" : "order", 1, String.class, String.class, this::run);
    this.holdfast =
        Holdfast.on(dataSource)
            .schemaManagedElsewhere()
            .codec(new PlainText())
            .workflow(order)
            .workflows(
                WorkflowSettings.DEFAULT
                    .withLease(Duration.ofSeconds(1))
                    .withPollInterval(Duration.ofMillis(20)))
            .start();
  }

  /** Takes an order, and returns when its run has ended as it should. */
  void take(String key) throws InterruptedException {
    Workflows workflows = holdfast.workflows();
    workflows.start(order, key, key);
    try {
      boolean isOver = workflows.result(order, key, PATIENCE).isPresent();
      if (!isOver || as.fails()) {
        throw new IllegalStateException(
            "The run is %s (%s), which should have %s."
                .formatted(
                    workflows.status(key),
                    workflows.reason(key),
                    as.fails() ? "failed" : "completed"));
      }
    } catch (RunFailed e) {
      if (!as.fails()) {
        throw e;
      }
    }
  }

  /** Whether its run has ended, as far as the database can be asked. */
  boolean isOver(String key) {
    return holdfast.workflows().status(key).map(RunStatus::isFinal).orElse(false);
  }

  private String run(Flow flow, String id) {
    flow.step("hold")
        .compensate(tx -> transact(tx, RELEASED, id))
        .transact(tx -> transact(tx, HELD, id));
    int price = flow.step("price", Integer.class).compute(id::length);
    flow.step("charge", String.class)
        .keyKeptFor(Duration.ofDays(1))
        .retry(QUICK)
        .compensate((key, charged) -> request("DELETE", as.charge(), id, key))
        .retryCompensation(QUICK)
        .call(
            key -> {
              request("POST", as.charge(), id, key);
              return "charged " + price;
            });
    flow.step("ship", String.class)
        .lookup(
            key ->
                send("GET", as.parcel(), id, key) == 200 ? Seen.happened("shipped") : Seen.notYet())
        .settleAfter(as.settleAfter())
        .retry(QUICK)
        .compensate((key, shipped) -> request("DELETE", as.parcel(), id, key))
        .retryCompensation(QUICK)
        .call(
            key -> {
              request("POST", as.parcel(), id, key);
              return "shipped";
            });
    if (as.fails()) {
      throw new IllegalStateException("the customer has moved");
    }
    flow.pivot();
    if (as.completes()) {
      return flow.step("confirm", String.class)
          .transactAndComplete(
              tx -> {
                transact(tx, CONFIRMED, id);
                return id;
              });
    }
    flow.step("confirm").transact(tx -> transact(tx, CONFIRMED, id));
    return id;
  }

  private void transact(Transaction tx, String table, String id) throws SQLException {
    for (int i = 0; i < (as.repeats() ? 2 : 1); i++) {
      String sql =
          "insert into %1$s (id) select ? where not exists (select 1 from %1$s where id = ?)";
      if (as.repeats()) {
        tx.update(sql.formatted(table), id, id);
      } else {
        tx.update("insert into " + table + " (id) values (?)", id);
      }
    }
  }

  private void request(String method, String kind, String id, String key)
      throws IOException, InterruptedException {
    for (int i = 0; i < (as.repeats() ? 2 : 1); i++) {
      int status = send(method, kind, id, key);
      if (status >= 300) {
        throw new IOException(method + " " + kind + " was answered by " + status);
      }
    }
  }

  private int send(String method, String kind, String id, String key)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(service + kind + "/" + id))
            .header("Idempotency-Key", key)
            .timeout(Duration.ofSeconds(10))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build();
    return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  /** Texts without anything that JSON would escape, numbers and truths. */
  private static final class PlainText implements Codec {
    @Override
    public String write(Object value) {
      return value instanceof String text ? '"' + text + '"' : value.toString();
    }

    @Override
    public <T> T read(String json, Class<T> type) {
      if (type == String.class) {
        return type.cast(json.substring(1, json.length() - 1));
      }
      if (type == Integer.class) {
        return type.cast(Integer.valueOf(json));
      }
      if (type == Boolean.class) {
        return type.cast(Boolean.valueOf(json));
      }
      throw new UnreadableData(json + " is not read as " + type.getName() + " here.");
    }
  }

  @Override
  public void close() {
    holdfast.close();
  }
}
