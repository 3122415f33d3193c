package dev.holdfast.cli.demo;

import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Carries out a plan of faults. An instance is killed by the very client whose request makes the
 * number full, so that the others' requests are under way; servers are killed and started again
 * beside the load.
 */
final class Saboteur {
  private final Deque<FaultPlan.Fault> ahead;
  private final Services services;
  private final PostgresServer postgres;
  private final KafkaServer kafka;
  private final int ordersInOutage;
  private final List<CompletableFuture<Void>> outages = new ArrayList<>();

  Saboteur(
      FaultPlan plan,
      Services services,
      PostgresServer postgres,
      KafkaServer kafka,
      int ordersInOutage) {
    this.ahead = new ArrayDeque<>(plan.faults());
    this.services = services;
    this.postgres = postgres;
    this.kafka = kafka;
    this.ordersInOutage = ordersInOutage;
  }

  /** Strikes when it is time to. */
  synchronized void ended(int orders, Clients clients) {
    while (!ahead.isEmpty() && ahead.peek().after() <= orders) {
      FaultPlan.Fault fault = ahead.remove();
      switch (fault.victim()) {
        case ORDERS -> services.orders().kill(fault.instance());
        case SHIPPING -> services.shipping().kill(fault.instance());
        case BROKER -> {
          clients.limitTo(ordersInOutage);
          outages.add(
              CompletableFuture.runAsync(
                  () -> {
                    try {
                      kafka.kill();
                      kafka.restart();
                    } finally {
                      clients.unlimited();
                    }
                  }));
        }
        case DATABASE ->
            outages.add(
                CompletableFuture.runAsync(
                    () -> {
                      postgres.killServer();
                      postgres.restart();
                    }));
      }
    }
  }

  /** Returns when every server is up again. */
  synchronized void awaitEnd() {
    try {
      outages.forEach(CompletableFuture::join);
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }
}
