package dev.holdfast.http;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.Part;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.net.URLDecoder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A request whose body was read, for those who read it next. Used by the request's thread. */
final class RereadRequest extends HttpServletRequestWrapper {
  private final byte[] body;
  private @Nullable Map<String, String[]> parameters;

  RereadRequest(HttpServletRequest real, byte[] body) {
    super(real);
    this.body = body;
  }

  static IllegalStateException noAsync() {
    return new IllegalStateException(
        "A request behind IdempotencyKeyFilter cannot be asynchronous: its transaction ends with the chain, on the same thread. What it did is rolled back. Handle it synchronously, or map the filter elsewhere.");
  }

  private final class Body extends ServletInputStream {
    private final ByteArrayInputStream bytes = new ByteArrayInputStream(body);

    @Override
    public int read() {
      return bytes.read();
    }

    @Override
    public int read(byte[] into, int offset, int length) {
      return bytes.read(into, offset, length);
    }

    @Override
    public boolean isFinished() {
      return bytes.available() == 0;
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setReadListener(ReadListener listener) {
      throw noAsync();
    }
  }

  private Charset charset() {
    String named = getCharacterEncoding();
    return named == null ? StandardCharsets.UTF_8 : Charset.forName(named);
  }

  @Override
  public ServletInputStream getInputStream() {
    return new Body();
  }

  @Override
  public BufferedReader getReader() {
    return new BufferedReader(new InputStreamReader(getInputStream(), charset()));
  }

  @Override
  public boolean isAsyncSupported() {
    return false;
  }

  @Override
  public AsyncContext startAsync() {
    throw noAsync();
  }

  @Override
  public AsyncContext startAsync(ServletRequest request, ServletResponse response) {
    throw noAsync();
  }

  @Override
  public Collection<Part> getParts() {
    throw new IllegalStateException(
        "A multipart request cannot be read behind IdempotencyKeyFilter, which holds its body. What it did is rolled back. Map the filter elsewhere.");
  }

  @Override
  public Part getPart(String name) {
    getParts();
    throw new AssertionError("parts are refused");
  }

  @Override
  public @Nullable String getParameter(String name) {
    String[] values = getParameterMap().get(name);
    return values == null ? null : values[0];
  }

  @Override
  public String @Nullable [] getParameterValues(String name) {
    String[] values = getParameterMap().get(name);
    return values == null ? null : values.clone();
  }

  @Override
  public Enumeration<String> getParameterNames() {
    return Collections.enumeration(getParameterMap().keySet());
  }

  /** Of the query, and of a form in the body, which the container cannot read any more. */
  @Override
  public Map<String, String[]> getParameterMap() {
    Map<String, String[]> known = parameters;
    if (known == null) {
      Map<String, List<String>> all = new LinkedHashMap<>();
      add(all, Objects.requireNonNullElse(getQueryString(), ""));
      if (isForm()) {
        add(all, new String(body, charset()));
      }
      known = new LinkedHashMap<>();
      for (Map.Entry<String, List<String>> each : all.entrySet()) {
        known.put(each.getKey(), each.getValue().toArray(String[]::new));
      }
      parameters = known;
    }
    return Collections.unmodifiableMap(known);
  }

  boolean isForm() {
    String type = getContentType();
    return type != null
        && type.toLowerCase(Locale.ROOT).startsWith("application/x-www-form-urlencoded");
  }

  private void add(Map<String, List<String>> all, String encoded) {
    for (String pair : encoded.split("&", -1)) {
      if (!pair.isEmpty()) {
        int equals = pair.indexOf('=');
        String name = equals < 0 ? pair : pair.substring(0, equals);
        String value = equals < 0 ? "" : pair.substring(equals + 1);
        all.computeIfAbsent(URLDecoder.decode(name, charset()), key -> new ArrayList<>())
            .add(URLDecoder.decode(value, charset()));
      }
    }
  }
}
