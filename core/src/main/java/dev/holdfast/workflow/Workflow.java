package dev.holdfast.workflow;

import dev.holdfast.InvalidConfiguration;
import java.util.regex.Pattern;

/**
 * A workflow's definition: a name, a version, and the function. Thread-safe; made once, and given
 * to every process that is to run it.
 *
 * <p>The function is run again from its beginning whenever a run is taken up, with the results of
 * its steps as they are recorded. So between steps it computes nothing that could come out
 * otherwise: no clock, no randomness, nothing read from elsewhere; and it has no effects of its
 * own.
 *
 * @param <I> the input's type
 * @param <O> the result's type
 */
public final class Workflow<I, O> {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,99}");

  private final String name;
  private final int version;
  private final Class<I> input;
  private final Class<O> output;
  private final Body<I, O> body;

  /** The function of a workflow. */
  @FunctionalInterface
  public interface Body<I, O> {
    /**
     * @throws Exception to give the operation up: what was done is undone
     */
    O run(Flow flow, I input) throws Exception;
  }

  private Workflow(String name, int version, Class<I> input, Class<O> output, Body<I, O> body) {
    this.name = name;
    this.version = version;
    this.input = input;
    this.output = output;
    this.body = body;
  }

  /**
   * Defines a workflow. A run stays with the version under which it was started; a process may run
   * several.
   *
   * @param name 1 to 100 of {@code a-z 0-9 . _ -}; goes to the database, so keep it stable
   * @param version from 1; raise it when steps change while runs are under way
   * @throws InvalidConfiguration when the name or the version cannot be used
   */
  public static <I, O> Workflow<I, O> define(
      String name, int version, Class<I> input, Class<O> output, Body<I, O> body) {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidConfiguration(
          "The workflow's name is \"%s\", and must be 1 to 100 of the characters a-z 0-9 . _ -, beginning with a letter or a digit. Nothing was defined."
              .formatted(name));
    }
    if (version < 1) {
      throw new InvalidConfiguration(
          "The version of workflow %s is %d, and must be 1 or more. Nothing was defined."
              .formatted(name, version));
    }
    return new Workflow<>(name, version, input, output, body);
  }

  public String name() {
    return name;
  }

  public int version() {
    return version;
  }

  public Class<I> input() {
    return input;
  }

  public Class<O> output() {
    return output;
  }

  public Body<I, O> body() {
    return body;
  }

  @Override
  public String toString() {
    return name + " " + version;
  }
}
