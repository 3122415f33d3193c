package dev.holdfast.jms;

import static dev.holdfast.crashtest.Expect.row;

import dev.holdfast.Transaction;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.store.ConsumerParking;
import dev.holdfast.inbox.store.ConsumerParking.Parked;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import dev.holdfast.internal.Doorbell;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;
import org.awaitility.Awaitility;

/**
 * Two messages of a key, the first of which cannot be handled until it is parked, and an operator
 * who releases the key when both are. The second makes its row only behind the first one's.
 */
abstract class ParkingLab extends Lab {
  /** With parking, as it is. */
  static final class Parking extends ParkingLab {
    @Override
    AutoCloseable listen(Life life) {
      Inbox inbox = life.holdfast().inbox("shipping", InboxSettings.DEFAULT);
      return JmsInbox.start(
          life.jms(),
          JmsDestination.queue(life.queue()),
          inbox,
          JmsInboxSettings.DEFAULT
              .withClosingWait(Duration.ofMillis(500))
              .withParking(JmsParking.DEFAULT, 1),
          (tx, message) -> {
            String key = message.getStringProperty("cloudEvents_partitionkey");
            if (!isParked(tx, key)) {
              throw new IllegalStateException("not before it is parked");
            }
            ship(tx, key, TestServers.body(message));
          });
    }
  }

  /** Acknowledged, and then parked. */
  static final class AcknowledgingFirst extends ParkingLab {
    @Override
    AutoCloseable listen(Life life) {
      return byHand(
          life,
          (session, message) -> {
            session.commit();
            hold(life, message);
          },
          true);
    }
  }

  /** Handled again in one commit, and removed in another. */
  static final class RemovingLater extends ParkingLab {
    @Override
    AutoCloseable listen(Life life) {
      return byHand(
          life,
          (session, message) -> {
            hold(life, message);
            session.commit();
          },
          false);
    }
  }

  @Override
  public void accept(CrashLab lab) {
    String url = lab.share("url", TestServers.POSTGRES::jdbcUrl);
    int port = Integer.parseInt(lab.share("port", () -> "" + TestServers.ARTEMIS.port()));
    String queue = lab.share("queue", () -> TestServers.unique("lab"));
    lab.application(
            resources -> {
              AtomicBoolean ended = new AtomicBoolean();
              resources.onStop(() -> ended.set(true));
              thread("operator", () -> releaseUntil(ended, url));
              return start(resources, url, port, queue);
            })
        .given(
            key -> {
              order(url, key);
              send(port, queue, key);
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
        .eachOf("holdfast-jms")
        .quiesce(Duration.ofSeconds(8))
        .expect(
            row(ORDERS).byKey("id").once(),
            row(TABLE).byKey("id").once(),
            row(TABLE).byKey("id").ofKey(key -> key + "/2").once());
  }

  private static void send(int port, String queue, String key) {
    try (ActiveMQConnectionFactory direct =
            new ActiveMQConnectionFactory("tcp://127.0.0.1:" + port);
        JMSContext context = direct.createContext()) {
      for (String body : List.of("1", "2")) {
        context
            .createProducer()
            .setProperty("cloudEvents_partitionkey", key)
            .send(context.createQueue(queue), body);
      }
    }
  }

  static boolean isParked(Transaction tx, String key) throws SQLException {
    try (PreparedStatement statement =
        tx.connection().prepareStatement("select 1 from lab.log_lane where lane = ?")) {
      statement.setString(1, "k:" + key);
      return statement.executeQuery().next();
    }
  }

  static void ship(Transaction tx, String key, String body) throws SQLException {
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

  private static Thread thread(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.setUncaughtExceptionHandler((died, why) -> {});
    thread.start();
    return thread;
  }

  private static Partition queue(Life life) {
    return Partition.ofQueue("jms", life.queue());
  }

  private static void hold(Life life, Message message) throws JMSException {
    String key = message.getStringProperty("cloudEvents_partitionkey");
    byte[] body = TestServers.body(message).getBytes(StandardCharsets.UTF_8);
    byte[] id = message.getJMSMessageID().getBytes(StandardCharsets.UTF_8);
    life.holdfast()
        .store()
        .consumerParking()
        .hold(
            "shipping",
            new Parked(queue(life), 0, "k:" + key, null, 0, id, body, List.of()),
            "not before it is parked",
            100);
  }

  /** As one might write it: without an inbox. */
  private static AutoCloseable byHand(Life life, Taking taking, boolean inOneCommit) {
    Partition queue = queue(life);
    life.holdfast().store().offsets().register("shipping");
    life.holdfast()
        .store()
        .offsets()
        .begin("shipping", queue.topic(), queue.topicId(), Map.of(0, 0L));
    AutoCloseable listener = by(life, taking);
    Thread replaying = thread("holdfast-jms-by-hand", () -> replay(life, inOneCommit));
    return () -> {
      listener.close();
      replaying.interrupt();
      replaying.join(2_000);
    };
  }

  private static void replay(Life life, boolean inOneCommit) {
    ConsumerParking store = life.holdfast().store().consumerParking();
    Doorbell never = new Doorbell();
    try {
      while (true) {
        for (String lane : store.releasing("shipping", queue(life))) {
          for (Parked each : store.first("shipping", queue(life), lane, 10)) {
            if (inOneCommit) {
              life.holdfast().transact(tx -> handleAndRemove(store, tx, each, true));
            } else {
              life.holdfast().transact(tx -> handleAndRemove(store, tx, each, false));
              life.holdfast().transact(tx -> remove(store, tx, each));
            }
          }
        }
        never.await(Duration.ofMillis(100));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void handleAndRemove(
      ConsumerParking store, Transaction tx, Parked each, boolean removed) throws SQLException {
    byte[] body = each.value();
    if (body != null && (!removed || remove(store, tx, each))) {
      ship(tx, each.lane().substring(2), new String(body, StandardCharsets.UTF_8));
    }
  }

  private static boolean remove(ConsumerParking store, Transaction tx, Parked each)
      throws SQLException {
    return store.remove(tx.connection(), "shipping", each.partition(), each.offset());
  }
}
