package dev.holdfast.crashtest;

/**
 * What befalls the resources while the process under test is down, other than that they lose
 * connections: a failover to a standby that misses the last commits, a backup that is restored, a
 * clone that is started beside the original, a broker that comes back with an empty disk.
 *
 * @param name in a few words, for the report
 * @param prepare runs before the operation in each run with a drill, when the application has
 *     started; such as taking the backup
 * @param strike happens after the crash, before the process starts again
 * @param mayLose whether the resource of the first expected effect may lose what it had when the
 *     drill struck. What is then gone with that effect counts for nobody; what is there without it
 *     was true when it was made
 * @param mayRepeat whether effects may be there more often than expected
 */
public record Drill(String name, Act prepare, Act strike, boolean mayLose, boolean mayRepeat) {

  /** A part of a drill. */
  @FunctionalInterface
  public interface Act {
    void run() throws Exception;
  }

  /** A drill that nothing needs to be prepared for, and that excuses nothing. */
  public static Drill of(String name, Act strike) {
    return new Drill(name, () -> {}, strike, false, false);
  }

  /** The same, prepared before the operation. */
  public Drill preparedBy(Act act) {
    return new Drill(name, act, strike, mayLose, mayRepeat);
  }

  /** The same, where the resource of the first expected effect may lose what it had. */
  public Drill losing() {
    return new Drill(name, prepare, strike, true, mayRepeat);
  }

  /** The same, after which effects may be repeated. */
  public Drill repeating() {
    return new Drill(name, prepare, strike, mayLose, true);
  }
}
