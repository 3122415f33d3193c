package dev.holdfast;

/**
 * Turns what workflows record, and events, into JSON and back. Thread-safe. One is found by {@link
 * java.util.ServiceLoader} when none is set, as that of {@code holdfast-jackson}.
 *
 * <p>What is written is read by later versions of the program, so it carries no names of Java
 * classes; what it is read as is what whoever reads says.
 */
public interface Codec {

  /**
   * @return a JSON document
   * @throws UnreadableData when the value cannot be written
   */
  String write(Object value);

  /**
   * @throws UnreadableData when the document does not describe a value of the type
   */
  <T> T read(String json, Class<T> type);
}
