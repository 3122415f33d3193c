package dev.holdfast.cli.recover;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.Json;
import dev.holdfast.cli.ParticipantAddress;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.DecisionStore.Identity;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Has a participant obey this database, when a person has said so. */
final class ClaimOrder {
  private final Deciding here;
  private final Map<String, ParticipantAddress> named;
  private final PrintWriter questions;

  ClaimOrder(Deciding here, Map<String, ParticipantAddress> named, PrintWriter questions) {
    this.here = here;
    this.named = named;
    this.questions = questions;
  }

  int carryOut(String name, boolean yes, Consumer<String> out, boolean json) {
    ParticipantAddress address = named.get(name);
    if (address == null) {
      throw new InvalidConfiguration(
          "--claim names %s, and no --participant does, so nothing was done. Give --participant %s=URL."
              .formatted(name, name));
    }
    try (ParticipantAddress.Open open = address.open()) {
      Participant participant = open.participant();
      participant.branches().schema().verify();
      String obeyed = obeyed(participant);
      if (!yes && !confirm(participant, obeyed)) {
        throw new HoldfastException(
            "It was not confirmed, so nothing was done: participant %s obeys whom it obeyed. Answer yes, or give --yes."
                .formatted(name));
      }
      here.with(
          participant,
          holdfast -> {
            holdfast.twoPhase().claim(name);
            return true;
          });
      out.accept(
          json
              ? Json.text(Map.of("participant", name, "obeyed", obeyed, "claimed", true))
              : "Participant %s obeys this database now. What is in doubt there is ended by the next round: holdfast recover --participant %s=URL.%n"
                  .formatted(name, name));
      return 0;
    }
  }

  private String obeyed(Participant participant) {
    Identity us = here.with(null, holdfast -> holdfast.store().decisions().identity());
    Optional<Claim> claim = participant.branches().claim(us.storeId(), participant.name());
    return claim
        .map(
            each ->
                "the server at %s, started %s"
                    .formatted(each.holder().place(), each.holder().started()))
        .orElse("nobody");
  }

  private boolean confirm(Participant participant, String obeyed) {
    Identity us = here.with(null, holdfast -> holdfast.store().decisions().identity());
    questions.print(
        "Participant %s obeys %s. From now on it is to obey this one, at %s, started %s: what is not decided here is rolled back there, whatever another copy of this database has decided. Stop every other copy first.%nType yes to go on: "
            .formatted(participant, obeyed, us.server().place(), us.server().started()));
    questions.flush();
    try {
      String answer =
          new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())).readLine();
      return answer != null && answer.strip().equalsIgnoreCase("yes");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
