package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.OutboxConformance;
import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Negative controls of {@link KafkaOutboxConformanceTest}: with a step of the protocol taken out,
 * the same tests find what goes wrong, and where.
 */
final class OutboxMutantsTest {
  private static final Pattern SNAPSHOT = Pattern.compile("from=(\\d+):(\\d+):[\\d,]*");
  private static final Pattern HIGHEST = Pattern.compile(" highest=(\\d+)");

  /** Fixed, since of some keys two share a lock; and no key is used twice. */
  private static final AtomicInteger SEEDS = new AtomicInteger(100);

  /** Does not wait long for what is lost. */
  private abstract static class Mutated extends KafkaOutbox {
    @Override
    protected Duration settling() {
      return Duration.ofSeconds(4);
    }
  }

  /** The outbox with another database. */
  private static KafkaOutbox onDatabase(UnaryOperator<DataSource> mutation) {
    return new Mutated() {
      @Override
      protected DataSource database(DataSource real) {
        return mutation.apply(real);
      }
    };
  }

  /** The outbox with another target. */
  private static KafkaOutbox toTarget(UnaryOperator<TargetSession> mutation) {
    record Mutant(Target target, UnaryOperator<TargetSession> mutation) implements WrappedTarget {
      @Override
      public TargetSession open(Context context) {
        return mutation.apply(target.open(context));
      }
    }
    return new Mutated() {
      @Override
      protected Target refusing(Target target) {
        return new Mutant(super.refusing(target), mutation);
      }
    };
  }

  private static RunReport find(
      KafkaOutbox mutant, BiConsumer<OutboxConformance, CrashLab> operation, Verdict verdict) {
    RunReport failure =
        mutant.firstFailure(
            operation, CrashLab.Options.defaults().withSeed(SEEDS.incrementAndGet()));
    assertThat(failure.findings())
        .as(failure.title())
        .extracting(Finding::verdict)
        .containsOnly(verdict);
    return failure;
  }

  private static void assertFound(
      KafkaOutbox mutant,
      BiConsumer<OutboxConformance, CrashLab> operation,
      Verdict verdict,
      Stage stage,
      String point) {
    RunReport failure = find(mutant, operation, verdict);
    CommitPoint at = Objects.requireNonNull(failure.faults().get(0).point());
    if (isTheRelaysCopy(at)) {
      return;
    }
    assertThat(failure.faults().get(0).stage()).as(failure.title()).isEqualTo(stage);
    assertThat(at.role().toString()).contains(point);
  }

  /**
   * The relay copies its progress by time. A crash there ends the operation too, wherever it has
   * come to, and so may find the mutant before the operation's own points do.
   */
  private static boolean isTheRelaysCopy(CommitPoint at) {
    String role = at.role().toString();
    return role.contains(".progress set") && role.contains("holdfast-relay");
  }

  /**
   * At a crash somewhere after a delivery. The relay copies its progress by time, and so may come
   * to that point before or after.
   */
  private static void assertFoundAfterDelivery(
      KafkaOutbox mutant, BiConsumer<OutboxConformance, CrashLab> operation, Verdict verdict) {
    RunReport failure = find(mutant, operation, verdict);
    assertThat(failure.trace())
        .as(failure.title())
        .filteredOn(point -> point.phase() == Phase.OPERATION)
        .extracting(point -> point.role().action())
        .contains("deliver");
  }

  @Test
  void aMessageThatIsRecordedAfterTheCommitIsLost() {
    assertFound(
        onDatabase(
            real ->
                RewrittenSql.of(
                    real,
                    (connection, sql) -> {
                      if (sql.contains("publish_and_record")) {
                        connection.commit();
                      }
                      return sql;
                    })),
        OutboxConformance::aRowAndItsMessage,
        Verdict.LOST,
        Stage.ACK_LOST,
        "commit (insert into conformance_order");
  }

  @Tag("long")
  @Test
  void progressThatIsRecordedBeforeTheMessagesAreCommittedLosesThem() {
    record ProgressFirst(TargetSession session) implements WrappedTarget.Session {
      @Override
      public Delivery send(List<OutboxRecord> messages, String progress) {
        Delivery first = session.send(List.of(), progress);
        return messages.isEmpty() || !(first instanceof Delivery.Done)
            ? first
            : session.send(messages, progress);
      }
    }
    assertFound(
        toTarget(ProgressFirst::new),
        OutboxConformance::aRowAndItsMessage,
        Verdict.LOST,
        Stage.BEFORE,
        "kafka: deliver");
  }

