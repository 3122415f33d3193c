package dev.holdfast.cli.recover;

import dev.holdfast.Holdfast;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The deciding database, for a command that is about to look after its participants. */
record Deciding(DataSource dataSource, String schema, TwoPhaseSettings settings) {

  Holdfast.Builder builder() {
    return Holdfast.on(dataSource).schema(schema).schemaManagedElsewhere().twoPhase(settings);
  }

  /** Nothing runs by itself meanwhile. */
  <T> T with(@Nullable Participant participant, Function<Holdfast, T> work) {
    Holdfast.Builder builder = builder();
    if (participant != null) {
      builder.participant(participant);
    }
    try (Holdfast holdfast = builder.manual().holdfast()) {
      return work.apply(holdfast);
    }
  }

  private List<Registration> registered() {
    return with(null, holdfast -> holdfast.store().decisions().participants());
  }

  /** Those that are registered, besides these. */
  List<Registration> besides(Set<String> named) {
    return registered().stream().filter(each -> !named.contains(each.name())).toList();
  }

  /** A sentence about them; empty when there are none. */
  String notNamed(Set<String> named) {
    StringBuilder text = new StringBuilder();
    for (Registration each : besides(named)) {
      text.append(
          "Participant %s, last seen at %s, is not named: what is prepared there is not looked at.%n"
              .formatted(each.name(), each.server().place()));
    }
    return text.toString();
  }

  /** A sentence about who could be named. */
  String known() {
    List<Registration> all = registered();
    return all.isEmpty()
        ? "None has taken part in an operation of this database yet."
        : "This database knows: "
            + String.join(
                ", ",
                all.stream().map(each -> each.name() + " at " + each.server().place()).toList())
            + ".";
  }
}
