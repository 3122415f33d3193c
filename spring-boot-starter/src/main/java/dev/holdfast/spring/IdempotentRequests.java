package dev.holdfast.spring;

import dev.holdfast.http.IdempotencyKeyFilter;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.web.util.ContentCachingResponseWrapper;

/**
 * The filter of the {@code Idempotency-Key}, in transactions of Spring's manager, which the
 * controller's own {@code @Transactional} methods join. Thread-safe.
 *
 * <p>Such a method that throws marks the transaction rollback-only, and the exception may still
 * become an ordinary answer, 409 say. Then nothing was done, and the answer is no less right: it is
 * sent, and not stored, so that the key is as new.
 */
final class IdempotentRequests implements Filter {
  private final IdempotencyKeyFilter filter;
  private final TransactionalOutbox outbox;

  IdempotentRequests(IdempotencyKeyFilter filter, TransactionalOutbox outbox) {
    this.filter = filter;
    this.outbox = outbox;
  }

  /** Rolls the transaction back, and brings the answer past it. */
  private static final class RolledBack extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient int status;
    private final transient Map<String, List<String>> headers;
    private final transient byte[] body;

    RolledBack(ContentCachingResponseWrapper answer) {
      super("a transactional method has rolled back", null, false, false);
      status = answer.getStatus();
      headers = new LinkedHashMap<>();
      for (String name : answer.getHeaderNames()) {
        headers.put(name, new ArrayList<>(answer.getHeaders(name)));
      }
      body = answer.getContentAsByteArray();
    }

    void send(HttpServletResponse response) throws IOException {
      response.setStatus(status);
      headers.forEach((name, values) -> values.forEach(value -> response.addHeader(name, value)));
      if (body.length > 0) {
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
      }
    }
  }

  @Override
  public void init(FilterConfig config) throws ServletException {
    filter.init(config);
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    try {
      filter.doFilter(request, response, (inner, held) -> inside(inner, held, chain));
    } catch (RolledBack e) {
      e.send((HttpServletResponse) response);
    }
  }

  private void inside(ServletRequest request, ServletResponse held, FilterChain chain)
      throws IOException, ServletException {
    if (!SpringTransactions.isRunning()) {
      // A method that the filter passes on.
      chain.doFilter(request, held);
      return;
    }
    TransactionBuffer buffer = outbox.buffer();
    if (buffer != null) {
      buffer.beginPart(IdempotencyKeyFilter.transaction(request).operationId());
    }
    ContentCachingResponseWrapper answer =
        new ContentCachingResponseWrapper((HttpServletResponse) held);
    chain.doFilter(request, answer);
    if (SpringTransactions.isRollbackOnly()) {
      throw new RolledBack(answer);
    }
    answer.copyBodyToResponse();
  }

  @Override
  public void destroy() {
    filter.destroy();
  }
}
