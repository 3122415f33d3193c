package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.PostgresServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The provider is what the strategies are measured by: it has to lose, and to keep, as it says. */
class PaymentProviderTest {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final String DECLINED = "order-7";

  private static PostgresServer database;
  private static int databases;

  private final Queue<Misfortune> ahead = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads = Executors.newFixedThreadPool(8);
  private HikariDataSource dataSource;
  private HttpServer server;
  private Payments payments;

  @BeforeAll
  static void start() {
    database = PostgresServer.start();
  }

  @AfterAll
  static void stop() {
    database.close();
  }

  @BeforeEach
  void serve() throws Exception {
    String name = "payments_" + databases++;
    database.createDatabase(name);
    dataSource = Wiring.pool(database.jdbcUrl(name), 8);
    try (Connection connection = dataSource.getConnection()) {
      Charges.createTables(connection);
    }
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    new PaymentProvider(
            new Charges(dataSource),
            () -> {
              Misfortune next = ahead.poll();
              return next == null ? Misfortune.NONE : next;
            })
        .serve(server);
    server.start();
    payments = new Payments(URI.create("http://127.0.0.1:" + server.getAddress().getPort()));
  }

  @AfterEach
  void end() {
    server.stop(0);
    threads.shutdownNow();
    dataSource.close();
  }

  private List<String> standing() {
    try (Connection connection = dataSource.getConnection()) {
      return Charges.standing(connection);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** As often as it takes until it is answered in time: this machine may be slow. */
  private interface Request<T> {
    T send() throws IOException, InterruptedException, Payments.Declined;
  }

  private static <T> T answered(Request<T> request) throws Exception {
    for (int attempt = 1; ; attempt++) {
      try {
        return request.send();
      } catch (IOException e) {
        if (attempt == 20) {
          throw e;
        }
      }
    }
  }

  private void refund(String key) throws Exception {
    answered(
        () -> {
          payments.refundKey(key);
          return true;
        });
  }

  @Test
  void chargesOnceForEachKeyHoweverManyAskAtOnce() throws Exception {
    List<Future<String>> all = new ArrayList<>();
    for (int caller = 0; caller < 6; caller++) {
      all.add(threads.submit(() -> answered(() -> payments.charge("k", "order-1"))));
    }
    List<String> charges = new ArrayList<>();
    for (Future<String> each : all) {
      charges.add(each.get());
    }

    assertThat(Collections.frequency(charges, charges.get(0))).isEqualTo(6);
    assertThat(answered(() -> payments.find("k"))).contains(charges.get(0));
    assertThat(standing()).containsExactly("order-1");
  }

  @Test
  void chargesWithoutAKeyAsOftenAsItIsAsked() throws Exception {
    String first = answered(() -> payments.charge(null, "order-1"));
    String second = answered(() -> payments.charge(null, "order-1"));

    assertThat(first).isNotEqualTo(second);
    assertThat(standing().size()).isGreaterThanOrEqualTo(2);
  }

  @Test
  void knowsAKeyByTheFirstAnswerThatStoodUnderIt() throws Exception {
    assertThat(answered(() -> payments.find("k"))).isEmpty();
    assertThatThrownBy(() -> answered(() -> payments.charge("k", DECLINED)))
        .isInstanceOf(Payments.Declined.class);
    assertThatThrownBy(() -> answered(() -> payments.find("k")))
        .isInstanceOf(Payments.Declined.class);
    assertThat(standing()).isEmpty();
  }

  @Test
  void refundsAKeyOnceAndForGood() throws Exception {
    answered(() -> payments.charge("k", "order-1"));
    answered(() -> payments.charge("other", "order-2"));

    refund("k");
    refund("k");

    assertThat(standing()).containsExactly("order-2");
    assertThatThrownBy(() -> answered(() -> payments.charge("k", "order-1")))
        .isInstanceOf(Payments.Declined.class);
    assertThatThrownBy(() -> answered(() -> payments.find("k")))
        .isInstanceOf(Payments.Declined.class);
    assertThat(standing()).containsExactly("order-2");
  }

  @Test
  void aRefundOfAKeyThatWasNotSeenBlocksALaterCharge() throws Exception {
    refund("k");

    assertThatThrownBy(() -> answered(() -> payments.charge("k", "order-1")))
        .isInstanceOf(Payments.Declined.class);
    assertThat(standing()).isEmpty();
  }

  @Test
  void whoIsNotAnsweredDoesNotKnowThatItIsCharged() {
    for (Misfortune misfortune :
        List.of(Misfortune.REPLY_LOST, Misfortune.REPLY_LATE, Misfortune.EFFECT_LATE)) {
      int before = standing().size();
      ahead.add(misfortune);

      assertThatThrownBy(() -> payments.charge(null, "order-1"))
          .as(misfortune.name())
          .isInstanceOf(IOException.class);

      await(misfortune.name()).atMost(SOON).until(() -> standing().size() == before + 1);
    }
  }

  @Test
  void whatIsChargedTooLateIsNotCharged() throws Exception {
    Charges charges = new Charges(dataSource);

    assertThatThrownBy(() -> charges.charge("k", "order-1", 1, "a card", () -> false))
        .isInstanceOf(SQLException.class);

    assertThat(standing()).isEmpty();
    assertThat(charges.find("k")).isEmpty();
  }
}
