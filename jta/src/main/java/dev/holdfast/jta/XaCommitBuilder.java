package dev.holdfast.jta;

import dev.holdfast.InvalidConfiguration;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Describes a coordinator; {@link #start} makes it. Not safe for use by several threads. */
public final class XaCommitBuilder {
  /**
   * What Narayana takes, and a table's name may hold. It replaces a name with a hyphen, or over 28
   * bytes, by one made of the process id, and only warns: after a restart nothing would be
   * recovered.
   */
  private static final Pattern NODE = Pattern.compile("[a-z0-9_]{1,28}");

  /** Narayana's own, which every process has that did not choose one. */
  private static final String DEFAULT_NODE = "1";

  private static final Duration LONGEST = Duration.ofHours(24);

  private final String node;
  private final List<XaParticipant<?>> participants = new ArrayList<>();
  private @Nullable Supplier<Log> log;
  private Duration timeout = Duration.ofMinutes(1);
  private Duration recoverEvery = Duration.ofMinutes(1);
  private int concurrency = 32;
  private boolean temporaryLog;

  XaCommitBuilder(String node) {
    if (node.equals(DEFAULT_NODE)) {
      throw new InvalidConfiguration(
          "The node identifier is '1', which every Narayana has that was not given one. Nothing was started: two such processes would roll back each other's branches. Choose one that no other process has, and that stays over restarts.");
    }
    if (!NODE.matcher(node).matches()) {
      throw new InvalidConfiguration(
          "The node identifier is '%s'. Nothing was started. It must be 1 to 28 lower-case letters, digits and underscores: Narayana replaces others, those with a hyphen among them, by one that changes with every start."
              .formatted(node));
    }
    this.node = node;
  }

  /**
   * Keeps decisions in files. The directory must last as long as the participants' data, and be
   * this process' alone; it is created when it is not there. One among temporary files or in memory
   * is refused, see {@link #allowTemporaryLog}.
   */
  public XaCommitBuilder logIn(Path directory) {
    this.log = () -> DirectoryLog.acquire(directory, node, temporaryLog);
    return this;
  }

  /**
   * For tests, whose participants do not last either: takes a directory among temporary files, or
   * in memory.
   */
  public XaCommitBuilder allowTemporaryLog() {
    this.temporaryLog = true;
    return this;
  }

  /**
   * Keeps decisions in a PostgreSQL database, in a table for this node identifier that is created
   * when it is not there: for containers, which keep no disk. A connection is kept for a lock on
   * the node identifier, so that the pool needs one more.
   *
   * @param dataSource commits with {@code synchronous_commit} on, and outside of any transaction
   */
  public XaCommitBuilder logIn(DataSource dataSource) {
    this.log = () -> DatabaseLog.acquire(dataSource, node);
    return this;
  }

  /** All places that transactions may commit in; recovery looks at all of them. */
  public XaCommitBuilder participants(XaParticipant<?>... those) {
    participants.addAll(List.of(those));
    return this;
  }

  /**
   * How long a transaction may take before it is rolled back; whole seconds, a minute unless set.
   */
  public XaCommitBuilder timeout(Duration duration) {
    this.timeout = seconds("timeout", duration);
    return this;
  }

  /** How often recovery looks for what is in doubt; whole seconds, a minute unless set. */
  public XaCommitBuilder recoverEvery(Duration duration) {
    this.recoverEvery = seconds("recoverEvery", duration);
    return this;
  }

  /** Connections to each participant for work at a time; 32 unless set. */
  public XaCommitBuilder concurrency(int connections) {
    if (connections < 1) {
      throw new InvalidConfiguration(
          "concurrency is %d, and must be at least 1. Nothing was started.".formatted(connections));
    }
    this.concurrency = connections;
    return this;
  }

  private static Duration seconds(String name, Duration duration) {
    if (duration.compareTo(Duration.ofSeconds(1)) < 0
        || duration.compareTo(LONGEST) > 0
        || !duration.equals(duration.truncatedTo(ChronoUnit.SECONDS))) {
      throw new InvalidConfiguration(
          "%s is %s, and must be whole seconds, up to a day. Nothing was started."
              .formatted(name, duration));
    }
    return duration;
  }

  /**
   * Takes the log, connects to every participant, and begins to recover. May be done again after
   * {@link XaCommit#close}, in one JVM with the same node identifier and log only.
   *
   * @throws InvalidConfiguration when a setting, a participant or the log cannot be used
   * @throws dev.holdfast.StoreUnavailable when a participant or the log's database cannot be
   *     reached
   */
  public XaCommit start() {
    Supplier<Log> chosen = log;
    if (chosen == null) {
      throw new InvalidConfiguration(
          "There is no place for the log of decisions. Nothing was started. Name a directory or a database with logIn.");
    }
    if (participants.isEmpty()) {
      throw new InvalidConfiguration("There are no participants. Nothing was started.");
    }
    Map<String, XaParticipant<?>> names = new LinkedHashMap<>();
    for (XaParticipant<?> participant : participants) {
      if (names.put(participant.name(), participant) != null) {
        throw new InvalidConfiguration(
            "Two participants are named %s. Nothing was started: nobody could tell their branches apart. Give each a name of its own."
                .formatted(participant.name()));
      }
    }
    Map<XaParticipant<?>, Link<?>> links = new LinkedHashMap<>();
    Log acquired = null;
    try {
      acquired = chosen.get();
      for (XaParticipant<?> participant : participants) {
        links.put(participant, participant.connect(concurrency));
      }
      List<Coordinator.Recoverer> recoverers =
          links.entrySet().stream()
              .map(each -> new Coordinator.Recoverer(each.getKey().name(), each.getValue()))
              .toList();
      return new XaCommit(
          Map.copyOf(links),
          acquired,
          Coordinator.start(node, acquired, timeout, recoverEvery, recoverers));
    } catch (RuntimeException e) {
      links.values().forEach(Link::close);
      if (acquired != null) {
        acquired.close();
      }
      throw e;
    }
  }
}
