package dev.holdfast.crashtest.twophase;

import dev.holdfast.crashtest.model.Model;
import dev.holdfast.crashtest.model.Property;
import dev.holdfast.crashtest.model.Step;
import dev.holdfast.crashtest.twophase.ClaimWorld.At;
import dev.holdfast.crashtest.twophase.ClaimWorld.Checker;
import dev.holdfast.crashtest.twophase.ClaimWorld.Claimed;
import dev.holdfast.crashtest.twophase.ClaimWorld.Harm;
import dev.holdfast.crashtest.twophase.ClaimWorld.Node;
import dev.holdfast.crashtest.twophase.ClaimWorld.Op;
import dev.holdfast.internal.twophase.ClaimProtocol.Verdict;
import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import dev.holdfast.twophase.store.Server;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An original and its copies claim one participant. Judged by the code's own method; proposing,
 * claiming and confirming are steps as in {@code Claims}, and a process may die between any two.
 *
 * <p>Time is what the code relies on and nothing else: when a claim settles, every operation whose
 * decision was written before the claim was taken is too late to commit, and the process of every
 * server that runs has looked at the claim meanwhile. A server has one such process here: that
 * another one acts on an older verdict is not seen.
 */
final class ClaimModel implements Model<ClaimWorld> {

  /**
   * How large the world is.
   *
   * @param copies how many copies can be made
   * @param ofCopies whether copies are copied as well
   * @param whileProposing whether a copy can be made while its origin has a proposal open
   * @param restarts whether copies are restarted; the original is in any case
   * @param tokens how many tokens are drawn at most
   * @param starts how often a server is started at most
   */
  record Scope(
      int copies,
      boolean ofCopies,
      boolean whileProposing,
      boolean restarts,
      int tokens,
      int starts) {}

  private final Scope scope;
  private final ClaimRules rules;

  ClaimModel(Scope scope, ClaimRules rules) {
    this.scope = scope;
    this.rules = rules;
  }

  @Override
  public List<ClaimWorld> initial() {
    List<Node> nodes = new ArrayList<>();
    nodes.add(new Node(1, 1, 0, 0, 1, Op.NONE, false, false, true, Checker.IDLE));
    nodes.addAll(Collections.nCopies(scope.copies(), Node.ABSENT));
    Claimed claim = new Claimed(1, 0, 0, 1, true);
    return List.of(new ClaimWorld(claim, List.copyOf(nodes), 1, 1, Harm.NONE));
  }

  @Override
  public List<Property<ClaimWorld>> properties() {
    return List.of(
        Property.always(
            "never two that may abort",
            world ->
                world.nodes().stream().filter(node -> node.checker().at() == At.MAY_ABORT).count()
                    < 2),
        Property.always(
            "a copy never aborts while an operation of the original can commit",
            world -> world.harm() != Harm.COPY_ABORTED_THE_ORIGINALS),
        Property.always(
            "an original that runs on is not locked out",
            world -> world.harm() != Harm.ORIGINAL_LOCKED_OUT));
  }

  @Override
  public List<Step<ClaimWorld>> steps(ClaimWorld from) {
    List<Step<ClaimWorld>> steps = new ArrayList<>();
    if (from.harm() != Harm.NONE) {
      return steps;
    }
    for (int i = 0; i < from.nodes().size(); i++) {
      if (from.nodes().get(i).isUp()) {
        operation(from, i, steps);
        check(from, i, steps);
      }
      server(from, i, steps);
    }
    settle(from, steps);
    return steps;
  }

  private static String name(int index) {
    return index == 0 ? "original" : "copy " + index;
  }

  private static void operation(ClaimWorld world, int index, List<Step<ClaimWorld>> into) {
    Node node = world.nodes().get(index);
    String who = name(index) + ": an operation ";
    switch (node.op()) {
      case NONE -> {
        if (node.cached() != 0) {
          into.add(
              Step.fault(who + "writes its decision", world.with(index, node.with(Op.DECIDING))));
        }
      }
      case DECIDING -> {
        if (node.cached() == world.claim().token()) {
          Node prepared =
              new Node(
                  node.start(),
                  node.token(),
                  node.next(),
                  node.nextBy(),
                  node.cached(),
                  Op.PREPARED,
                  node.isOld(),
                  node.mustLook(),
                  node.held(),
                  node.checker());
          into.add(
              Step.progress(
                  who + "prepares under token " + node.cached(), world.with(index, prepared)));
        } else {
          into.add(
              Step.progress(
                  who + "is refused: the token is stale", world.with(index, node.with(Op.NONE))));
        }
      }
      case PREPARED ->
          into.add(Step.progress(who + "is over", world.with(index, node.with(Op.NONE))));
    }
  }

