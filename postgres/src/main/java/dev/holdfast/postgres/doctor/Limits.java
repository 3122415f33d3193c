package dev.holdfast.postgres.doctor;

import java.time.Duration;

/**
 * From where on something is worth a finding.
 *
 * @param lag the age of a channel's oldest message that waits; ten times as much is a failure
 * @param leaderless how long a running channel may be without a leader; several leases
 * @param transaction the age of a transaction, prepared or not, that holds back what vacuum removes
 * @param keys how long a transaction that has published may stay open
 * @param overdue how long after its time something that upkeep does may be undone
 * @param clocks how far the database's clock and this machine's may be apart
 * @param frozenAge the age in transactions of the oldest database's oldest row; four times as much
 *     is a failure
 * @param horizonAge how many transactions back a slot or a standby may hold the horizon
 * @param inDoubt the age of a branch of an operation across databases that waits for its decision;
 *     recovery ends one within seconds
 * @param decided the age of a decision that is not forgotten yet
 */
public record Limits(
    Duration lag,
    Duration leaderless,
    Duration transaction,
    Duration keys,
    Duration overdue,
    Duration clocks,
    long frozenAge,
    long horizonAge,
    Duration inDoubt,
    Duration decided) {

  /**
   * What a store that is looked after keeps. PostgreSQL refuses at an age of two thousand million.
   */
  public static final Limits DEFAULT =
      new Limits(
          Duration.ofMinutes(1),
          Duration.ofSeconds(30),
          Duration.ofMinutes(5),
          Duration.ofSeconds(30),
          Duration.ofMinutes(10),
          Duration.ofSeconds(5),
          400_000_000,
          1_000_000,
          Duration.ofMinutes(1),
          Duration.ofHours(1));

  public Limits withLag(Duration value) {
    return new Limits(
        value,
        leaderless,
        transaction,
        keys,
        overdue,
        clocks,
        frozenAge,
        horizonAge,
        inDoubt,
        decided);
  }

  public Limits withTransaction(Duration value) {
    return new Limits(
        lag, leaderless, value, keys, overdue, clocks, frozenAge, horizonAge, inDoubt, decided);
  }

  public Limits withInDoubt(Duration value) {
    return new Limits(
        lag, leaderless, transaction, keys, overdue, clocks, frozenAge, horizonAge, value, decided);
  }
}
