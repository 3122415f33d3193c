package dev.holdfast.crashtest.twophase;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A participant's claim, and a deciding database with its copies, the original first.
 *
 * @param claim what the participant has written down
 * @param tokens how many have been drawn
 * @param starts how many times a server was started
 * @param harm what must not have happened
 */
record ClaimWorld(Claimed claim, List<Node> nodes, int tokens, int starts, Harm harm) {

  enum Harm {
    NONE,
    /** A copy rolled a branch of the original back whose operation could still commit. */
    COPY_ABORTED_THE_ORIGINALS,
    /** The original was refused without having been stopped since it held the claim. */
    ORIGINAL_LOCKED_OUT
  }

  /**
   * @param token 1 and up
   * @param previous the token that it replaced; 0 when nobody may object
   * @param previousHolder which start of a server held the claim before
   * @param holder which start of a server has claimed
   */
  record Claimed(int token, int previous, int previousHolder, int holder, boolean settled) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Claimed that
          && token == that.token
          && previous == that.previous
          && previousHolder == that.previousHolder
          && holder == that.holder
          && settled == that.settled;
    }

    @Override
    public int hashCode() {
      return token + 8 * (previous + 8 * (previousHolder + 8 * (holder + (settled ? 8 : 0))));
    }

    @Override
    public String toString() {
      return "token "
          + token
          + " of start "
          + holder
          + (settled ? "" : ", not settled")
          + (previous == 0 ? "" : ", replaces " + previous + " of start " + previousHolder);
    }
  }

  enum Op {
    NONE,
    /** The decision's row is written. */
    DECIDING,
    /** The branch is prepared, and the deciding transaction open. */
    PREPARED
  }

  /**
   * A deciding database and the process that recovers in its name.
   *
   * @param start which start of a server it is; 0 when it is down, or not there yet
   * @param token the token that it knows for its own
   * @param next one that it has proposed
   * @param nextBy the start of the server in whose name
   * @param cached the token under which its process prepares
   * @param op an operation of its
   * @param isOld whether the claim has been taken since that wrote its decision
   * @param mustLook whether its process has not looked since the claim was taken
   * @param held whether it has held the claim since it was started
   */
  record Node(
      int start,
      int token,
      int next,
      int nextBy,
      int cached,
      Op op,
      boolean isOld,
      boolean mustLook,
      boolean held,
      Checker checker) {
    static final Node ABSENT = new Node(0, 0, 0, 0, 0, Op.NONE, false, false, false, Checker.IDLE);

    boolean isThere() {
      return token != 0;
    }

    boolean isUp() {
      return start != 0;
    }

    Node with(Checker value) {
      return new Node(start, token, next, nextBy, cached, op, isOld, mustLook, held, value);
    }

    Node with(Op value) {
      return new Node(start, token, next, nextBy, cached, value, false, mustLook, held, checker);
    }

    Node registered(int newToken, int newNext, int by) {
      return new Node(start, newToken, newNext, by, cached, op, isOld, mustLook, held, checker);
    }

    Node looked(int newCached, boolean holds) {
      return new Node(
          start, token, next, nextBy, newCached, op, isOld, false, held || holds, checker);
    }

    /** Somebody has taken the claim. */
    Node passedOver() {
      return new Node(start, token, next, nextBy, cached, op, op != Op.NONE, isUp(), held, checker);
    }

    Node started(int number) {
      return new Node(number, token, next, nextBy, 0, Op.NONE, false, false, false, Checker.IDLE);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Node that
          && start == that.start
          && token == that.token
          && next == that.next
          && nextBy == that.nextBy
          && cached == that.cached
          && op == that.op
          && isOld == that.isOld
          && mustLook == that.mustLook
          && held == that.held
          && checker.equals(that.checker);
    }

    @Override
    public int hashCode() {
      int bits = (isOld ? 1 : 0) + (mustLook ? 2 : 0) + (held ? 4 : 0) + 8 * op.hashCode();
      int numbers = start + 8 * (token + 8 * (next + 8 * (nextBy + 8 * cached)));
      return 31 * (31 * bits + numbers) + checker.hashCode();
    }

    @Override
    public String toString() {
      return !isThere()
          ? "absent"
          : (isUp() ? "start " + start : "down")
              + ", token "
              + token
              + (next == 0 ? "" : ", proposes " + next)
              + (op == Op.NONE ? "" : ", operation " + op)
              + (checker.at() == At.IDLE ? "" : ", " + checker.at());
    }
  }

  /** Where a look at the claim is; the steps are those of {@code Claims.check}. */
  enum At {
    IDLE,
    /** Has read who it is, and what its database knows. */
    READ,
    /** Has judged that the claim is to be taken. */
    TAKING,
    /** Has a proposal in its database. */
    PROPOSED,
    /** Has claimed. */
    CLAIMED,
    /** Has seen that the claim is its own and settled: may abort. */
    MAY_ABORT
  }

  /**
   * @param us the start of its server when it began
   * @param token what its database knew then
   * @param next as well
   * @param theirs the claim that it judged
   * @param proposal the token that it claims
   * @param objects whether it takes the claim back
   */
  record Checker(
      At at, int us, int token, int next, Claimed theirs, int proposal, boolean objects) {
    static final Claimed NOTHING = new Claimed(0, 0, 0, 0, false);
    static final Checker IDLE = new Checker(At.IDLE, 0, 0, 0, NOTHING, 0, false);
    static final Checker MAY_ABORT = new Checker(At.MAY_ABORT, 0, 0, 0, NOTHING, 0, false);

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Checker that
          && at == that.at
          && us == that.us
          && token == that.token
          && next == that.next
          && proposal == that.proposal
          && objects == that.objects
          && theirs.equals(that.theirs);
    }

    @Override
    public int hashCode() {
      int numbers = us + 8 * (token + 8 * (next + 8 * (proposal + (objects ? 8 : 0))));
      return 31 * (31 * at.hashCode() + numbers) + theirs.hashCode();
    }
  }

  ClaimWorld with(int index, Node node) {
    List<Node> changed = new ArrayList<>(nodes);
    changed.set(index, node);
    return new ClaimWorld(claim, List.copyOf(changed), tokens, starts, harm);
  }

  ClaimWorld draw() {
    return new ClaimWorld(claim, nodes, tokens + 1, starts, harm);
  }

  ClaimWorld start() {
    return new ClaimWorld(claim, nodes, tokens, starts + 1, harm);
  }

  ClaimWorld with(Harm value) {
    return new ClaimWorld(claim, nodes, tokens, starts, value);
  }

  ClaimWorld taken(Claimed value) {
    List<Node> changed = nodes.stream().map(Node::passedOver).toList();
    return new ClaimWorld(value, changed, tokens, starts, harm);
  }

  /** What began before the claim was taken is too late to commit by now. */
  ClaimWorld settle() {
    List<Node> changed =
        nodes.stream().map(node -> node.isOld() ? node.with(Op.NONE) : node).toList();
    Claimed settled =
        new Claimed(claim.token(), claim.previous(), claim.previousHolder(), claim.holder(), true);
    return new ClaimWorld(settled, changed, tokens, starts, harm);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ClaimWorld that
        && tokens == that.tokens
        && starts == that.starts
        && harm == that.harm
        && claim.equals(that.claim)
        && nodes.equals(that.nodes);
  }

  @Override
  public int hashCode() {
    int bits = tokens + 8 * starts + 64 * harm.hashCode();
    return 31 * (31 * bits + claim.hashCode()) + nodes.hashCode();
  }

  @Override
  public String toString() {
    return "claim: "
        + claim
        + "; original: "
        + nodes.get(0)
        + "; copies: "
        + nodes.subList(1, nodes.size())
        + (harm == Harm.NONE ? "" : "; " + harm);
  }
}
