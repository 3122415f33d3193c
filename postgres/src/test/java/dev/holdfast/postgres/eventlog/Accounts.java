package dev.holdfast.postgres.eventlog;

import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.decider.Decider;
import dev.holdfast.jackson.JacksonCodec;
import java.util.List;

/** Accounts that are not overdrawn. */
final class Accounts {
  sealed interface Command {}

  record PayIn(int cents) implements Command {}

  record PayOut(int cents) implements Command {}

  record Close() implements Command {}

  sealed interface Event {}

  record PaidIn(int cents) implements Event {}

  record PaidOut(int cents) implements Event {}

  record Closed() implements Event {}

  record Account(int cents, boolean isClosed) {}

  static final class Overdrawn extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Overdrawn(int cents) {
      super("there are " + cents);
    }
  }

  static final Decider<Command, Event, Account> DECIDER =
      Decider.of("accounts", Command.class, Event.class, new Account(0, false))
          .decide(PayIn.class, (account, in) -> List.of(new PaidIn(in.cents())))
          .decide(
              PayOut.class,
              (account, out) -> {
                if (account.cents() < out.cents()) {
                  throw new Overdrawn(account.cents());
                }
                return List.of(new PaidOut(out.cents()));
              })
          .decide(
              Close.class,
              (account, close) ->
                  account.isClosed()
                      ? List.of()
                      : account.cents() == 0
                          ? List.of(new Closed())
                          : List.of(new PaidOut(account.cents()), new Closed()))
          .evolve(PaidIn.class, (account, in) -> new Account(account.cents() + in.cents(), false))
          .evolve(
              PaidOut.class, (account, out) -> new Account(account.cents() - out.cents(), false))
          .evolve(Closed.class, (account, closed) -> new Account(account.cents(), true))
          .build();

  static final EventTypes<Event> TYPES =
      EventTypes.of(Event.class)
          .type("paid-in", PaidIn.class)
          .type("paid-out", PaidOut.class)
          .type("closed", Closed.class)
          .build(new JacksonCodec());

  private Accounts() {}
}
