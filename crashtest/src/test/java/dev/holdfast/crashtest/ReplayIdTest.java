package dev.holdfast.crashtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Problem;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a report prints runs the same again, and nothing else is taken for it. */
final class ReplayIdTest {
  private static final CrashLab.Options DEFAULTS = CrashLab.Options.defaults().withSeed(3);

  @Test
  void anIdSaysCarrierSeedAndSecondFault() {
    assertThat(DEFAULTS.withReplay("lost-ack:ack-lost@2-9c1e:seed-7"))
        .isEqualTo(
            new CrashLab.Options(
                Set.of(Carrier.LOST_ACK), 0, false, 7, "lost-ack:ack-lost@2-9c1e"));
    assertThat(DEFAULTS.withReplay("forked:ack-lost@1-00aa+before@1-1234"))
        .isEqualTo(
            new CrashLab.Options(
                Set.of(Carrier.FORKED), 1, true, 3, "forked:ack-lost@1-00aa+before@1-1234"));
    assertThat(DEFAULTS.withReplay("golden:seed-7"))
        .isEqualTo(new CrashLab.Options(Set.of(Carrier.FENCED), 0, false, 7, "golden"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "p2",
        "before@2-9c1e",
        "hope:before@2-9c1e:seed-7",
        "fenced:before@2-9c1e:seed-",
        "fenced:before@2-9c1e:seed-many",
        "fenced:before@2-9c1e:seed-99999999999999999999",
        "fenced:before @2",
      })
  void whatIsNoIdIsRefused(String text) {
    assertThatThrownBy(() -> DEFAULTS.withReplay(text))
        .isInstanceOfSatisfying(
            CrashLabException.class,
            refusal -> assertThat(refusal.problem().kind()).isEqualTo(Problem.Kind.UNKNOWN_REPLAY))
        .hasMessageContaining("is not the id of a run");
  }
}
