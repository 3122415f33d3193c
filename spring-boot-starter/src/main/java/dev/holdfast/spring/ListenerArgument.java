package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.Transaction;
import java.lang.reflect.Parameter;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.springframework.core.GenericTypeResolver;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;

/**
 * What a listener method is called with for one of its parameters.
 *
 * @param type what a payload is read as
 * @param header the name of a header; empty for the others
 * @param required whether a message without the header is refused
 */
record ListenerArgument(
    Kind kind, Type type, String header, boolean required, @Nullable PayloadReader reader) {

  /** Where the value comes from. */
  enum Kind {
    MESSAGE("message itself"),
    TRANSACTION("transaction"),
    HEADER("header"),
    PAYLOAD("payload");

    private final String word;

    Kind(String word) {
      this.word = word;
    }

    String word() {
      return word;
    }
  }

  /** Read by its name, so that Spring's messaging need not be there. */
  private static final String HEADER_ANNOTATION =
      "org.springframework.messaging.handler.annotation.Header";

  private static final String HEADERS_ANNOTATION = HEADER_ANNOTATION + "s";

  /** In Spring's constant for "no default value", and in no value that is one. */
  private static final String NO_DEFAULT = "\uE000";

  static ListenerArgument of(
      String method,
      Class<?> bean,
      Parameter parameter,
      MessageKind<?> messages,
      @Nullable PayloadReader reader) {
    Type type = GenericTypeResolver.resolveType(parameter.getParameterizedType(), bean);
    if (messages.areSeveral()
        && parameter.getType() != messages.type()
        && parameter.getType() != Transaction.class) {
      throw ListenerMethod.refused(
          method,
          "takes what was polled at once, and a %s, of which each record has its own"
              .formatted(type.getTypeName()),
          "Take it from the records of the " + messages.typeName());
    }
    MergedAnnotation<?> header = MergedAnnotations.from(parameter).get(HEADER_ANNOTATION);
    if (header.isPresent()) {
      return header(method, parameter, header, type);
    }
    if (parameter.getType() == messages.type()) {
      requireBytes(method, type, messages);
      return new ListenerArgument(Kind.MESSAGE, type, "", true, null);
    }
    if (parameter.getType() == Transaction.class) {
      return new ListenerArgument(Kind.TRANSACTION, type, "", true, null);
    }
    if (parameter.getType().isPrimitive()) {
      throw ListenerMethod.refused(
          method,
          "takes a payload of the type %s, which has no value for a message without one"
              .formatted(type),
          "Take a " + messages.typeName() + ", a byte[], a String or an object");
    }
    if (isNoPayload(type) || MergedAnnotations.from(parameter).isPresent(HEADERS_ANNOTATION)) {
      throw ListenerMethod.refused(
          method,
          "takes a %s, which is not what comes here".formatted(type.getTypeName()),
          "Take a " + messages.typeName());
    }
    if (type != byte[].class && type != String.class && reader == null) {
      throw ListenerMethod.refused(
          method,
          "takes a payload of the type %s, which nothing here can read"
              .formatted(type.getTypeName()),
          "Add Jackson (spring-boot-starter-json), declare a bean of the type %s, or take a byte[], a String or a %s"
              .formatted(PayloadReader.class.getName(), messages.typeName()));
    }
    return new ListenerArgument(Kind.PAYLOAD, type, "", true, reader);
  }

  private static boolean areBytes(Type type) {
    return !(type instanceof ParameterizedType parameterized)
        || Arrays.stream(parameterized.getActualTypeArguments())
            .allMatch(
                argument ->
                    argument == byte[].class
                        || MessageKind.NO_PAYLOADS.contains(argument.getTypeName())
                        || (argument instanceof ParameterizedType && areBytes(argument)));
  }

  /** What others hand to listeners, or several of it at once. */
  private static boolean isNoPayload(Type type) {
    if (type instanceof ParameterizedType parameterized) {
      return isNoPayload(parameterized.getRawType())
          || Arrays.stream(parameterized.getActualTypeArguments())
              .anyMatch(ListenerArgument::isNoPayload);
    }
    return MessageKind.NO_PAYLOADS.contains(type.getTypeName());
  }

  private static ListenerArgument header(
      String method, Parameter parameter, MergedAnnotation<?> header, Type type) {
    String name = header.getString("name");
    if (name.isEmpty() && parameter.isNamePresent()) {
      name = parameter.getName();
    }
    if (name.isEmpty() || (type != String.class && type != byte[].class)) {
      throw ListenerMethod.refused(
          method,
          "has a @Header parameter " + (name.isEmpty() ? "without a name" : "of the type " + type),
          "Name the header in the annotation, and take a String or a byte[]");
    }
    if (!header.getString("defaultValue").contains(NO_DEFAULT)) {
      throw ListenerMethod.refused(
          method,
          "gives the @Header parameter " + name + " a default value, which is not supported",
          "Set required = false, and take null for what is missing");
    }
    return new ListenerArgument(Kind.HEADER, type, name, header.getBoolean("required"), null);
  }

  private static void requireBytes(String method, Type type, MessageKind<?> messages) {
    if (!areBytes(type)) {
      throw ListenerMethod.refused(
          method,
          "takes a " + type.getTypeName() + ", and records have bytes as they came",
          "Take a " + messages.typeName() + ", and the payload as a parameter of its own");
    }
  }

  <M> @Nullable Object of(Transaction tx, M message, MessageKind<M> messages) {
    return switch (kind) {
      case MESSAGE -> message;
      case TRANSACTION -> tx;
      case HEADER -> header(messages.header(message, header));
      case PAYLOAD -> payload(message, messages.payload(message));
    };
  }

  private @Nullable Object payload(Object message, byte @Nullable [] payload) {
    if (payload == null) {
      return null;
    }
    if (reader != null && type != byte[].class && type != String.class) {
      return reader.read(payload, type, message);
    }
    return as(payload);
  }

  private @Nullable Object header(@Nullable Object value) {
    if (value != null) {
      return as(value instanceof byte[] bytes ? bytes : value.toString().getBytes(UTF_8));
    }
    if (required) {
      throw new IllegalArgumentException("the message has no header " + header);
    }
    return null;
  }

  private Object as(byte[] bytes) {
    return type == String.class ? new String(bytes, UTF_8) : bytes;
  }
}