  private void check(ClaimWorld world, int index, List<Step<ClaimWorld>> into) {
    Node node = world.nodes().get(index);
    Checker checker = node.checker();
    String who = name(index) + ": ";
    if (checker.at() != At.IDLE) {
      into.add(Step.fault(who + "the process dies", world.with(index, node.with(Checker.IDLE))));
    }
    switch (checker.at()) {
      case IDLE ->
          into.add(
              Step.progress(
                  who + "looks who it is, and what it has registered",
                  world.with(index, node.with(read(node)))));
      case READ -> judge(world, index, into);
      case TAKING -> propose(world, index, into);
      case PROPOSED -> claim(world, index, into);
      case CLAIMED -> {
        Node confirmed = confirm(node, checker.proposal());
        into.add(
            Step.progress(
                who + "confirms token " + checker.proposal(),
                world.with(index, confirmed.with(read(confirmed)))));
      }
      case MAY_ABORT -> abort(world, index, into);
    }
  }

  private static Checker read(Node node) {
    return new Checker(At.READ, node.start(), node.token(), node.next(), Checker.NOTHING, 0, false);
  }

  private static Node confirm(Node node, int token) {
    return node.next() == token || node.token() == token ? node.registered(token, 0, 0) : node;
  }

  private void judge(ClaimWorld world, int index, List<Step<ClaimWorld>> into) {
    Node node = world.nodes().get(index);
    Checker checker = node.checker();
    Claimed theirs = world.claim();
    Verdict verdict = rules.judge(registration(checker), claim(theirs), server(checker.us()));
    String label = name(index) + ": looks at the claim: " + verdict;
    switch (verdict) {
      case HELD, SETTLING -> {
        Node looked = node.looked(theirs.token(), theirs.holder() == checker.us());
        Node known = theirs.token() == checker.next() ? confirm(looked, theirs.token()) : looked;
        Checker next = verdict == Verdict.HELD ? Checker.MAY_ABORT : Checker.IDLE;
        into.add(Step.progress(label, world.with(index, known.with(next))));
      }
      case REFUSED -> {
        ClaimWorld to = world.with(index, node.looked(0, false).with(Checker.IDLE));
        boolean isHarm = index == 0 && node.held() && checker.us() == node.start();
        into.add(Step.progress(label, isHarm ? to.with(Harm.ORIGINAL_LOCKED_OUT) : to));
      }
      case RENEW, OBJECT ->
          into.add(
              Step.progress(
                  label,
                  world.with(
                      index,
                      node.with(
                          new Checker(
                              At.TAKING,
                              checker.us(),
                              checker.token(),
                              checker.next(),
                              theirs,
                              0,
                              verdict == Verdict.OBJECT)))));
      case CLAIM -> throw new IllegalStateException("It is claimed from the first.");
    }
  }

  private void propose(ClaimWorld world, int index, List<Step<ClaimWorld>> into) {
    Checker checker = world.nodes().get(index).checker();
    Node node = world.nodes().get(index);
    int current = checker.token();
    if (checker.next() != 0 && checker.next() == checker.theirs().token()) {
      // Claimed by a process that died before it said so.
      current = checker.next();
      node = confirm(node, current);
    }
    boolean isOpen = node.next() != 0 && rules.takesUpProposal(node.nextBy(), checker.us());
    boolean isFresh = !isOpen && node.token() == current;
    if (isFresh && world.tokens() == scope.tokens()) {
      return;
    }
    ClaimWorld drawn = isFresh ? world.draw() : world;
    Node proposed = isFresh ? node.registered(node.token(), drawn.tokens(), checker.us()) : node;
    int proposal = proposed.next() != 0 ? proposed.next() : proposed.token();
    into.add(
        Step.progress(
            name(index) + ": proposes token " + proposal,
            drawn.with(
                index,
                proposed.with(
                    new Checker(
                        At.PROPOSED,
                        checker.us(),
                        checker.token(),
                        checker.next(),
                        checker.theirs(),
                        proposal,
                        checker.objects())))));
  }

