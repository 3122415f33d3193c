package dev.holdfast.workflow;

import dev.holdfast.Codec;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.UnreadableData;
import dev.holdfast.internal.workflow.Export;
import dev.holdfast.internal.workflow.ExportJson;
import dev.holdfast.internal.workflow.Replayer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs today's functions against runs that were recorded, without a database, so that a test says
 * whether a changed function can go on with the runs that are under way:
 *
 * <pre>{@code
 * Replay.of(placeOrder).histories(Path.of("src/test/histories")).verify();
 * }</pre>
 *
 * <p>Every step is answered from the history, by the engine's own rules; no action, lookup or
 * compensation is called, and nothing is waited for. The function is stopped at the first step that
 * is not recorded. It differs from the history when it
 *
 * <ul>
 *   <li>asks for another step than the one that is recorded next, or comes to its end before all
 *       were asked for;
 *   <li>asks for one more step where the run has ended, or throws where it went on;
 *   <li>cannot read an input, a result or a signal as the type that it has today;
 *   <li>would undo a step that the history has left as it is, or not the one that it is undoing.
 * </ul>
 *
 * <p>What it does not see: a step of the same name that does something else now; what a run that is
 * under way will do behind its history; and the value that a function returns, which may be another
 * one as long as the recorded one can be read.
 *
 * <p>Histories come from {@link Workflows#export}. They hold what the runs were given and found.
 * Not thread-safe.
 */
public final class Replay {
  /** The largest file that is read. */
  private static final long BYTES_AT_MOST = 200_000_000;

  private static final int FILES_AT_MOST = 10_000;

  private final List<Workflow<?, ?>> definitions;
  private final List<Source> sources = new ArrayList<>();
  private @Nullable Codec codec;

  private record Source(String name, String json) {}

  /**
   * What a history has come to.
   *
   * @param source the file, or the run's id
   * @param difference what the function does otherwise; empty when it goes along with the history
   * @param then what it would do next, for people
   */
  public record Result(String source, Optional<String> difference, String then) {}

  private Replay(List<Workflow<?, ?>> definitions) {
    this.definitions = definitions;
  }

  /** Of several definitions, or versions of one, each history is run against its own. */
  public static Replay of(Workflow<?, ?>... definitions) {
    return new Replay(List.of(definitions));
  }

  /** What reads values; found on the class path when not set, as the library finds it. */
  public Replay codec(Codec value) {
    this.codec = value;
    return this;
  }

  /**
   * One file.
   *
   * @throws UncheckedIOException when it cannot be read
   */
  public Replay history(Path file) {
    try {
      if (Files.size(file) > BYTES_AT_MOST) {
        throw new UnreadableData(
            "%s is larger than the %,d bytes that are read of a history."
                .formatted(file, BYTES_AT_MOST));
      }
      sources.add(new Source(file.toString(), Files.readString(file)));
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One that {@link Workflows#export} has just returned. */
  public Replay historyText(String json) {
    sources.add(new Source("history " + (sources.size() + 1), json));
    return this;
  }

  /**
   * All files of a directory whose names end in {@code .json}, 10,000 at most; not of those below.
   *
   * @throws InvalidConfiguration when there is none: such a test would find nothing, ever
   * @throws UncheckedIOException when it cannot be read
   */
  public Replay histories(Path directory) {
    List<Path> files;
    try (Stream<Path> all = Files.list(directory)) {
      files =
          all.filter(file -> file.toString().endsWith(".json"))
              .sorted()
              .limit(FILES_AT_MOST + 1L)
              .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (files.isEmpty() || files.size() > FILES_AT_MOST) {
      throw new InvalidConfiguration(
          "%s has %s files that end in .json, and needs 1 to %,d histories to compare. Nothing was compared."
              .formatted(directory, files.isEmpty() ? "no" : "too many", FILES_AT_MOST));
    }
    files.forEach(this::history);
    return this;
  }

  /**
   * Runs each function once for each history, on this thread.
   *
   * @return in the order in which the histories were named
   */
  public List<Result> results() {
    Codec used = codec == null ? ServiceLoader.load(Codec.class).findFirst().orElse(null) : codec;
    if (used == null) {
      throw new InvalidConfiguration(
          "Histories are read by a codec, and there is none. Nothing was compared. Add dev.holdfast:holdfast-jackson, or set one with codec().");
    }
    return sources.stream().map(source -> result(source, used)).toList();
  }

  private Result result(Source source, Codec used) {
    Export export;
    try {
      export = ExportJson.read(source.json());
    } catch (UnreadableData e) {
      return new Result(source.name(), Optional.ofNullable(e.getMessage()), "nothing");
    }
    for (Workflow<?, ?> each : definitions) {
      if (each.name().equals(export.name()) && each.version() == export.version()) {
        Replayer.Outcome outcome = Replayer.replay(used, each, export);
        return new Result(source.name(), outcome.difference(), outcome.then());
      }
    }
    return new Result(
        source.name(),
        Optional.of(
            "It is a run of workflow %s %d, and there are %s to compare it with. A run stays with the version under which it was started: keep that one's definition as long as there are runs of it."
                .formatted(export.name(), export.version(), definitions)),
        "nothing");
  }

  /**
   * As {@link #results}.
   *
   * @throws AssertionError naming each history that differs, and how
   * @throws InvalidConfiguration when no history was named
   */
  public void verify() {
    if (sources.isEmpty()) {
      throw new InvalidConfiguration(
          "No history was named, so nothing was compared. Name one with history() or histories().");
    }
    String differences =
        results().stream()
            .filter(result -> result.difference().isPresent())
            .map(result -> "\n" + result.source() + ": " + result.difference().get())
            .collect(Collectors.joining());
    if (!differences.isEmpty()) {
      throw new AssertionError("Functions differ from what was recorded:" + differences);
    }
  }
}
