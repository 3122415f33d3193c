package dev.holdfast.twophase;

import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import java.util.List;

/**
 * Looks at, and after, what operations across databases have left behind. Made by {@link
 * dev.holdfast.Holdfast#twoPhase}. Thread-safe.
 */
public interface TwoPhase {

  /**
   * What a look for prepared branches found and did.
   *
   * @param committed branches committed
   * @param rolledBack branches rolled back
   * @param left branches left alone: their owner is at it, or nobody here may abort them
   * @param reported branches that a person has to decide about, or that somebody else has decided
   */
  record Recovered(int committed, int rolledBack, int left, int reported) {
    public Recovered plus(Recovered other) {
      return new Recovered(
          committed + other.committed,
          rolledBack + other.rolledBack,
          left + other.left,
          reported + other.reported);
    }
  }

  /**
   * Looks once at every participant, for branches of any age, and does what can be done. It also
   * happens by itself in every process with participants.
   *
   * @throws dev.holdfast.StoreUnavailable when a database cannot be reached; participants before it
   *     are done
   */
  Recovered recover();

  /** Forgets decisions and witnesses that are not needed any more. Also happens by itself. */
  void clean();

  /**
   * Every prepared branch there is, oldest first, and what it waits for. Changes nothing, claims of
   * participants included, so that a copy of the deciding database may look as well.
   */
  List<InDoubt> inDoubt();

  /** Branches that were ended otherwise than decided; unacknowledged first, newest first. */
  List<Heuristic> heuristics(int limit);

  /**
   * Takes note of such a branch, so that it is not reported any more.
   *
   * @param note who, and what was done about it; 1 to 1,000 characters
   * @return whether there was one that nobody had taken note of
   */
  boolean acknowledge(Gid gid, String note);

  /**
   * Makes a participant obey this database, whatever it obeyed before: an operator's decision,
   * after a restore or a move, that this database and not a copy of it is to be believed.
   *
   * @param participant its name
   */
  void claim(String participant);
}
