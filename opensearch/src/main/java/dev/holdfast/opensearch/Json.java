package dev.holdfast.opensearch;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;

/** Writes and reads what the engine is asked and answers. */
final class Json {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Json() {}

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  static byte[] bytes(JsonNode node) {
    try {
      return MAPPER.writeValueAsBytes(node);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  static JsonNode read(byte[] bytes) throws IOException {
    JsonNode node = MAPPER.readTree(bytes);
    return node == null ? object() : node;
  }

  static ObjectNode readObject(String json) throws IOException {
    JsonNode node = MAPPER.readTree(json);
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw new IOException("it is no JSON object");
  }

  /**
   * Appends one object in one line, and nothing else: in a bulk request a second line would be
   * another order.
   *
   * @param more fields of Holdfast's own that it gets
   * @throws IOException when it is anything but one object, or has a field of Holdfast's own
   */
  static void copyObject(String json, ObjectNode more, ByteArrayOutputStream out)
      throws IOException {
    try (JsonParser parser = MAPPER.createParser(json);
        JsonGenerator generator =
            MAPPER.createGenerator(out).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("it is no JSON object");
      }
      generator.writeStartObject();
      int depth = 1;
      while (depth > 0) {
        JsonToken token = parser.nextToken();
        if (token == null) {
          throw new IOException("its JSON ends too early");
        }
        if (token.isStructStart()) {
          depth++;
        } else if (token.isStructEnd()) {
          depth--;
          if (depth == 0) {
            for (Map.Entry<String, JsonNode> field : more.properties()) {
              generator.writeFieldName(field.getKey());
              MAPPER.writeTree(generator, field.getValue());
            }
          }
        } else if (depth == 1
            && token == JsonToken.FIELD_NAME
            && parser.currentName().startsWith(Tombstone.PREFIX)) {
          throw new IOException(
              "it has the field %s, and names that begin so are Holdfast's own"
                  .formatted(parser.currentName()));
        }
        generator.copyCurrentEventExact(parser);
      }
      if (parser.nextToken() != null) {
        throw new IOException("there is something behind its JSON object");
      }
    }
  }
}
