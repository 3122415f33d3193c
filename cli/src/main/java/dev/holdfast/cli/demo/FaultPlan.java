package dev.holdfast.cli.demo;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * What is killed when: each fault strikes when so many requests have ended, while others are under
 * way. The seed alone decides.
 */
record FaultPlan(List<Fault> faults) {

  enum Victim {
    SERVICE,
    BROKER,
    DATABASE
  }

  /**
   * @param after requests ended
   * @param instance which of the service's, when it is the victim
   */
  record Fault(int after, Victim victim, int instance) {}

  /** Spreads the kills evenly, each moved by up to a third of the distance. */
  static FaultPlan of(int operations, int kills, long seed) {
    Random random = new Random(seed);
    List<Fault> faults = new ArrayList<>();
    for (int kill = 0; kill < kills; kill++) {
      int after = at(operations, (kill + 0.5) / kills, 0.33 / kills, random);
      faults.add(new Fault(after, Victim.SERVICE, random.nextInt(ServiceInstances.COUNT)));
    }
    faults.add(new Fault(at(operations, 0.35, 0.05, random), Victim.BROKER, 0));
    faults.add(new Fault(at(operations, 0.70, 0.05, random), Victim.DATABASE, 0));
    faults.sort(Comparator.comparingInt(Fault::after));
    return new FaultPlan(List.copyOf(faults));
  }

  private static int at(int operations, double share, double jitter, Random random) {
    double moved = share + jitter * (2 * random.nextDouble() - 1);
    return (int) Math.min(Math.max(1, Math.round(operations * moved)), operations - 1L);
  }
}
