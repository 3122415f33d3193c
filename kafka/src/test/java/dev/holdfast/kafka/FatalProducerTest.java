package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What ends a producer for good, under load: the relay makes another and goes on. */
final class FatalProducerTest {
  private static final int TIMES = 2;

  private final Stage stage = new Stage("fatal");
  private final Traffic traffic = new Traffic(stage.shop, 13);
  private Admin admin;
  private String transactionalId;

  @BeforeEach
  void begin() {
    admin = Admin.create(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()));
    transactionalId = "holdfast-" + stage.store.log().identity("orders").storeId() + "-orders";
  }

  @AfterEach
  void end() {
    Delay.transactionalId = "";
    traffic.close();
    stage.close();
    admin.close();
  }

  private Holdfast start(Map<String, String> more, String progressTopic) {
    Map<String, String> config = new HashMap<>(more);
    config.put("bootstrap.servers", TestServers.KAFKA.bootstrapServers());
    return Holdfast.on(stage.pool)
        .schema(stage.schema)
        .relay(RelayProcess.settings())
        .channel("orders", Kafka.to(config).progressTopic(progressTopic), stage.topic + "*")
        .start();
  }

  private void order(int enough) {
    int before = traffic.attempted();
    traffic.permit(enough + 100);
    await().atMost(Stage.SOON).until(() -> traffic.attempted() - before >= enough);
  }

  private Shop.Count countAtTheEnd() {
    traffic.close();
    stage.awaitAll();
    return stage.count();
  }

  @Test
  void aProducerThatSomebodyFencesIsReplaced() throws Exception {
    try (Holdfast relay = start(Map.of(), "holdfast-progress")) {
      stage.awaitAll();
      for (int i = 0; i < TIMES; i++) {
        order(50);
        long epoch = stage.epoch();
        admin.fenceProducers(List.of(transactionalId)).all().get();
        stage.awaitAll();
        assertThat(stage.epoch()).as("a new term").isGreaterThan(epoch);
      }
      assertThat(countAtTheEnd()).isEqualTo(Shop.Count.CLEAN);
    }
  }

  @Test
  void aTransactionThatTheBrokerHasGivenUpIsSentAgain() {
    Map<String, String> config =
        Map.of("transaction.timeout.ms", "1000", "interceptor.classes", Delay.class.getName());
    try (Holdfast relay = start(config, "holdfast-progress")) {
      stage.awaitAll();
      for (int i = 0; i < TIMES; i++) {
        Delay.gaveUp.set(false);
        Delay.transactionalId = transactionalId;
        stage.order();
        await().atMost(Stage.SOON).untilTrue(Delay.gaveUp);
        order(50);
        stage.awaitAll();
      }
      assertThat(countAtTheEnd()).isEqualTo(Shop.Count.CLEAN);
      assertThat(stage.store.parking().anyParked("orders")).isFalse();
    }
  }

  /** Holds back the acknowledgment of a message until the broker has given its transaction up. */
  public static final class Delay implements ProducerInterceptor<byte[], byte[]> {
    static final AtomicBoolean gaveUp = new AtomicBoolean();
    static volatile String transactionalId = "";

    @Override
    public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> record) {
      return record;
    }

    @Override
    public void onAcknowledgement(RecordMetadata metadata, Exception exception) {
      String id = transactionalId;
      if (!id.isEmpty() && !metadata.topic().equals("holdfast-progress")) {
        transactionalId = "";
        try (Admin admin =
            Admin.create(Map.of("bootstrap.servers", TestServers.KAFKA.bootstrapServers()))) {
          await()
              .atMost(Duration.ofSeconds(60))
              .until(
                  () -> state(admin, id),
                  state ->
                      state == TransactionState.COMPLETE_ABORT || state == TransactionState.EMPTY);
          gaveUp.set(true);
        }
      }
    }

    private static TransactionState state(Admin admin, String id)
        throws ExecutionException, InterruptedException {
      return admin.describeTransactions(List.of(id)).description(id).get().state();
    }

    @Override
    public void close() {}

    @Override
    public void configure(Map<String, ?> configs) {}
  }

  @Test
  @Attacks("outbox.delivery.none-lost")
  void aProgressTopicThatIsDeletedCostsRepeatsAndNoMessage() throws Exception {
    String progressTopic = TestServers.unique("progress");
    try (Holdfast relay = start(Map.of("max.block.ms", "2000"), progressTopic)) {
      stage.awaitAll();
      for (int i = 0; i < TIMES; i++) {
        order(50);
        admin.deleteTopics(List.of(progressTopic)).all().get();
        stage.awaitAll();
      }
      Shop.Count count = countAtTheEnd();
      assertThat(new Shop.Count(count.lost(), count.phantom(), 0, count.reordered()))
          .isEqualTo(Shop.Count.CLEAN);
      assertThat(stage.store.parking().anyParked("orders")).isFalse();
    }
  }
}
