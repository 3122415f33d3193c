package dev.holdfast.cli.prove.twophase;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.internal.twophase.OwnerProtocol;
import dev.holdfast.internal.twophase.OwnerProtocol.Action;
import dev.holdfast.internal.twophase.OwnerProtocol.Event;
import dev.holdfast.internal.twophase.OwnerProtocol.State;
import dev.holdfast.internal.twophase.OwnerProtocol.Transition;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Probe;
import dev.holdfast.twophase.store.Gid;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The protocol, and what it is without one of its steps: that must be found out. */
enum Mutant {
  NONE("none", "the protocol as it is") {},
  DECISION_AFTER_PREPARE(
      "decision-after-prepare", "the decision's row is written after the branches are prepared") {
    @Override
    OwnerProtocol protocol() {
      List<Transition> table =
          new ArrayList<>(
              OwnerProtocol.STANDARD.table().stream()
                  .filter(
                      row ->
                          !(row.from() == State.WORKING && row.event() == Event.WORKED)
                              && !(row.from() == State.PREPARING
                                  && row.event() == Event.ALL_PREPARED)
                              && !(row.from() == State.DECIDING && row.event() == Event.WRITTEN))
                  .toList());
      table.add(new Transition(State.WORKING, Event.WORKED, Action.PREPARE_NEXT, State.PREPARING));
      table.add(
          new Transition(
              State.PREPARING, Event.ALL_PREPARED, Action.WRITE_DECISION, State.DECIDING));
      table.add(
          new Transition(State.DECIDING, Event.WRITTEN, Action.COMMIT_DECISION, State.COMMITTING));
      return new OwnerProtocol(table);
    }
  },
  LOOK_INSTEAD_OF_INSERT(
      "look-instead-of-insert", "whoever recovers reads the decision instead of inserting it") {
    @Override
    Map<Gid, Probe> answers(DecisionStore real, Collection<Gid> gids) {
      Map<Gid, Probe> result = new HashMap<>();
      for (Gid gid : gids) {
        boolean isForgotten =
            real.participant(gid.participant()).orElseThrow().cleaned() >= gid.serial();
        result.put(
            gid,
            real.operationOf(gid).isPresent()
                ? Probe.COMMITTED
                : isForgotten ? Probe.FORGOTTEN : Probe.ROLLED_BACK);
      }
      return result;
    }
  },
  FORGOTTEN_IS_ABORTED(
      "forgotten-is-aborted",
      "that there is no decision is taken for a rollback, although it may have been forgotten") {
    @Override
    Map<Gid, Probe> changed(Map<Gid, Probe> answers) {
      return answers.entrySet().stream()
          .collect(
              Collectors.toMap(
                  Map.Entry::getKey,
                  each ->
                      each.getValue() == Probe.FORGOTTEN ? Probe.ROLLED_BACK : each.getValue()));
    }
  };

  private final String id;
  private final String text;

  Mutant(String id, String text) {
    this.id = id;
    this.text = text;
  }

  String id() {
    return id;
  }

  /** For people. */
  String text() {
    return text;
  }

  OwnerProtocol protocol() {
    return OwnerProtocol.STANDARD;
  }

  /** What a probe answers when it does not ask as it should; null when it does. */
  @Nullable Map<Gid, Probe> answers(DecisionStore real, Collection<Gid> gids) {
    return null;
  }

  Map<Gid, Probe> changed(Map<Gid, Probe> answers) {
    return answers;
  }

  /** The deciding database as those see it who recover. */
  DecisionStore in(DecisionStore real) {
    if (this == NONE || this == DECISION_AFTER_PREPARE) {
      return real;
    }
    return (DecisionStore)
        Proxy.newProxyInstance(
            Mutant.class.getClassLoader(),
            new Class<?>[] {DecisionStore.class},
            (self, method, args) -> {
              try {
                if (method.getName().equals("probe")) {
                  probe(real, args);
                  return null;
                }
                return method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }

  @SuppressWarnings("unchecked")
  private void probe(DecisionStore real, Object[] args) {
    Collection<Gid> gids = (Collection<Gid>) args[0];
    DecisionStore.WhileProbing use = (DecisionStore.WhileProbing) args[2];
    Map<Gid, Probe> made = answers(real, gids);
    if (made != null) {
      use.accept(made);
    } else {
      real.probe(gids, (Duration) args[1], answers -> use.accept(changed(answers)));
    }
  }

  static Mutant named(String id) {
    return Arrays.stream(values())
        .filter(mutant -> mutant.id.equals(id))
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidConfiguration(
                    "There is no mutant '%s'. Nothing was started. There are %s."
                        .formatted(
                            id,
                            Arrays.stream(values())
                                .map(Mutant::id)
                                .collect(Collectors.joining(", ")))));
  }
}