  private void claim(ClaimWorld world, int index, List<Step<ClaimWorld>> into) {
    Node node = world.nodes().get(index);
    Checker checker = node.checker();
    String who = name(index) + ": ";
    if (world.claim().token() != checker.theirs().token()) {
      into.add(
          Step.progress(
              who + "finds that another was faster", world.with(index, node.with(read(node)))));
      return;
    }
    Claimed taken =
        rules.take(
            checker.objects() ? Verdict.OBJECT : Verdict.RENEW,
            checker.theirs(),
            checker.proposal(),
            checker.us());
    Checker next =
        new Checker(At.CLAIMED, checker.us(), 0, 0, Checker.NOTHING, checker.proposal(), false);
    ClaimWorld to = world.taken(taken);
    into.add(
        Step.progress(who + "claims: " + taken, to.with(index, to.nodes().get(index).with(next))));
  }

  private static void abort(ClaimWorld world, int index, List<Step<ClaimWorld>> into) {
    Node node = world.nodes().get(index);
    String who = name(index) + ": ";
    into.add(
        Step.progress(
            who + "has looked after what is prepared", world.with(index, node.with(Checker.IDLE))));
    for (int i = 0; i < world.nodes().size(); i++) {
      Node other = world.nodes().get(i);
      if (i != index && other.op() == Op.PREPARED) {
        // A copy's own operations are not protected from the original.
        into.add(
            Step.progress(
                who + "knows nothing of the operation of the " + name(i) + ": ROLLBACK PREPARED",
                i == 0
                    ? world.with(Harm.COPY_ABORTED_THE_ORIGINALS)
                    : world.with(i, other.with(Op.NONE))));
      }
    }
  }

  private void server(ClaimWorld world, int index, List<Step<ClaimWorld>> into) {
    Node node = world.nodes().get(index);
    String who = name(index) + ": ";
    boolean canStart = world.starts() < scope.starts();
    if (!node.isThere() && canStart) {
      for (int i = 0; i < (scope.ofCopies() ? index : Math.min(index, 1)); i++) {
        Node origin = world.nodes().get(i);
        if (origin.isThere() && (origin.next() == 0 || scope.whileProposing())) {
          ClaimWorld to = world.start();
          into.add(
              Step.fault(
                  who + "is made of the " + name(i) + ", start " + to.starts(),
                  to.with(index, origin.started(to.starts()))));
        }
      }
    }
    boolean stops = index == 0 || scope.restarts();
    if (node.isUp() && stops) {
      into.add(Step.fault(who + "the server stops", world.with(index, node.started(0))));
    }
    if (node.isThere() && !node.isUp() && canStart) {
      ClaimWorld to = world.start();
      into.add(
          Step.fault(
              who + "the server is started, start " + to.starts(),
              to.with(index, node.started(to.starts()))));
    }
  }

  private void settle(ClaimWorld world, List<Step<ClaimWorld>> into) {
    if (world.claim().settled()) {
      return;
    }
    for (Node node : world.nodes()) {
      if (node.isUp() && node.mustLook() && node.start() != world.claim().holder()) {
        return;
      }
    }
    into.add(Step.progress("the claim settles", world.settle()));
  }

  private static Registration registration(Checker checker) {
    return new Registration(
        "ledger",
        server(0),
        uuid(checker.token()),
        checker.next() == 0 ? null : uuid(checker.next()),
        0);
  }

  private static Claim claim(Claimed claimed) {
    boolean replaces = claimed.previous() != 0;
    return new Claim(
        uuid(claimed.token()),
        replaces ? uuid(claimed.previous()) : null,
        replaces ? started(claimed.previousHolder()) : null,
        server(claimed.holder()),
        claimed.settled() ? Duration.ZERO : Duration.ofSeconds(1));
  }

  private static UUID uuid(int token) {
    return new UUID(0, token);
  }

  private static @Nullable String started(int start) {
    return "start " + start;
  }

  private static Server server(int start) {
    return new Server("system", "orders", 1, "127.0.0.1:5432", "start " + start);
  }
}
