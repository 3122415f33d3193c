package dev.holdfast.cli.guarantees;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.DatabaseOptions;
import dev.holdfast.cli.Json;
import dev.holdfast.cli.doctor.Examination;
import dev.holdfast.cli.relay.Servers;
import dev.holdfast.doctor.Finding;
import dev.holdfast.postgres.doctor.Limits;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code holdfast guarantees}. */
@Command(
    name = "guarantees",
    description = {
      "Says what this version promises, clause by clause, what each clause rests on, and what can"
          + " still go wrong. When servers are named they are asked, and what does not hold there is"
          + " taken away from the clauses. Changes nothing.",
      "Exit status: 0 fine, 1 a clause does not hold (with --strict: or is weakened), 3 a server did"
          + " not answer."
    })
public final class GuaranteesCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Mixin private DatabaseOptions database = new DatabaseOptions();

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description = "The brokers, as in bootstrap.servers; they are asked only when named.")
  private @Nullable String kafka;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A relay's YAML file, for the database, and the brokers with their settings.")
  private @Nullable Path config;

  @Option(names = "--strict", description = "Clauses that are weakened fail, too.")
  private boolean strict;

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Option(names = "--markdown", description = "Prints the page GUARANTEES.md.")
  private boolean markdown;

  @Override
  public Integer call() {
    if (json && markdown) {
      throw new InvalidConfiguration(
          "--json and --markdown do not go together. Nothing was done. Leave one out.");
    }
    List<Finding> findings = findings();
    if (markdown && !findings.isEmpty()) {
      throw new InvalidConfiguration(
          "--markdown prints the page of this version, which holds for no server in particular."
              + " Leave out the servers, or --markdown.");
    }
    Judgement judgement = Judgement.of(Sheets.all(), findings, strict);
    Attacks attacks = Attacks.load();
    spec.commandLine()
        .getOut()
        .print(
            markdown
                ? MarkdownPage.of(Sheets.all(), attacks)
                : json ? Json.text(judgement.json(attacks)) : judgement.text(!findings.isEmpty()));
    spec.commandLine().getOut().flush();
    return judgement.status();
  }

  /** Empty when no server is named. */
  private List<Finding> findings() {
    boolean named =
        database.database() != null
            || config != null
            || kafka != null
            || (!markdown && System.getenv("HOLDFAST_DATABASE") != null);
    return named
        ? Examination.of(Servers.of(config, database, kafka, System.getenv()))
            .examine(Limits.DEFAULT, null)
        : List.of();
  }
}