  @Tag("long")
  @Test
  void whatIsParkedAfterProgressHasMovedIsLost() {
    record ParksLate(TargetSession session) implements WrappedTarget.Session {
      @Override
      public Delivery send(List<OutboxRecord> messages, String progress) {
        Delivery delivery = session.send(messages, progress);
        if (delivery instanceof Delivery.Refused) {
          session.send(List.of(), progress);
        }
        return delivery;
      }
    }
    assertFound(
        toTarget(ParksLate::new),
        OutboxConformance::aRefusedMessageAndALaterOneOfItsKey,
        Verdict.LOST,
        Stage.BEFORE,
        "parked_message");
  }

  /** A window that a predecessor left half delivered is gone on with from its end. */
  private static final class Backwards implements WrappedTarget.Session {
    private final TargetSession session;
    private boolean insideWindow;

    Backwards(TargetSession session) {
      this.session = session;
    }

    @Override
    public TargetSession session() {
      return session;
    }

    @Override
    public Optional<String> progress() {
      Optional<String> record = session.progress();
      insideWindow = record.filter(text -> text.contains(" to=")).isPresent();
      return record;
    }

    @Override
    public Delivery send(List<OutboxRecord> messages, String progress) {
      List<OutboxRecord> sent = new ArrayList<>(messages);
      if (insideWindow) {
        Collections.reverse(sent);
      }
      return session.send(sent, progress);
    }
  }

  @Test
  void aRestOfAWindowThatIsSentBackwardsIsReordered() {
    assertFoundAfterDelivery(
        toTarget(Backwards::new), OutboxConformance::messagesOfTwoKeysInOrder, Verdict.REORDERED);
  }

  /** Progress as it is read back by a successor, in place of what was meant. */
  private static KafkaOutbox readingBack(String snapshot) {
    record Simplified(TargetSession session, String snapshot) implements WrappedTarget.Session {
      @Override
      public Delivery send(List<OutboxRecord> messages, String progress) {
        return session.send(messages, SNAPSHOT.matcher(progress).replaceAll(snapshot));
      }
    }
    return toTarget(session -> new Simplified(session, snapshot));
  }

  @Tag("long")
  @Test
  void theSnapshotsUpperEndAloneAsProgressLosesWhoeverCommitsLate() {
    assertFoundAfterDelivery(
        readingBack("from=$2:$2:"), OutboxConformance::aTransactionThatCommitsLate, Verdict.LOST);
  }

  @Tag("long")
  @Test
  void theSnapshotsLowerEndAloneAsProgressRepeatsWhatCameBeforeWhoeverCommitsLate() {
    assertFoundAfterDelivery(
        readingBack("from=$1:$1:"),
        OutboxConformance::aTransactionThatCommitsLate,
        Verdict.DUPLICATE);
  }

  /** As {@code where position > last} would read. */
  private static final class HighestPosition implements WrappedTarget.Session {
    private final TargetSession session;
    private long last;
    private long highest;

    HighestPosition(TargetSession session) {
      this.session = session;
    }

    @Override
    public TargetSession session() {
      return session;
    }

    @Override
    public Optional<String> progress() {
      Optional<String> record = session.progress();
      Matcher found = HIGHEST.matcher(record.orElse(""));
      last = found.find() ? Long.parseLong(found.group(1)) : 0;
      highest = last;
      return record;
    }

    @Override
    public Delivery send(List<OutboxRecord> messages, String progress) {
      List<OutboxRecord> after =
          messages.stream().filter(message -> message.position() > last).toList();
      for (OutboxRecord message : after) {
        highest = Math.max(highest, message.position());
      }
      return session.send(after, progress + " highest=" + highest);
    }
  }

  @Tag("long")
  @Test
  void theHighestPositionAsProgressLosesWhoeverCommitsLate() {
    assertFoundAfterDelivery(
        toTarget(HighestPosition::new),
        OutboxConformance::aTransactionThatCommitsLate,
        Verdict.LOST);
  }

  /** The park transaction looks at its lease, and a takeover need not wait for it. */
  @Test
  void aLeaseThatDoesNotConflictWithTheTakeoverLetsAPausedLeaderRepeatMessages() {
    KafkaOutbox mutant =
        onDatabase(
            real -> RewrittenSql.of(real, (connection, sql) -> sql.replace("for share", "")));
    assertThat(mutant.pausedWhileParking())
        .extracting(Finding::verdict)
        .contains(Verdict.DUPLICATE);
  }
}
