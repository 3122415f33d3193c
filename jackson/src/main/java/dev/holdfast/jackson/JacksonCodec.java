package dev.holdfast.jackson;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.holdfast.Codec;
import dev.holdfast.UnreadableData;

/**
 * Writes and reads with Jackson. Thread-safe. Dates are written as text, and maps in the order of
 * their keys: a start that is repeated is known by what was written. A property that a type does
 * not have is passed over, so that a type may lose one while runs of before are under way. Types
 * are never written: for one of several classes, name them by {@code JsonSubTypes}, and not by
 * their classes.
 */
public final class JacksonCodec implements Codec {
  private final ObjectMapper mapper;

  /** With a mapper of its own; what {@link java.util.ServiceLoader} makes. */
  public JacksonCodec() {
    this(
        JsonMapper.builder()
            .addModules(new JavaTimeModule(), new Jdk8Module())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .disable(SerializationFeature.FAIL_ON_ORDER_MAP_BY_INCOMPARABLE_KEY)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build());
  }

  /**
   * With the application's.
   *
   * @param mapper without default typing, which would read classes by names from the database
   */
  public JacksonCodec(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  @Override
  public String write(Object value) {
    try {
      return mapper.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new UnreadableData(
          "A value of type %s cannot be written as JSON (%s). It was not recorded. Give it what Jackson needs, or set a codec of your own."
              .formatted(value.getClass().getSimpleName(), e.getOriginalMessage()),
          e);
    }
  }

  @Override
  public <T> T read(String json, Class<T> type) {
    try {
      T value = mapper.readValue(json, type);
      if (value == null) {
        throw new UnreadableData(
            "JSON's null was read where a %s was expected.".formatted(type.getSimpleName()));
      }
      return value;
    } catch (JsonProcessingException e) {
      throw new UnreadableData(
          "What was recorded cannot be read as a %s (%s). It is left as it is. Let the type accept what was written before, or run the version that wrote it."
              .formatted(type.getSimpleName(), e.getOriginalMessage()),
          e);
    }
  }
}
