package dev.holdfast.cli;

import dev.holdfast.InvalidConfiguration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of commands that look at databases which take part in operations of another. */
public final class ParticipantOptions {
  @Option(
      names = "--participant",
      paramLabel = "NAME=URL",
      converter = Converter.class,
      description =
          "A database that takes part in operations across databases, under its name there; may be"
              + " repeated. The credentials are in HOLDFAST_PARTICIPANT_NAME_USER and"
              + " HOLDFAST_PARTICIPANT_NAME_PASSWORD (NAME in capitals, - as _), or those of the"
              + " database.")
  private List<Named> participants = new ArrayList<>();

  @Option(
      names = "--participant-schema",
      paramLabel = "NAME",
      description =
          "The schema of Holdfast's tables in these (default: "
              + DatabaseOptions.DEFAULT_SCHEMA
              + ").")
  private @Nullable String schema;

  /** A name and a URL, in which may be a password. */
  record Named(String name, String url) {
    @Override
    public String toString() {
      return name + "=" + Credentials.mask(url);
    }
  }

  /** Says what is expected, and not what was given. */
  static final class Converter implements ITypeConverter<Named> {
    private static final Pattern FORM = Pattern.compile("([a-z0-9_-]{1,30})=(.+)");

    @Override
    public Named convert(String value) {
      Matcher form = FORM.matcher(value);
      if (!form.matches()) {
        throw new TypeConversionException(
            "expected NAME=URL, and of NAME 1 to 30 of the characters a-z 0-9 _ -");
      }
      return new Named(form.group(1), form.group(2));
    }
  }

  /** By name, in the order in which they were given. */
  public Map<String, ParticipantAddress> addresses() {
    return addresses(System.getenv());
  }

  /** As {@link #addresses()}, of any environment. */
  Map<String, ParticipantAddress> addresses(Map<String, String> environment) {
    Map<String, ParticipantAddress> result = new LinkedHashMap<>();
    for (Named each : participants) {
      ParticipantAddress address =
          ParticipantAddress.of(
              each.name(),
              each.url(),
              schema == null ? DatabaseOptions.DEFAULT_SCHEMA : schema,
              environment);
      if (result.put(each.name(), address) != null) {
        throw new InvalidConfiguration(
            "--participant names %s twice. Nothing was done. Name each once."
                .formatted(each.name()));
      }
    }
    return result;
  }
}
