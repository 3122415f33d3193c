package dev.holdfast.http;

import dev.holdfast.Holdfast;
import dev.holdfast.Transaction;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.security.Principal;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * Executes each request with an {@code Idempotency-Key} once, in a servlet container. What stands
 * behind it runs inside a transaction, which {@link #transaction} gives it; its database work
 * there, the messages that it publishes and its response are one commit, and the response is sent
 * after it. Thread-safe.
 *
 * <p>What survives a crash: before the commit nothing, and the request is as new; after it
 * everything, and the request that comes again gets the response. A response of 5xx, 408, 425 or
 * 429, and an exception, roll back and are not stored. Every other response is stored, a 4xx as
 * well, together with what was done for it. Work on another connection is no part of it.
 *
 * <p>The request's body and the response are held in memory. Asynchronous requests and {@code
 * multipart} are refused with an {@link IllegalStateException}. A chain runs once: where the
 * database asks for the transaction to be run again, the answer is 503, and nothing was done.
 *
 * <p>{@code sendError} is answered with its message and without an error page; an exception goes on
 * to the container, which shows its own.
 *
 * <p>Put it behind authentication: a key counts for its principal, method and path, and where
 * nobody is authenticated all share the empty principal.
 */
public final class IdempotencyKeyFilter extends HttpFilter {
  private static final long serialVersionUID = 1L;
  private static final String TRANSACTION = IdempotencyKeyFilter.class.getName() + ".transaction";

  private final transient Receiver receiver;
  private final transient Function<HttpServletRequest, String> principal;

  private IdempotencyKeyFilter(Receiver receiver, Function<HttpServletRequest, String> principal) {
    this.receiver = receiver;
    this.principal = principal;
  }

  /**
   * Makes the consumer known to the database.
   *
   * @throws dev.holdfast.StoreUnavailable when the database cannot be reached
   */
  public static IdempotencyKeyFilter of(Holdfast holdfast, IdempotencySettings settings) {
    return new IdempotencyKeyFilter(
        new Receiver(holdfast, settings), IdempotencyKeyFilter::authenticated);
  }

  /** Says whose key it is; by default the name of the user that the container found. */
  public IdempotencyKeyFilter principal(Function<HttpServletRequest, String> value) {
    return new IdempotencyKeyFilter(receiver, value);
  }

  private static String authenticated(HttpServletRequest request) {
    Principal found = request.getUserPrincipal();
    return found == null ? "" : found.getName();
  }

  /**
   * The transaction of a request that came through this filter. Valid on the request's thread until
   * the chain returns.
   *
   * @throws IllegalStateException when it did not come through the filter
   */
  public static Transaction transaction(ServletRequest request) {
    if (request.getAttribute(TRANSACTION) instanceof Transaction tx) {
      return tx;
    }
    throw new IllegalStateException(
        "This request has no transaction: IdempotencyKeyFilter is not mapped to it, or passes its method on. Nothing was done. Map the filter, or name the method in the settings.");
  }

  /** Carries what a chain may throw through the transaction, which it rolls back. */
  private static final class ChainFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ChainFailed(Exception cause) {
      super(null, cause, false, false);
    }
  }

  /** A chain cannot be run again; the transaction is rolled back. */
  private static final class RunsAgain extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RunsAgain() {
      super("A servlet chain runs once", null, false, false);
    }
  }

  @Override
  protected void doFilter(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    IdempotencySettings settings = receiver.settings();
    if (request.getDispatcherType() != DispatcherType.REQUEST
        || !settings.methods().contains(request.getMethod())) {
      chain.doFilter(request, response);
      return;
    }
    byte[] body = request.getInputStream().readNBytes(settings.maxRequestBytes() + 1);
    if (body.length > settings.maxRequestBytes()) {
      send(
          Problem.TOO_LARGE.answer(settings.maxRequestBytes() + ".").with("Connection", "close"),
          response);
      return;
    }
    requireWhole(request, body);
    Receiver.Call call =
        new Receiver.Call(
            principal.apply(request),
            request.getMethod(),
            request.getRequestURI(),
            request.getQueryString(),
            request.getContentType(),
            List.copyOf(Collections.list(request.getHeaders(IdempotencyKey.HEADER))),
            body);
    send(answer(call, request, response, chain), response);
  }

  /** Whoever reads a form's parameters reads the body, and the next one finds it empty. */
  private static void requireWhole(HttpServletRequest request, byte[] body) {
    boolean isShort = request.getContentLengthLong() > body.length;
    RereadRequest reread = new RereadRequest(request, body);
    boolean isParsed =
        reread.isForm() && reread.getParameterMap().size() < request.getParameterMap().size();
    if (isShort || isParsed) {
      throw new IllegalStateException(
          "The body of a request was read before IdempotencyKeyFilter got it, by a filter that asked for its parameters, say. Nothing was done. Put that filter behind this one.");
    }
  }

  private Answer answer(
      Receiver.Call call,
      HttpServletRequest request,
      HttpServletResponse response,
      FilterChain chain)
      throws IOException, ServletException {
    HeldResponse held = new HeldResponse(response, receiver.settings().maxResponseBytes());
    AtomicBoolean ran = new AtomicBoolean();
    try {
      Answer answer =
          receiver.answer(
              call,
              tx -> {
                if (ran.getAndSet(true)) {
                  throw new RunsAgain();
                }
                return run(tx, call, request, held, chain);
              });
      if (ran.get() && Receiver.isKept(answer)) {
        held.cookies().forEach(response::addCookie);
      }
      return answer;
    } catch (Receiver.Thrown e) {
      RuntimeException thrown = e.thrown();
      if (thrown instanceof RunsAgain) {
        return Problem.TRY_AGAIN.answerAfter(receiver.settings().retryAfter());
      }
      if (thrown instanceof ChainFailed && thrown.getCause() instanceof IOException io) {
        throw io;
      }
      if (thrown instanceof ChainFailed && thrown.getCause() instanceof ServletException servlet) {
        throw servlet;
      }
      throw thrown;
    }
  }

  private Answer run(
      Transaction tx,
      Receiver.Call call,
      HttpServletRequest request,
      HeldResponse held,
      FilterChain chain) {
    RereadRequest reread = new RereadRequest(request, call.body());
    request.setAttribute(TRANSACTION, tx);
    try {
      chain.doFilter(reread, held);
    } catch (IOException | ServletException e) {
      throw new ChainFailed(e);
    } finally {
      request.removeAttribute(TRANSACTION);
    }
    return held.answer();
  }

  private static void send(Answer answer, HttpServletResponse response) throws IOException {
    response.setStatus(answer.status());
    for (Map.Entry<String, List<String>> header : answer.headers().entrySet()) {
      for (String value : header.getValue()) {
        response.addHeader(header.getKey(), value);
      }
    }
    if (answer.body().length > 0) {
      response.setContentLength(answer.body().length);
      response.getOutputStream().write(answer.body());
    }
  }
}
