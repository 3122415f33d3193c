package dev.holdfast.cli.relay;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.Credentials;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A relay's configuration file, in YAML. Everything may be left out; what the command line names
 * wins.
 *
 * @param kafka the producer's settings, passed through
 * @param channels topics by the name of their channel
 */
record RelayConfig(
    @Nullable Database database,
    @Nullable Map<String, Object> kafka,
    @Nullable Map<String, Channel> channels,
    @Nullable Tuning relay,
    @Nullable Health health) {

  static final RelayConfig EMPTY = new RelayConfig(null, null, null, null, null);

  private static final ObjectMapper YAML =
      new ObjectMapper(new YAMLFactory())
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .enable(com.fasterxml.jackson.core.JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  /** Where the outbox is. */
  record Database(
      @Nullable String url,
      @Nullable String user,
      @Nullable String password,
      @Nullable String schema) {

    /** Without the password. */
    @Override
    public String toString() {
      return "Database[" + (url == null ? "" : Credentials.mask(url)) + "]";
    }
  }

  /**
   * @param plain without Kafka transactions: faster, and at least once
   */
  record Channel(@Nullable List<String> topics, @Nullable Boolean plain) {}

  /** See {@link dev.holdfast.outbox.RelaySettings}. */
  record Tuning(
      @JsonProperty("lease_ms") @Nullable Integer leaseMs,
      @JsonProperty("page_records") @Nullable Integer pageRecords,
      @JsonProperty("page_bytes") @Nullable Integer pageBytes,
      @JsonProperty("longest_poll_ms") @Nullable Integer longestPollMs) {}

  /** Where it answers. */
  record Health(@Nullable Integer port) {}

  /**
   * @throws InvalidConfiguration when the file cannot be read or understood; it names the line
   */
  static RelayConfig read(Path file) {
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException e) {
      throw new InvalidConfiguration(
          "The configuration file %s cannot be read (%s). Nothing was started. Check the path and its permissions."
              .formatted(file, why(file, e)));
    }
    return parse(text, file.toString());
  }

  private static String why(Path file, IOException e) {
    if (e instanceof NoSuchFileException) {
      return "there is no such file";
    }
    if (e instanceof AccessDeniedException) {
      return "access is denied";
    }
    return Files.isDirectory(file) ? "it is a directory" : String.valueOf(e.getMessage());
  }

  static RelayConfig parse(String text, String name) {
    try (var parser = YAML.createParser(text)) {
      if (parser.nextToken() == null || parser.currentToken() == JsonToken.VALUE_NULL) {
        return EMPTY;
      }
      RelayConfig config = YAML.readValue(parser, RelayConfig.class);
      return config == null ? EMPTY : config;
    } catch (UnrecognizedPropertyException e) {
      throw new InvalidConfiguration(
          "%s, line %d: there is no setting '%s'. Nothing was started. Known here are %s."
              .formatted(
                  name,
                  line(text, e),
                  path(e),
                  e.getKnownPropertyIds().stream()
                      .map(Object::toString)
                      .sorted()
                      .collect(Collectors.joining(", "))));
    } catch (JsonProcessingException e) {
      throw new InvalidConfiguration(
          "%s, line %d: %s. Nothing was started.".formatted(name, line(text, e), problem(e)));
    } catch (IOException e) {
      throw new InvalidConfiguration(name + " cannot be read. Nothing was started.");
    }
  }

  private static String problem(JsonProcessingException e) {
    if (!(e instanceof JsonMappingException mapping)) {
      return Credentials.mask(e.getOriginalMessage().replaceAll("\\s*\n\\s*", " "));
    }
    return mapping.getPath().isEmpty()
        ? "there are no settings with a name, as in 'kafka: ...'"
        : "'" + path(mapping) + "' has a value of the wrong kind";
  }

  /** The line of the key; by the time of the error the parser has read on, often past it. */
  private static int line(String text, JsonProcessingException e) {
    JsonLocation location = e.getLocation();
    int seenLast = location == null ? 1 : location.getLineNr();
    if (!(e instanceof JsonMappingException mapping)) {
      return seenLast;
    }
    String pointer = "/" + path(mapping).replace('.', '/');
    try (var parser = YAML.createParser(text)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token == JsonToken.FIELD_NAME
            && parser.getParsingContext().pathAsPointer().toString().equals(pointer)) {
          return parser.currentTokenLocation().getLineNr();
        }
      }
    } catch (IOException unreadable) {
      return seenLast;
    }
    return seenLast;
  }

  private static String path(JsonMappingException e) {
    return e.getPath().stream()
        .map(
            step -> step.getFieldName() == null ? "[" + step.getIndex() + "]" : step.getFieldName())
        .collect(Collectors.joining("."));
  }
}
