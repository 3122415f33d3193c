package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is promised follows from what is declared, and shrinks with what is found. */
final class GuaranteesTest {
  private static final Boundary STORE =
      new Declared("store", Acknowledgment.COMMITTED, Set.of(Capability.LOCAL_TRANSACTION));

  private record Declared(
      String description, Acknowledgment acknowledgment, Set<Capability> capabilities)
      implements Boundary {
    @Override
    public List<Assumption> assumptions() {
      return capabilities.contains(Capability.LOCAL_TRANSACTION)
          ? List.of(
              new Assumption(
                  "store.keeps",
                  Capability.LOCAL_TRANSACTION,
                  "It keeps it.",
                  Set.of("store.disk")))
          : List.of(new Assumption("target.keeps", null, "It keeps it.", Set.of("target.copies")));
    }
  }

  private static Guarantee outboxTo(Acknowledgment acknowledgment, Capability... capabilities) {
    return Guarantees.outbox(STORE, new Declared("target", acknowledgment, Set.of(capabilities)));
  }

  private static List<String> ids(Guarantee guarantee) {
    return guarantee.clauses().stream().map(Clause::id).toList();
  }

  private static Standing standing(Guarantee guarantee, String id, Finding... findings) {
    return guarantee.judge(List.of(findings)).stream()
        .filter(judged -> judged.clause().id().equals(id))
        .findFirst()
        .orElseThrow()
        .standing();
  }

  private static Finding found(Severity severity, String id) {
    return Finding.of(severity, id, "", "It is so.", "It means this.", "Do that.", Map.of());
  }

  @Test
  void progressCommittedWithTheMessageIsWhatMakesItComeOnce() {
    Guarantee marked =
        outboxTo(Acknowledgment.REPLICATED, Capability.PROGRESS_MARK, Capability.ORDER_PER_KEY);
    Guarantee plain = outboxTo(Acknowledgment.REPLICATED, Capability.ORDER_PER_KEY);

    assertThat(ids(marked))
        .contains("outbox.delivery.once", "outbox.recovery.zombie", "outbox.recovery.copies")
        .doesNotContain("outbox.delivery.repeats", "outbox.recovery.zombie-repeats");
    assertThat(ids(plain))
        .contains("outbox.delivery.repeats", "outbox.recovery.zombie-repeats")
        .doesNotContain("outbox.delivery.once", "outbox.recovery.zombie", "outbox.recovery.copies");
    assertThat(plain.risks()).anyMatch(risk -> risk.contains("clone of the database"));
  }

  @Test
  void orderIsPromisedWhereTheTargetKeepsItAndElseARisk() {
    assertThat(ids(outboxTo(Acknowledgment.COMMITTED, Capability.ORDER_PER_KEY)))
        .contains("outbox.order");
    Guarantee unordered = outboxTo(Acknowledgment.COMMITTED);
    assertThat(ids(unordered)).doesNotContain("outbox.order");
    assertThat(unordered.risks()).contains("target keeps no order, not even of one key.");
  }

  @Test
  void theWeakerTheAcknowledgmentTheGreaterTheRisk() {
    assertThat(outboxTo(Acknowledgment.COMMITTED).risks())
        .noneMatch(risk -> risk.contains("acknowledg"));
    assertThat(outboxTo(Acknowledgment.REPLICATED).risks())
        .anyMatch(risk -> risk.contains("in memory at least"));
    assertThat(outboxTo(Acknowledgment.ACCEPTED).risks())
        .anyMatch(risk -> risk.contains("may lose what it acknowledged"));
  }

