package dev.holdfast.cli.demo;

import dev.holdfast.Holdfast;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The order and its entry in the ledger as one, decided by the orders' database. What an instance
 * leaves prepared when it is killed is ended by the other, or by its next start.
 */
final class WithTwoPhase implements Strategy {
  private static final Logger log = LoggerFactory.getLogger(WithTwoPhase.class);

  /**
   * Shorter than by default: what is in doubt when the orders' server dies keeps its accounts
   * locked for one and a half times {@code decideWithin}, and most of them are hot.
   */
  private static final TwoPhaseSettings SETTINGS =
      TwoPhaseSettings.DEFAULT
          .withLockTimeout(Duration.ofSeconds(1))
          .withDecideWithin(Duration.ofSeconds(2))
          .withRecoverAfter(Duration.ofMillis(200))
          .withRecoveryInterval(Duration.ofMillis(500));

  private final Participant ledger;
  private final Holdfast holdfast;

  WithTwoPhase(Wiring wiring) {
    this.ledger = Participant.of("ledger", wiring.ledger());
    this.holdfast = Holdfast.on(wiring.dataSource()).participant(ledger).twoPhase(SETTINGS).start();
  }

  @Override
  public void place(String orderId, String customer) {
    try {
      holdfast.atomically(
          holdfast.decider(),
          ledger,
          (inOrders, inLedger) -> {
            if (Orders.isPlaced(inOrders.connection(), orderId)) {
              return;
            }
            if (Orders.insert(inOrders.connection(), orderId, customer).isEmpty()) {
              throw new AlreadyPlaced();
            }
            Ledger.enter(inLedger.connection(), orderId, customer);
          });
    } catch (AlreadyPlaced e) {
      log.debug("order {} was placed before", orderId);
    }
  }

  @Override
  public void close() {
    holdfast.close();
  }

  /** Rolls back that the customer was given a number for it. */
  private static final class AlreadyPlaced extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
