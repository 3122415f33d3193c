package dev.holdfast.rabbitmq;

import static dev.holdfast.crashtest.Expect.row;

import com.rabbitmq.client.AMQP;
import dev.holdfast.Transaction;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.internal.Doorbell;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;

/**
 * Two messages of a key, the first of which cannot be handled until it is parked, and an operator
 * who releases the key when both are. The second makes its row only behind the first one's.
 */
final class ParkingLab extends Lab {
  @Override
  AutoCloseable listen(Life life) {
    return RabbitMqInbox.start(
        life.rabbit(),
        life.queue(),
        life.holdfast().inbox("shipping", InboxSettings.DEFAULT),
        RabbitMqInboxSettings.rejecting()
            .withAttempts(1)
            .withClosingWait(Duration.ofMillis(500))
            .withParking(RabbitMqParking.DEFAULT),
        (tx, message) -> {
          String key =
              String.valueOf(message.getProperties().getHeaders().get("cloudEvents_partitionkey"));
          if (!isParked(tx, key)) {
            throw new IllegalStateException("not before it is parked");
          }
          ship(tx, key, new String(message.getBody(), StandardCharsets.UTF_8));
        });
  }

  @Override
  public void accept(CrashLab lab) {
    String url = lab.share("url", TestServers.POSTGRES::jdbcUrl);
    String port = lab.share("port", () -> Integer.toString(TestServers.Rabbit.SERVER.port()));
    String queue = lab.share("queue", () -> TestServers.queue("lab"));
    lab.application(
            resources -> {
              AtomicBoolean ended = new AtomicBoolean();
              resources.onStop(() -> ended.set(true));
              Thread operator = new Thread(() -> releaseUntil(ended, url), "operator");
              operator.setDaemon(true);
              operator.start();
              return start(resources, url, Integer.parseInt(port), queue);
            })
        .given(
            key -> {
              order(url, key);
              send(queue, key);
            })
        .operation(
            (life, key) ->
                Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> isShipped(url, key) && isShipped(url, key + "/2")))
        .ignoring("holdfast-upkeep")
        .ignoring(SCHEMA + ".inbox_consumer")
        .ignoring(SCHEMA + ".log_consumer")
        .ignoring(SCHEMA + ".log_topic")
        .eachOf("holdfast-rabbitmq")
        .quiesce(Duration.ofSeconds(8))
        .expect(
            row(ORDERS).byKey("id").once(),
            row(TABLE).byKey("id").once(),
            row(TABLE).byKey("id").ofKey(key -> key + "/2").once());
  }

  private static void send(String queue, String key) {
    TestServers.onChannel(
        channel -> {
          channel.confirmSelect();
          for (String body : List.of("1", "2")) {
            AMQP.BasicProperties properties =
                new AMQP.BasicProperties.Builder()
                    .messageId(key + "-" + body)
                    .deliveryMode(2)
                    .headers(Map.of("cloudEvents_partitionkey", key))
                    .build();
            channel.basicPublish("", queue, properties, body.getBytes(StandardCharsets.UTF_8));
          }
          channel.waitForConfirmsOrDie(10_000);
          return true;
        });
  }

  private static boolean isParked(Transaction tx, String key) throws SQLException {
    try (PreparedStatement statement =
        tx.connection().prepareStatement("select 1 from lab.log_lane where lane = ?")) {
      statement.setString(1, "k:" + key);
      return statement.executeQuery().next();
    }
  }

  private static void ship(Transaction tx, String key, String body) throws SQLException {
    if (body.equals("1")) {
      tx.update("insert into " + TABLE + " values (?)", key);
    } else {
      tx.update(
          "insert into " + TABLE + " select ? || '/2' from " + TABLE + " where id = ?", key, key);
    }
  }

  /** Past the lab: an operator is no part of what crashes. */
  private static void releaseUntil(AtomicBoolean ended, String url) {
    Doorbell never = new Doorbell();
    try (Connection connection = DriverManager.getConnection(url)) {
      while (!ended.get()) {
        try (PreparedStatement statement =
            connection.prepareStatement(
                """
                update lab.log_lane l set releasing = true
                where not releasing and (
                  exists (select from lab_shipment s where 'k:' || s.id = l.lane)
                  or 2 = (select count(*) from lab.log_parked p
                          where p.topic_id = l.topic_id and p.lane = l.lane))
                """)) {
          statement.executeUpdate();
        }
        never.await(Duration.ofMillis(100));
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