  @Test
  void nothingCanBeRecordedWhereThereAreNoTransactions() {
    Boundary none = new Declared("mail", Acknowledgment.ACCEPTED, Set.of());

    assertThatThrownBy(() -> Guarantees.outbox(none, STORE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("mail has no local transactions");
    assertThatThrownBy(() -> Guarantees.localTransaction(none))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whoCannotPrepareFollowsNobodysDecision() {
    assertThatThrownBy(
            () ->
                Guarantees.twoPhase(
                    STORE,
                    new Declared("plain", Acknowledgment.COMMITTED, Set.of(LOCAL_TRANSACTION))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("plain cannot prepare");

    Boundary other =
        new Declared(
            "other", Acknowledgment.COMMITTED, Set.of(LOCAL_TRANSACTION, Capability.PREPARE));
    Guarantee sheet = Guarantees.twoPhase(STORE, other);
    assertThat(sheet.between()).containsExactly(STORE, other);
    assertThat(sheet.resolution()).isEqualTo(Resolution.TWO_PHASE_COMMIT);
    assertThat(sheet.resolution().carriedOut()).isTrue();
    // The decision's part is the first one's, and recovery is needed where branches are prepared.
    assertThat(sheet.clauses())
        .filteredOn(clause -> clause.boundary().equals("other"))
        .extracting(Clause::id)
        .contains("twophase.recovery.anybody", "twophase.locks")
        .doesNotContain("twophase.atomicity");
  }

  @Test
  void theWorstAnswerDecidesAndOnlyForWhatRestsOnIt() {
    Guarantee outbox = outboxTo(Acknowledgment.REPLICATED, Capability.ORDER_PER_KEY);
    String delivered = "outbox.delivery.none-lost";

    assertThat(standing(outbox, delivered)).isEqualTo(Standing.ASSUMED);
    Finding disk = found(Severity.OK, "store.disk");
    assertThat(standing(outbox, delivered, disk)).isEqualTo(Standing.ASSUMED);
    assertThat(standing(outbox, delivered, disk, found(Severity.OK, "target.copies")))
        .isEqualTo(Standing.HOLDS);
    assertThat(
            standing(
                outbox,
                delivered,
                disk,
                found(Severity.OK, "target.copies"),
                found(Severity.WARN, "target.copies")))
        .isEqualTo(Standing.WEAKENED);
    Finding broken = found(Severity.FAIL, "target.copies");
    assertThat(standing(outbox, delivered, disk, broken)).isEqualTo(Standing.DOES_NOT_HOLD);
    assertThat(standing(outbox, "outbox.atomicity", disk, broken)).isEqualTo(Standing.HOLDS);
    assertThat(standing(outbox, delivered, disk, found(Severity.UNKNOWN, "target.connection")))
        .isEqualTo(Standing.NOT_KNOWN);
  }

  @Test
  void whatTakesSomethingAwayIsNamed() {
    Finding broken = found(Severity.FAIL, "store.disk");

    assertThat(
            Guarantees.localTransaction(STORE)
                .judge(List.of(broken, found(Severity.FAIL, "other"))))
        .filteredOn(judged -> judged.clause().id().equals("transact.atomicity"))
        .singleElement()
        .satisfies(judged -> assertThat(judged.because()).containsExactly(broken));
  }

  @Test
  void clausesHaveIdsOfTheirOwn() {
    Guarantee outbox = outboxTo(Acknowledgment.REPLICATED, Capability.PROGRESS_MARK);
    assertThat(ids(outbox)).doesNotHaveDuplicates();
    assertThat(outbox.assumptions()).doesNotHaveDuplicates();
  }

  @Test
  void whatDropsRepeatsIsPromisedForAsLongAsItIsDeclared() {
    Boundary remembering =
        new Boundary() {
          @Override
          public String description() {
            return "target";
          }

          @Override
          public Set<Capability> capabilities() {
            return Set.of(Capability.DEDUPLICATION);
          }

          @Override
          public Acknowledgment acknowledgment() {
            return Acknowledgment.PERSISTED;
          }

          @Override
          public List<Assumption> assumptions() {
            return List.of(
                new Assumption("target.remembers", Capability.DEDUPLICATION, "It does.", Set.of()));
          }

          @Override
          public Optional<Duration> window(Capability capability) {
            return Optional.of(Duration.ofMinutes(7));
          }
        };
    Guarantee sheet = Guarantees.outbox(STORE, remembering);

    assertThat(sheet.clauses())
        .filteredOn(clause -> clause.id().equals("outbox.delivery.deduplicated"))
        .singleElement()
        .satisfies(
            clause -> {
              assertThat(clause.text()).contains("within 7 min of the first");
              assertThat(clause.assumes()).extracting(Assumption::id).contains("target.remembers");
            });
    assertThat(ids(sheet)).as("it comes again all the same").contains("outbox.delivery.repeats");
    assertThat(ids(outboxTo(Acknowledgment.PERSISTED)))
        .doesNotContain("outbox.delivery.deduplicated");
  }

  @Test
  void whatAReceiverRestsOnIsWhatItsClientsAreAssumedToDo() {
    Guarantee receiver =
        Guarantees.receiver(new Declared("clients", Acknowledgment.ACCEPTED, Set.of()), STORE);

    assertThat(receiver.name()).isEqualTo("receiver from clients to store");
    assertThat(receiver.between()).extracting(Boundary::kind).containsExactly("clients", "store");
    assertThat(rests(receiver, "receiver.once")).contains("store.keeps", "target.keeps");
    assertThat(rests(receiver, "receiver.atomicity")).containsExactly("store.keeps");
    assertThat(ids(receiver)).doesNotHaveDuplicates().contains("inbox.bounded", "inbox.stuck");
  }

  @Test
  void aQueueThatCannotMoveAMessageInOneCommitMayHaveItTwiceWhenItIsGivenUp() {
    Guarantee moving =
        Guarantees.listener(
            new Declared("queue", Acknowledgment.PERSISTED, Set.of(Capability.LOCAL_TRANSACTION)),
            STORE);
    Guarantee copying =
        Guarantees.listener(new Declared("queue", Acknowledgment.PERSISTED, Set.of()), STORE);

    assertThat(copying.risks()).anyMatch(risk -> risk.contains("may leave it in both"));
    assertThat(moving.risks()).noneMatch(risk -> risk.contains("may leave it in both"));
    assertThat(rests(copying, "listener.once")).contains("target.keeps");
    assertThat(ids(copying)).doesNotHaveDuplicates().doesNotContain("inbox.once");
  }

  private static List<String> rests(Guarantee guarantee, String id) {
    return guarantee.clauses().stream()
        .filter(clause -> clause.id().equals(id))
        .flatMap(clause -> clause.assumes().stream())
        .map(Assumption::id)
        .toList();
  }
}
