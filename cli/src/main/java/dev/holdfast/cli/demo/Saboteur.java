package dev.holdfast.cli.demo;

import dev.holdfast.HoldfastException;
import dev.holdfast.devservices.PostgresServer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.IntSupplier;

/**
 * Carries out a plan of faults. An instance of the order service is killed by the very client whose
 * request makes the number full, so that the others' requests are under way, and one of the
 * shipping service when the number of shipments is seen to be full, so that it is at work; servers
 * are killed and started again beside the load.
 */
final class Saboteur implements AutoCloseable {
  private static final Duration LOOK_AGAIN_AFTER = Duration.ofMillis(5);

  private final Deque<FaultPlan.Fault> ahead;
  private final Deque<FaultPlan.Fault> aheadOfShipping;
  private final Services services;
  private final Servers servers;
  private final int ordersInOutage;
  private final List<CompletableFuture<Void>> outages = new ArrayList<>();
  private volatile boolean closed;

  Saboteur(FaultPlan plan, Services services, Servers servers, int ordersInOutage) {
    this.ahead = new ArrayDeque<>(plan.faults());
    this.aheadOfShipping = new ArrayDeque<>(plan.faults());
    ahead.removeIf(fault -> fault.victim() == FaultPlan.Victim.SHIPPING);
    aheadOfShipping.removeIf(fault -> fault.victim() != FaultPlan.Victim.SHIPPING);
    this.services = services;
    this.servers = servers;
    this.ordersInOutage = ordersInOutage;
  }

  /** Watches a number of shipments, and strikes when it is time to. */
  void watch(IntSupplier shipments) {
    Thread thread = new Thread(() -> strikeShipping(shipments), "saboteur");
    thread.setDaemon(true);
    thread.start();
  }

  private void strikeShipping(IntSupplier shipments) {
    try {
      while (!closed && !aheadOfShipping.isEmpty()) {
        if (count(shipments) >= aheadOfShipping.element().after()) {
          services.shipping().kill(aheadOfShipping.remove().instance());
        }
        Timing.pause(LOOK_AGAIN_AFTER);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static int count(IntSupplier shipments) {
    try {
      return shipments.getAsInt();
    } catch (HoldfastException e) {
      // The database is what was killed.
      return 0;
    }
  }

  /** Strikes at anything but shipping when it is time to. */
  synchronized void ended(int orders, Clients clients) {
    while (!ahead.isEmpty() && ahead.peek().after() <= orders) {
      FaultPlan.Fault fault = ahead.remove();
      switch (fault.victim()) {
        case ORDERS -> services.orders().kill(fault.instance());
        case PAYMENTS -> services.payments().kill(fault.instance());
        case SHIPPING -> throw new IllegalStateException("strikes by the number of shipments");
        case BROKER ->
            crash(
                clients,
                () -> {
                  servers.kafka().kill();
                  servers.kafka().restart();
                });
        case SEARCH_ENGINE ->
            crash(
                clients,
                () -> {
                  servers.searchEngine().kill();
                  servers.searchEngine().restart();
                });
        case DATABASE -> crash(servers.postgres());
        case LEDGER, PAYMENTS_DATABASE -> crash(servers.second());
        case REPLY_OF_DATABASE -> servers.loseReply(/* ofLedger= */ false);
        case REPLY_OF_LEDGER -> servers.loseReply(/* ofLedger= */ true);
      }
    }
  }

  /** Of what orders can be taken without: few of them are, until it is there again. */
  private void crash(Clients clients, Runnable killAndRestart) {
    clients.limitTo(ordersInOutage);
    outages.add(
        CompletableFuture.runAsync(
            () -> {
              try {
                killAndRestart.run();
              } finally {
                clients.unlimited();
              }
            }));
  }

  private void crash(PostgresServer database) {
    outages.add(
        CompletableFuture.runAsync(
            () -> {
              database.killServer();
              database.restart();
            }));
  }

  /** Returns when every server is up again. */
  synchronized void awaitEnd() {
    try {
      outages.forEach(CompletableFuture::join);
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /** What has not struck yet will not. */
  @Override
  public void close() {
    closed = true;
  }
}
