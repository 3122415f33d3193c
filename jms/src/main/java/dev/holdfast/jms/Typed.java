package dev.holdfast.jms;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The values that JMS allows in properties and maps, as a letter for the type and the value as text
 * behind it, or as bytes.
 */
final class Typed {
  private Typed() {}

  static byte[] write(@Nullable Object value) {
    if (value == null) {
      return utf8("N");
    }
    if (value instanceof byte[] bytes) {
      byte[] written = new byte[bytes.length + 1];
      written[0] = 'X';
      System.arraycopy(bytes, 0, written, 1, bytes.length);
      return written;
    }
    return utf8(letter(value) + value);
  }

  private static String letter(Object value) {
    if (value instanceof String) {
      return "S";
    } else if (value instanceof Boolean) {
      return "Z";
    } else if (value instanceof Byte) {
      return "B";
    } else if (value instanceof Short) {
      return "H";
    } else if (value instanceof Integer) {
      return "I";
    } else if (value instanceof Long) {
      return "J";
    } else if (value instanceof Float) {
      return "F";
    } else if (value instanceof Double) {
      return "D";
    } else if (value instanceof Character) {
      return "C";
    }
    throw KeptMessage.unkeepable("it holds a value of the type " + value.getClass().getName());
  }

  static @Nullable Object read(byte[] written) {
    if (written[0] == 'X') {
      return Arrays.copyOfRange(written, 1, written.length);
    }
    String text = text(written, 1);
    return switch (written[0]) {
      case 'N' -> null;
      case 'Z' -> Boolean.valueOf(text);
      case 'B' -> Byte.valueOf(text);
      case 'H' -> Short.valueOf(text);
      case 'I' -> Integer.valueOf(text);
      case 'J' -> Long.valueOf(text);
      case 'F' -> Float.valueOf(text);
      case 'D' -> Double.valueOf(text);
      case 'C' -> text.charAt(0);
      default -> text;
    };
  }

  static String text(byte[] bytes, int from) {
    return new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8);
  }

  /** Refuses half of a surrogate pair, which would come back as something else. */
  static byte[] utf8(String text) {
    try {
      ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      byte[] bytes = new byte[encoded.remaining()];
      encoded.get(bytes);
      return bytes;
    } catch (CharacterCodingException e) {
      throw KeptMessage.unkeepable("a text in it is no Unicode");
    }
  }
}
