package dev.holdfast.http;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Holds a response back: nothing of it may be sent before the transaction is committed. Used by the
 * request's thread.
 */
final class HeldResponse extends HttpServletResponseWrapper {
  private static final String CONTENT_TYPE = "Content-Type";

  private final int maxBytes;
  private final Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
  private final List<Cookie> cookies = new ArrayList<>();
  private final Body body = new Body();
  private int status = SC_OK;
  private @Nullable String encoding;
  private @Nullable PrintWriter writer;
  private boolean streamed;

  HeldResponse(HttpServletResponse real, int maxBytes) {
    super(real);
    this.maxBytes = maxBytes;
  }

  /**
   * @throws ResponseTooLarge when more was written than can be stored
   */
  Answer answer() {
    if (writer != null) {
      writer.flush();
    }
    if (body.isOver) {
      throw new ResponseTooLarge(
          "The response has more than %,d bytes, the bound for what is stored."
              .formatted(maxBytes));
    }
    return new Answer(status, headers, body.bytes.toByteArray());
  }

  /** Keeps what fits, so that memory stays bounded whatever is written. */
  private final class Body extends ServletOutputStream {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private boolean isOver;

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] from, int offset, int length) {
      isOver = isOver || bytes.size() + (long) length > maxBytes;
      if (!isOver) {
        bytes.write(from, offset, length);
      }
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      throw RereadRequest.noAsync();
    }
  }

  @Override
  public ServletOutputStream getOutputStream() {
    if (writer != null) {
      throw new IllegalStateException("getWriter has been called for this response");
    }
    streamed = true;
    return body;
  }

  @Override
  public PrintWriter getWriter() {
    if (streamed) {
      throw new IllegalStateException("getOutputStream has been called for this response");
    }
    PrintWriter made = writer;
    if (made == null) {
      setCharacterEncoding(getCharacterEncoding());
      made = new PrintWriter(new OutputStreamWriter(body, Charset.forName(getCharacterEncoding())));
      writer = made;
    }
    return made;
  }

  @Override
  public void setContentType(@Nullable String type) {
    if (type == null) {
      headers.remove(CONTENT_TYPE);
      return;
    }
    int at = type.toLowerCase(Locale.ROOT).indexOf("charset=");
    if (at >= 0) {
      String named = type.substring(at + "charset=".length());
      int end = named.indexOf(';');
      encoding = (end < 0 ? named : named.substring(0, end)).strip().replace("\"", "");
    }
    headers.put(CONTENT_TYPE, List.of(type));
    if (at < 0 && encoding != null) {
      setCharacterEncoding(encoding);
    }
  }

  @Override
  public @Nullable String getContentType() {
    return getHeader(CONTENT_TYPE);
  }

  @Override
  public void setCharacterEncoding(@Nullable String charset) {
    encoding = charset;
    String type = getContentType();
    if (type != null && charset != null) {
      int at = type.toLowerCase(Locale.ROOT).indexOf(";charset=");
      int spaced = type.toLowerCase(Locale.ROOT).indexOf("; charset=");
      int cut = at >= 0 ? at : spaced;
      headers.put(
          CONTENT_TYPE,
          List.of((cut >= 0 ? type.substring(0, cut) : type) + ";charset=" + charset));
    }
  }

  @Override
  public String getCharacterEncoding() {
    return encoding == null ? StandardCharsets.UTF_8.name() : encoding;
  }

  @Override
  public void setLocale(@Nullable Locale locale) {
    if (locale != null) {
      setHeader("Content-Language", locale.toLanguageTag());
    }
  }

  @Override
  public void setContentLength(int length) {
    // It is what is held, in the end.
  }

  @Override
  public void setContentLengthLong(long length) {
    // It is what is held, in the end.
  }

  @Override
  public void setStatus(int value) {
    status = value;
  }

  @Override
  public int getStatus() {
    return status;
  }

  @Override
  public void sendError(int value) {
    sendError(value, "");
  }

  @Override
  public void sendError(int value, @Nullable String message) {
    resetBuffer();
    status = value;
    if (message != null && !message.isEmpty()) {
      headers.put(CONTENT_TYPE, List.of("text/plain;charset=UTF-8"));
      byte[] text = message.getBytes(StandardCharsets.UTF_8);
      body.write(text, 0, text.length);
    }
  }

  @Override
  public void sendRedirect(String location) {
    sendRedirect(location, SC_FOUND, true);
  }

  /** Of Servlet 6.1, and the next two: it would go out past this one. */
  public void sendRedirect(String location, int redirect) {
    sendRedirect(location, redirect, true);
  }

  public void sendRedirect(String location, boolean clearBuffer) {
    sendRedirect(location, SC_FOUND, clearBuffer);
  }

  public void sendRedirect(String location, int redirect, boolean clearBuffer) {
    if (clearBuffer) {
      resetBuffer();
    }
    status = redirect;
    setHeader("Location", location);
  }

  @Override
  public void setHeader(String name, @Nullable String value) {
    headers.remove(name);
    addHeader(name, value);
  }

  @Override
  public void addHeader(String name, @Nullable String value) {
    if (value == null || name.equalsIgnoreCase("Content-Length")) {
      return;
    }
    if (name.equalsIgnoreCase(CONTENT_TYPE)) {
      setContentType(value);
      return;
    }
    headers.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
  }

  @Override
  public void setIntHeader(String name, int value) {
    setHeader(name, Integer.toString(value));
  }

  @Override
  public void addIntHeader(String name, int value) {
    addHeader(name, Integer.toString(value));
  }

  @Override
  public void setDateHeader(String name, long millis) {
    setHeader(name, date(millis));
  }

  @Override
  public void addDateHeader(String name, long millis) {
    addHeader(name, date(millis));
  }

  private static String date(long millis) {
    return DateTimeFormatter.RFC_1123_DATE_TIME.format(
        Instant.ofEpochMilli(millis).atOffset(ZoneOffset.UTC));
  }

  @Override
  public void addCookie(Cookie cookie) {
    cookies.add((Cookie) cookie.clone());
  }

  /** They are not stored, and leave with the first answer if what they came with is committed. */
  List<Cookie> cookies() {
    return cookies;
  }

  @Override
  public boolean containsHeader(String name) {
    return headers.containsKey(name);
  }

  @Override
  public @Nullable String getHeader(String name) {
    List<String> values = headers.get(name);
    return values == null ? null : values.get(0);
  }

  @Override
  public Collection<String> getHeaders(String name) {
    return List.copyOf(headers.getOrDefault(name, List.of()));
  }

  @Override
  public Collection<String> getHeaderNames() {
    return List.copyOf(headers.keySet());
  }

  @Override
  public void flushBuffer() throws IOException {
    if (writer != null) {
      writer.flush();
    }
  }

  @Override
  public boolean isCommitted() {
    return false;
  }

  @Override
  public void reset() {
    resetBuffer();
    headers.clear();
    cookies.clear();
    status = SC_OK;
    encoding = null;
    writer = null;
    streamed = false;
  }

  @Override
  public void resetBuffer() {
    if (writer != null) {
      writer.flush();
    }
    body.bytes.reset();
    body.isOver = false;
  }

  @Override
  public void setBufferSize(int size) {
    // All of it is held.
  }

  @Override
  public int getBufferSize() {
    return maxBytes;
  }
}
