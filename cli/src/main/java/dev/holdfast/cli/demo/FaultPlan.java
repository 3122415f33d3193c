package dev.holdfast.cli.demo;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * What is killed when: each fault strikes when so many requests have ended, or so many shipments
 * were made, while others are under way. The seed alone decides.
 */
record FaultPlan(List<Fault> faults) {

  enum Victim {
    ORDERS,
    SHIPPING,
    PAYMENTS,
    BROKER,
    DATABASE,
    LEDGER,
    PAYMENTS_DATABASE,
    SEARCH_ENGINE,
    /** What is asked of the database next is done, and whoever asked is not told. */
    REPLY_OF_DATABASE,
    REPLY_OF_LEDGER
  }

  /**
   * @param after requests ended; when shipping is the victim, shipments made
   * @param instance which of the service's, when a service is the victim
   */
  record Fault(int after, Victim victim, int instance) {}

  /**
   * Spreads the kills of a service evenly, each moved by up to a third of the distance.
   *
   * @param kills of the order service where it is on trial; where shipping is, that gets half as
   *     many, each while it is at work, and the order service a quarter. Where there is a ledger,
   *     each database loses as many replies, and where there is an index, the order service's does;
   *     where there is a payment provider, that is killed half as often, and the order service's
   *     database loses three times as many replies
   */
  static FaultPlan of(StrategyKind kind, int operations, int kills, long seed) {
    int killsOfOrders = kind.receives() ? (kills + 3) / 4 : kills;
    int killsOfShipping = kind.receives() ? (kills + 1) / 2 : 0;
    Random random = new Random(seed);
    List<Fault> faults = new ArrayList<>();
    kill(Victim.ORDERS, Service.ORDERS.instances(kind), operations, killsOfOrders, random, faults);
    faults.add(new Fault(at(operations, 0.35, 0.05, random), otherServer(kind), 0));
    faults.add(new Fault(at(operations, 0.70, 0.05, random), Victim.DATABASE, 0));
    kill(
        Victim.SHIPPING,
        Service.SHIPPING.instances(kind),
        operations,
        killsOfShipping,
        random,
        faults);
    if (kind.hasLedger()) {
      kill(Victim.REPLY_OF_DATABASE, 1, operations, kills, random, faults);
      kill(Victim.REPLY_OF_LEDGER, 1, operations, kills, random, faults);
    }
    if (kind.takesPayments()) {
      int instances = Service.PAYMENTS.instances(kind);
      kill(Victim.PAYMENTS, instances, operations, (kills + 1) / 2, random, faults);
      // Most of them are of those who look for work.
      kill(Victim.REPLY_OF_DATABASE, 1, operations, 3 * kills, random, faults);
      faults.add(new Fault(at(operations, 0.55, 0.05, random), Victim.PAYMENTS_DATABASE, 0));
    }
    if (kind.hasIndex()) {
      kill(Victim.REPLY_OF_DATABASE, 1, operations, kills, random, faults);
      faults.add(new Fault(at(operations, 0.85, 0.05, random), Victim.SEARCH_ENGINE, 0));
    }
    faults.sort(Comparator.comparingInt(Fault::after));
    return new FaultPlan(List.copyOf(faults));
  }

  private static Victim otherServer(StrategyKind kind) {
    if (kind.hasIndex()) {
      return Victim.SEARCH_ENGINE;
    }
    return kind.hasLedger() ? Victim.LEDGER : Victim.BROKER;
  }

  private static void kill(
      Victim victim, int instances, int operations, int kills, Random random, List<Fault> faults) {
    for (int kill = 0; kill < kills; kill++) {
      int after = at(operations, (kill + 0.5) / kills, 0.33 / kills, random);
      faults.add(new Fault(after, victim, random.nextInt(instances)));
    }
  }

  private static int at(int operations, double share, double jitter, Random random) {
    double moved = share + jitter * (2 * random.nextDouble() - 1);
    return (int) Math.min(Math.max(1, Math.round(operations * moved)), operations - 1L);
  }
}
