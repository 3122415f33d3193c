package dev.holdfast.benchmarks;

/** One contender in one scenario, once. */
final class TwoPhaseRun {
  private final TwoPhaseServers servers;
  private final TwoPhaseContender contender;
  private final TwoPhaseScenario scenario;
  private final int operations;

  /**
   * @param operations that are timed
   */
  TwoPhaseRun(
      TwoPhaseServers servers,
      TwoPhaseContender contender,
      TwoPhaseScenario scenario,
      int operations) {
    this.servers = servers;
    this.contender = contender;
    this.scenario = scenario;
    this.operations = operations;
  }

  /**
   * @param rate commits a second
   * @param forcedWrites of both servers' logs for each commit
   */
  record Figures(double rate, double forcedWrites) {}

  Figures measure() {
    servers.clear();
    long before = servers.forcedWrites();
    double rate;
    try (TwoPhaseEntry entry = contender.enter(servers, scenario)) {
      Operations commits = new Operations(scenario.threads(), operations, entry::commit);
      commits.run();
      entry.settle();
      rate = commits.rate();
    } catch (BenchmarkFailure e) {
      throw e;
    } catch (Exception e) {
      throw new BenchmarkFailure(contender.name() + " failed", e);
    }
    long forced = servers.forcedWrites() - before;
    int all = Operations.all(scenario.threads(), operations);
    servers.check(all);
    return new Figures(rate, (double) forced / all);
  }
}
