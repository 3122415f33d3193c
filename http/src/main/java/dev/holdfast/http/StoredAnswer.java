package dev.holdfast.http;

import dev.holdfast.inbox.Reply;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An answer as an inbox keeps it: version, status, headers, body. What belongs to one connection or
 * one moment is not kept, and neither are cookies and challenges, which are credentials.
 */
final class StoredAnswer {
  static final String CONTENT_TYPE = "application/vnd.holdfast.http-answer";

  private static final int VERSION = 1;
  private static final int MAX_HEADERS = 64;
  private static final int MAX_HEADER_CHARS = 16 * 1024;

  /** What the answer may take besides its body: a header's characters are three bytes at most. */
  static final int MAX_BODY_BYTES = Reply.MAX_BYTES - 64 * 1024;

  private static final Set<String> NOT_KEPT =
      Set.of(
          "connection",
          "content-length",
          "date",
          "keep-alive",
          "proxy-authenticate",
          "proxy-authentication-info",
          "authentication-info",
          "server",
          "set-cookie",
          "set-cookie2",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade",
          "www-authenticate");

  private StoredAnswer() {}

  /**
   * @throws ResponseTooLarge when it is over a bound
   */
  static Reply encode(Answer answer, int maxBodyBytes) {
    if (answer.body().length > maxBodyBytes) {
      throw new ResponseTooLarge(
          "The response has more than %,d bytes, the bound for what is stored."
              .formatted(maxBodyBytes));
    }
    Map<String, List<String>> kept = new TreeMap<>();
    int chars = 0;
    for (Map.Entry<String, List<String>> header : answer.headers().entrySet()) {
      String name = header.getKey().toLowerCase(Locale.ROOT);
      if (!NOT_KEPT.contains(name)) {
        kept.put(header.getKey(), header.getValue());
        for (String value : header.getValue()) {
          chars += name.length() + value.length();
        }
      }
    }
    if (kept.size() > MAX_HEADERS || chars > MAX_HEADER_CHARS) {
      throw new ResponseTooLarge(
          "The response has %d headers of %,d characters together, over the bounds of %d and %,d."
              .formatted(kept.size(), chars, MAX_HEADERS, MAX_HEADER_CHARS));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(answer.body().length + 256);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(VERSION);
      out.writeShort(answer.status());
      out.writeShort(kept.size());
      for (Map.Entry<String, List<String>> header : kept.entrySet()) {
        out.writeUTF(header.getKey());
        out.writeShort(header.getValue().size());
        for (String value : header.getValue()) {
          out.writeUTF(value);
        }
      }
      out.writeInt(answer.body().length);
      out.write(answer.body());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Reply(CONTENT_TYPE, bytes.toByteArray());
  }

  /**
   * @throws IllegalStateException when it is not an answer that this version can read
   */
  static Answer decode(Reply reply) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(reply.body()))) {
      if (!reply.contentType().equals(CONTENT_TYPE) || in.readByte() != VERSION) {
        throw unreadable(null);
      }
      int status = in.readShort();
      Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      int names = in.readShort();
      for (int i = 0; i < names; i++) {
        String name = in.readUTF();
        List<String> values = new ArrayList<>();
        int count = in.readShort();
        for (int j = 0; j < count; j++) {
          values.add(in.readUTF());
        }
        headers.put(name, values);
      }
      byte[] body = in.readNBytes(in.readInt());
      return new Answer(status, headers, body);
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private static IllegalStateException unreadable(@Nullable Exception e) {
    return new IllegalStateException(
        "What is stored under this consumer and key is not a response of this version: a newer version or another handler uses the same consumer name. Nothing was done. Give each handler a consumer of its own, and finish the upgrade.",
        e);
  }
}
