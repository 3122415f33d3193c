package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "demo --help",
        "prove --help",
        "relay --help",
        "schema --help",
        "schema print --help",
        "outbox --help",
        "operation --help",
        "doctor --help",
        "recover --help",
        "reconcile --help",
        "guarantees --help",
        "advise --help",
        "outbox reanchor --help",
        "bench --help",
        "bench outbox --help",
        "bench inbox --help",
        "bench twophase --help",
        "bench workflow --help",
        "consumer --help",
        "consumer seek --help",
      })
  void everyCommandHelps(String line) {
    assertThat(Run.line(line).result()).contains("Usage: holdfast");
  }

  @Test
  void helpOfTheDemoSaysWhatItsFiguresMean() {
    assertThat(Run.of("demo", "--help").result())
        .contains("lost        orders without a message in Kafka, a shipment, or a ledger's entry")
        .contains("message, outages included; 0 when it was there before the commit");
  }

  @Test
  void versionIsThatOfTheBuild() {
    assertThat(Run.of("--version").result()).matches("(?s)holdfast [0-9]+\\..*");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "demo --kills many",
        "prove --seed many",
        "outbox",
        "outbox skip x",
        "outbox park",
        "bench",
        "bench outbox --what",
        "bench inbox --what",
        "bench twophase --what",
        "bench workflow --what",
        "consumer",
        "consumer pause",
        "operation",
        "doctor --max-lag soon",
        "recover --watch --list",
        "recover --claim",
        "recover --acknowledge x",
        "recover --participant ledger",
        "reconcile",
        "reconcile --table t --settle soon",
        "advise",
        "advise nonsense",
        "relay --what"
      })
  void wrongUseIsStatusTwo(String line) {
    Run run = Run.line(line);
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "demo --operations 5",
        "demo --kills 2000",
        "demo --strategies hope",
        "demo --json /nowhere/figures.json",
        "prove --strategies hope",
        "prove --carriers hope",
        "prove --replay before@2-1234",
        "prove --replay forked:before@2-1234:seed-many --strategies outbox",
        "prove --replay forked:before@2-1234:seed-1",
        "prove --replay forked:before@2-1234:seed-1 --strategies outbox --carriers fenced",
        "prove --json /nowhere/prove.json",
        "prove --html .",
        "schema status --database mysql://u:s3cret@h/d",
        "schema print --schema Not;Valid",
        "relay --config /nowhere/relay.yaml",
        "bench outbox",
        "bench workflow --java /nowhere",
      })
  void whatCannotBeDoneIsOneMessageAndStatusOne(String line) {
    assertThat(Run.line(line).error()).doesNotContain("s3cret");
  }

  @Test
  void debugShowsWhereItHappenedButNoPassword() {
    Run run = Run.of("schema", "status", "--debug", "--database", "mysql://u:s3cret@h/d");

    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("\tat dev.holdfast", "u:***@h").doesNotContain("s3cret");
  }
}
