package dev.holdfast.http;

import static dev.holdfast.http.TestServers.post;
import static dev.holdfast.http.TestServers.send;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.Test;

/** In a servlet container. */
final class IdempotencyKeyFilterTest extends ReceiverContract {
  private final List<Server> servers = new ArrayList<>();

  /** An application as others write it: by the response's methods, in one way and the other. */
  private final class Application extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      response.getWriter().print("read");
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      String path = request.getRequestURI();
      if (path.equals("/async")) {
        request.startAsync();
        return;
      }
      try {
        if (path.equals("/form")) {
          answer(IdempotencyKeyFilter.transaction(request), request.getParameter("name"));
          response.setContentType("text/plain");
          response.getWriter().print(request.getParameter("name"));
        } else if (path.equals("/redirect")) {
          answer(IdempotencyKeyFilter.transaction(request), "{}");
          // As a container of Servlet 6.1 has it.
          ((HeldResponse) response).sendRedirect("/there", 303, true);
        } else if (path.equals("/cookie")) {
          response.addCookie(new Cookie("session", "s1"));
          String body = new String(request.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
          response.setStatus(answer(IdempotencyKeyFilter.transaction(request), body).status());
        } else if (path.equals("/error")) {
          answer(IdempotencyKeyFilter.transaction(request), "{}");
          response.sendError(409, "taken");
        } else {
          String body = new String(request.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
          Answer answer = answer(IdempotencyKeyFilter.transaction(request), body);
          response.setStatus(answer.status());
          answer
              .headers()
              .forEach((name, values) -> values.forEach(value -> response.addHeader(name, value)));
          response.getOutputStream().write(answer.body());
          response.flushBuffer();
        }
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private URI uri(Server server, String path) {
    int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    return URI.create("http://127.0.0.1:" + port + path);
  }

  @Override
  void start(IdempotencySettings settings) {
    serve(IdempotencyKeyFilter.of(holdfast, settings));
  }

  /** The application behind the filter, which is behind the earlier ones. */
  private void serve(IdempotencyKeyFilter filter, Filter... earlier) {
    Server server = new Server(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    ServletContextHandler context = new ServletContextHandler("/");
    for (Filter each : earlier) {
      context.addFilter(new FilterHolder(each), "/*", EnumSet.of(DispatcherType.REQUEST));
    }
    context.addFilter(
        new FilterHolder(filter), "/*", EnumSet.of(DispatcherType.REQUEST, DispatcherType.ERROR));
    ServletHolder holder = new ServletHolder(new Application());
    holder.setAsyncSupported(true);
    context.addServlet(holder, "/*");
    server.setHandler(context);
    try {
      server.start();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    servers.add(server);
  }

  @Override
  URI uri(String path) {
    return uri(servers.get(0), path);
  }

  @Override
  URI startAnother() {
    start(settings);
    return uri(servers.get(1), "/");
  }

  @Override
  void stop() {
    for (Server server : servers) {
      try {
        server.stop();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    servers.clear();
  }

  @Test
  void anotherMethodIsPassedOn() {
    HttpResponse<String> read = send(HttpRequest.newBuilder(uri("/orders")).GET().build());
    assertThat(read.body()).isEqualTo("read");
  }

  @Test
  void anAsynchronousRequestIsRefusedInWords() {
    HttpResponse<String> refused = send(post(uri("/async"), "k1", "{}").build());
    assertThat(refused.statusCode()).isEqualTo(500);
    assertThat(refused.body()).contains("cannot be asynchronous");
  }

  @Test
  void aFormIsReadAsParameters() {
    HttpRequest form =
        HttpRequest.newBuilder(uri("/form"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Idempotency-Key", "k1")
            .POST(BodyPublishers.ofString("name=a%20b%C3%A4&x"))
            .build();
    HttpResponse<String> first = send(form);
    assertThat(first.body()).isEqualTo("a bä");
    assertThat(first.headers().firstValue("Content-Type").orElse("")).containsIgnoringCase("utf-8");
    assertThat(send(form).body()).isEqualTo(first.body());
    assertThat(executed).hasValue(1);
  }

  @Test
  void anErrorThatIsSentIsStoredWithItsMessage() {
    HttpResponse<String> first = send(post(uri("/error"), "k1", "{}").build());
    HttpResponse<String> again = send(post(uri("/error"), "k1", "{}").build());
    assertThat(first.statusCode()).isEqualTo(409);
    assertThat(again.statusCode()).isEqualTo(409);
    assertThat(again.body()).isEqualTo("taken").isEqualTo(first.body());
    assertThat(executed).hasValue(1);
  }

  @Test
  void aRedirectOfServlet61IsHeldBackAndStored() {
    HttpResponse<String> first = send(post(uri("/redirect"), "k1", "{}").build());
    HttpResponse<String> again = send(post(uri("/redirect"), "k1", "{}").build());
    for (HttpResponse<String> each : List.of(first, again)) {
      assertThat(each.statusCode()).isEqualTo(303);
      assertThat(each.headers().firstValue("Location")).hasValue("/there");
    }
    assertThat(executed).hasValue(1);
  }

  @Test
  void aCookieLeavesWithWhatIsCommittedAndWithNothingElse() {
    HttpResponse<String> failed = send(post(uri("/cookie"), "k1", "status 500").build());
    assertThat(failed.statusCode()).isEqualTo(500);
    assertThat(failed.headers().firstValue("Set-Cookie")).isEmpty();
    HttpResponse<String> first = send(post(uri("/cookie"), "k1", "{}").build());
    assertThat(first.headers().firstValue("Set-Cookie")).hasValue("session=s1");
  }

  @Test
  void aBodyThatAnotherFilterHasReadIsRefusedInWords() {
    stop();
    serve(
        IdempotencyKeyFilter.of(holdfast, settings),
        (request, response, chain) -> {
          request.getParameter("name");
          chain.doFilter(request, response);
        });
    HttpRequest.Builder form =
        HttpRequest.newBuilder(uri("/form"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Idempotency-Key", "k1");
    for (BodyPublisher body :
        List.of(
            BodyPublishers.ofString("name=a"),
            // Without a length.
            BodyPublishers.fromPublisher(BodyPublishers.ofString("name=a")))) {
      HttpResponse<String> refused = send(form.POST(body).build());
      assertThat(refused.statusCode()).isEqualTo(500);
      assertThat(refused.body()).contains("was read before IdempotencyKeyFilter got it");
    }
    assertThat(executed).hasValue(0);
  }

  @Test
  @Attacks("receiver.scope")
  void aKeyCountsForItsPrincipal() {
    stop();
    serve(
        IdempotencyKeyFilter.of(holdfast, settings)
            .principal(request -> Objects.requireNonNull(request.getHeader("X-User"))));
    send(post(uri("/orders"), "k1", "{}").header("X-User", "ann").build());
    HttpResponse<String> other =
        send(post(uri("/orders"), "k1", "{}").header("X-User", "bob").build());
    assertThat(other.headers().firstValue("Idempotency-Replayed")).isEmpty();
    assertThat(executed).hasValue(2);
  }
}
