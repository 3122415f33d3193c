package dev.holdfast.crashtest.twophase;

import dev.holdfast.twophase.store.Heuristic;
import org.jspecify.annotations.Nullable;

/**
 * An operation's branch at one participant.
 *
 * @param sent PREPARE is on its way, and whoever sent it does not wait for it any more
 * @param witness the row that was written in the branch's commit
 * @param wasCommitted it has been committed once, whatever a failover has made of that
 * @param lost a failover has lost its commit
 * @param byHand somebody has ended it by hand
 * @param recorded what is in the deciding database's table of heuristic outcomes
 */
record Branch(
    State state,
    boolean sent,
    boolean witness,
    boolean wasCommitted,
    boolean lost,
    boolean byHand,
    Heuristic.@Nullable Kind recorded) {

  enum State {
    NONE,
    WORKING,
    PREPARED,
    COMMITTED,
    ROLLED_BACK
  }

  static final Branch NONE = new Branch(State.NONE, false, false, false, false, false, null);
  static final Branch WORKING = new Branch(State.WORKING, false, false, false, false, false, null);

  boolean is(State other) {
    return state == other;
  }

  Branch prepare() {
    return new Branch(State.PREPARED, false, witness, wasCommitted, lost, byHand, recorded);
  }

  Branch send() {
    return new Branch(state, true, witness, wasCommitted, lost, byHand, recorded);
  }

  Branch commit() {
    return new Branch(State.COMMITTED, false, true, true, lost, byHand, recorded);
  }

  Branch rollBack() {
    return new Branch(State.ROLLED_BACK, false, false, wasCommitted, lost, byHand, recorded);
  }

  Branch lose() {
    return new Branch(State.PREPARED, false, false, wasCommitted, true, byHand, recorded);
  }

  Branch endByHand() {
    return new Branch(state, sent, witness, wasCommitted, lost, true, recorded);
  }

  Branch forget() {
    return new Branch(state, sent, false, wasCommitted, lost, byHand, recorded);
  }

  /** What is recorded first stays. */
  Branch record(Heuristic.Kind kind) {
    return recorded != null
        ? this
        : new Branch(state, sent, witness, wasCommitted, lost, byHand, kind);
  }

  /** Written out: the generated ones cost four times as much without the second compiler. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Branch that
        && state == that.state
        && sent == that.sent
        && witness == that.witness
        && wasCommitted == that.wasCommitted
        && lost == that.lost
        && byHand == that.byHand
        && recorded == that.recorded;
  }

  @Override
  public int hashCode() {
    return state.hashCode()
        + (sent ? 8 : 0)
        + (witness ? 16 : 0)
        + (wasCommitted ? 32 : 0)
        + (lost ? 64 : 0)
        + (byHand ? 128 : 0)
        + (recorded == null ? 0 : 256 * (recorded.hashCode() + 1));
  }

  @Override
  public String toString() {
    return state
        + (sent ? " (PREPARE on its way)" : "")
        + (witness ? " with witness" : "")
        + (lost ? ", commit lost" : "")
        + (byHand ? ", by hand" : "")
        + (recorded == null ? "" : ", recorded as " + recorded);
  }
}
