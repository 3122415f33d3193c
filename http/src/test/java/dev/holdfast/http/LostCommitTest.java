package dev.holdfast.http;

import static dev.holdfast.http.TestServers.post;
import static dev.holdfast.http.TestServers.send;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.http.TestServers.Web;
import dev.holdfast.postgres.PostgresStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The server's database commits, or does not, and the server is not told. */
final class LostCommitTest {
  private final String schema = TestServers.unique("lost");
  private final HikariDataSource near = TestServers.pool(2);
  private final TcpRelay network = TcpRelay.to("127.0.0.1", TestServers.POSTGRES.port());
  private final AtomicReference<Runnable> beforeCommit = new AtomicReference<>(() -> {});
  private final AtomicInteger executed = new AtomicInteger();
  private HikariDataSource far;
  private Holdfast holdfast;
  private Web web;

  @BeforeEach
  void begin() {
    PostgresStore.open(near, schema).schema().migrate();
    TestServers.execute(near, "create table " + schema + ".shop_order (id text)");
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(
        "jdbc:postgresql://127.0.0.1:"
            + network.port()
            + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable");
    config.setMaximumPoolSize(3);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(1_000);
    far = new HikariDataSource(config);
    holdfast = Holdfast.on(watched(far)).schema(schema).schemaManagedElsewhere().start();
    web =
        new Web(
            IdempotentHandler.of(
                holdfast,
                IdempotencySettings.of("orders"),
                (tx, request) -> {
                  int number = executed.incrementAndGet();
                  tx.update("insert into " + schema + ".shop_order values ('o')");
                  return Answer.json(201, "{\"n\":" + number + "}");
                }));
    holdfast.transact(tx -> {});
  }

  @AfterEach
  void end() {
    web.close();
    holdfast.close();
    far.close();
    network.close();
    near.close();
  }

  /** Tells when the statement that commits is about to be sent. */
  private DataSource watched(DataSource real) {
    return (DataSource)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) -> {
              Object result = call(() -> method.invoke(real, arguments));
              return result instanceof Connection connection ? watched(connection) : result;
            });
  }

  private Connection watched(Connection real) {
    return (Connection)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              boolean commits =
                  method.getName().equals("commit")
                      || (method.getName().equals("prepareStatement")
                          && ((String) arguments[0]).contains("commit"));
              if (commits && executed.get() > 0) {
                beforeCommit.getAndSet(() -> {}).run();
              }
              return call(() -> method.invoke(real, arguments));
            });
  }

  /** A reflective call. */
  @FunctionalInterface
  private interface Call {
    Object run() throws InvocationTargetException, IllegalAccessException;
  }

  private static Object call(Call call) throws SQLException {
    try {
      return call.run();
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof SQLException sql) {
        throw sql;
      }
      throw new IllegalStateException(e.getCause());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private HttpResponse<String> request() {
    return send(post(web.uri("/orders"), "k1", "{}").build());
  }

  private long orders() {
    return TestServers.count(near, schema + ".shop_order");
  }

  @Test
  @Attacks({"receiver.answer", "receiver.once"})
  void aLostReplyToTheCommitIsResolvedAndAnswered() {
    beforeCommit.set(network::swallowNextReply);
    HttpResponse<String> response = request();
    assertThat(response.statusCode()).isEqualTo(201);
    assertThat(response.body()).isEqualTo("{\"n\":1}");
    assertThat(executed).hasValue(1);
    assertThat(orders()).isEqualTo(1);
  }

  @Test
  @Attacks({"receiver.answer", "receiver.once"})
  void whatCannotBeResolvedIsToldToBeSafeToRepeatAndIsSo() {
    beforeCommit.set(network::cut);
    HttpResponse<String> unknown = request();
    assertThat(unknown.statusCode()).isEqualTo(503);
    assertThat(unknown.headers().firstValue("Retry-After")).isPresent();
    assertThat(unknown.body()).contains("not known").contains("safe to repeat under the same key");

    network.restore();
    HttpResponse<String> again = request();
    assertThat(again.statusCode()).isEqualTo(201);
    assertThat(orders()).isEqualTo(1);
  }

  @Test
  void aDatabaseThatIsOutOfReachIsToldToBeSafeToRepeat() {
    network.cut();
    HttpResponse<String> refused = request();
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.body()).contains("Nothing was done");
    assertThat(executed).hasValue(0);
    network.restore();
  }
}
