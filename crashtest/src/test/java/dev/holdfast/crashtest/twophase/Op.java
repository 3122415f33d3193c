package dev.holdfast.crashtest.twophase;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operation: its owner, its transaction in the deciding database, its branches.
 *
 * @param serial the deciding transaction's
 * @param row the decision: in the transaction while that is open, kept or deleted afterwards
 * @param sent the deciding commit is on its way, and whoever sent it does not wait any more
 * @param held a recoverer that does not live any more has the same row inserted
 * @param abortedAlive a recoverer rolled a branch back when the deciding transaction was open
 */
record Op(
    int serial,
    Owner owner,
    Tx tx,
    boolean row,
    boolean sent,
    boolean held,
    boolean abortedAlive,
    List<Branch> branches) {

  enum Tx {
    NONE,
    OPEN,
    COMMITTED,
    ROLLED_BACK
  }

  static Op notBegun(int participants) {
    return new Op(
        0,
        Owner.NOT_BEGUN,
        Tx.NONE,
        false,
        false,
        false,
        false,
        Collections.nCopies(participants, Branch.NONE));
  }

  Op begin(int drawn, List<Branch> used) {
    return new Op(drawn, Owner.WORKING, Tx.OPEN, false, false, false, false, used);
  }

  boolean isOpen() {
    return tx == Tx.OPEN;
  }

  boolean isDecided() {
    return tx == Tx.COMMITTED;
  }

  Branch at(int participant) {
    return branches.get(participant);
  }

  Op with(Owner value) {
    return new Op(serial, value, tx, row, sent, held, abortedAlive, branches);
  }

  Op with(int participant, Branch value) {
    List<Branch> changed = new ArrayList<>(branches);
    changed.set(participant, value);
    return new Op(serial, owner, tx, row, sent, held, abortedAlive, List.copyOf(changed));
  }

  Op write() {
    return new Op(serial, owner, tx, true, sent, held, abortedAlive, branches);
  }

  Op sendCommit() {
    return new Op(serial, owner, tx, row, true, held, abortedAlive, branches);
  }

  Op commit() {
    return new Op(serial, owner, Tx.COMMITTED, row, false, held, abortedAlive, branches);
  }

  /** The deciding transaction; branches know nothing of it. */
  Op rollBack() {
    return new Op(serial, owner, Tx.ROLLED_BACK, false, false, held, abortedAlive, branches);
  }

  Op delete() {
    return new Op(serial, owner, tx, false, sent, held, abortedAlive, branches);
  }

  Op hold(boolean value) {
    return new Op(serial, owner, tx, row, sent, value, abortedAlive, branches);
  }

  Op abortAlive() {
    return new Op(serial, owner, tx, row, sent, held, true, branches);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Op that
        && serial == that.serial
        && tx == that.tx
        && row == that.row
        && sent == that.sent
        && held == that.held
        && abortedAlive == that.abortedAlive
        && owner.equals(that.owner)
        && branches.equals(that.branches);
  }

  @Override
  public int hashCode() {
    int bits =
        tx.hashCode()
            + (row ? 4 : 0)
            + (sent ? 8 : 0)
            + (held ? 16 : 0)
            + (abortedAlive ? 32 : 0)
            + 64 * serial;
    return 31 * (31 * bits + owner.hashCode()) + branches.hashCode();
  }

  @Override
  public String toString() {
    return (serial == 0 ? "an operation" : "operation " + serial)
        + ": owner "
        + owner
        + "; deciding transaction "
        + tx
        + (sent ? " (COMMIT on its way)" : "")
        + (row ? " with decision row" : "")
        + (held ? " (row held by a question)" : "")
        + "; branches "
        + branches;
  }
}
