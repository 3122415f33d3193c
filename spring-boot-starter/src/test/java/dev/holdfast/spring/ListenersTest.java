package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Transaction;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.support.PropertySourcesPlaceholderConfigurer;
import org.springframework.core.env.MapPropertySource;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.scheduling.annotation.Async;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Which methods are listeners, and what is told of those that cannot be. */
final class ListenersTest {

  private static Map<String, KafkaMethods> find(
      Consumer<AnnotationConfigApplicationContext> beans) {
    try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
      context.registerBean(PropertySourcesPlaceholderConfigurer.class);
      context
          .getEnvironment()
          .getPropertySources()
          .addFirst(
              new MapPropertySource(
                  "test", Map.of("listeners.test.topics", "orders.placed, orders.changed")));
      beans.accept(context);
      context.refresh();
      return Listeners.find(context.getBeanFactory(), context.getBeanProvider(PayloadReader.class));
    }
  }

  static class Good {
    @HoldfastListener(consumer = "billing", topics = "${listeners.test.topics}")
    void orders(ConsumerRecord<byte[], byte[]> message) {}

    @HoldfastListener(
        consumer = "billing",
        topics = {"payments", "refunds"})
    void money() {}
  }

  @Test
  void methodsOfOneConsumerAreToldApartByTopicAndAPlaceholderMayStandForSeveral() {
    Map<String, KafkaMethods> found = find(beans -> beans.registerBean(Good.class));

    assertThat(found).containsOnlyKeys("billing");
    assertThat(Objects.requireNonNull(found.get("billing")).all())
        .containsOnlyKeys("orders.placed", "orders.changed", "payments", "refunds");
  }

  @Test
  void aLazyBeanIsMade() {
    assertThat(
            find(
                beans ->
                    beans.registerBean(Good.class, definition -> definition.setLazyInit(true))))
        .containsOnlyKeys("billing");
  }

  static class Batches {
    @HoldfastListener(consumer = "meters", topics = "readings")
    void readings(Transaction tx, List<ConsumerRecord<byte[], byte[]>> readings) {}

    @HoldfastListener(consumer = "parcels", topics = "parcels")
    void payload(List<String> parcels) {}
  }

  static class BatchOfBilling {
    @HoldfastListener(consumer = "billing", topics = "invoices")
    void invoices(List<ConsumerRecord<byte[], byte[]>> invoices) {}
  }

  @Test
  void aListOfRecordsIsABatchAndAnyOtherListIsAPayload() {
    Map<String, KafkaMethods> found =
        find(
            beans -> {
              beans.registerBean(Batches.class);
              beans.registerBean(PayloadReader.class, () -> (payload, type, message) -> payload);
            });

    assertThat(Objects.requireNonNull(found.get("meters")).areForBatches("meters")).isTrue();
    assertThat(Objects.requireNonNull(found.get("parcels")).areForBatches("parcels")).isFalse();
  }

  @Test
  void aConsumerTakesRecordsOrBatches() {
    KafkaMethods billing =
        find(beans -> {
              beans.registerBean(Good.class);
              beans.registerBean(BatchOfBilling.class);
            })
            .get("billing");

    assertThatThrownBy(() -> Objects.requireNonNull(billing).areForBatches("billing"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("Good.")
        .hasMessageContaining("BatchOfBilling.invoices, which takes what was polled at once")
        .hasMessageContaining("Nothing was started. Give each a consumer of its own.");
  }

  static class BatchOfText {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(List<ConsumerRecord<String, String>> messages) {}
  }

  static class BatchAndPayload {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(List<ConsumerRecord<byte[], byte[]>> messages, String payload) {}
  }

  static class BatchAndHeader {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(List<ConsumerRecord<byte[], byte[]>> messages, @Header("tenant") String tenant) {}
  }

  static class OtherBatch {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(ConsumerRecords<byte[], byte[]> messages) {}
  }

  static class Expression {
    @HoldfastListener(consumer = "#{billing}", topics = "t")
    void handle(String message) {}
  }

  static class Again {
    @HoldfastListener(consumer = "billing", topics = "refunds")
    void refunds(String message) {}
  }

  static class Returns {
    @HoldfastListener(consumer = "billing", topics = "t")
    String handle(String message) {
      return message;
    }
  }

  static class NoTopics {
    @HoldfastListener(
        consumer = "billing",
        topics = {})
    void handle(String message) {}
  }

  static class NoConsumer {
    @HoldfastListener(consumer = "", topics = "t")
    void handle(String message) {}
  }

  static class Pattern {
    @HoldfastListener(consumer = "billing", topics = "orders.*")
    void handle(String message) {}
  }

  static class Unresolved {
    @HoldfastListener(consumer = "billing", topics = "${no.such.property}")
    void handle(String message) {}
  }

  static class TwoPayloads {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(String message, byte[] again) {}
  }

  static class Unreadable {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(List<String> message) {}
  }

  static class Primitive {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(int message) {}
  }

  static class OtherRecord {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(ConsumerRecord<String, String> message) {}
  }

  static class NumberHeader {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(@Header("count") Integer count) {}
  }

  static class DefaultHeader {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(@Header(name = "tenant", defaultValue = "north") String tenant) {}
  }

  static class Apart {
    @HoldfastListener(consumer = "billing", topics = "t")
    @Transactional(propagation = Propagation.REQUIRES_NEW)
    void handle(String message) {}
  }

  static class ApartInJakartasWords {
    @HoldfastListener(consumer = "billing", topics = "t")
    @jakarta.transaction.Transactional(jakarta.transaction.Transactional.TxType.REQUIRES_NEW)
    void handle(String message) {}
  }

  @Transactional(propagation = Propagation.NOT_SUPPORTED)
  static class ClassApart {
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(String message) {}
  }

  static class Elsewhere {
    @Async
    @HoldfastListener(consumer = "billing", topics = "t")
    void handle(String message) {}
  }

  static Stream<Arguments> unusable() {
    return Stream.of(
        Arguments.of(Again.class, "The topic refunds of the consumer billing has two listeners"),
        Arguments.of(Returns.class, "returns String, which nobody would take"),
        Arguments.of(NoTopics.class, "names no topics"),
        Arguments.of(NoConsumer.class, "names no consumer"),
        Arguments.of(Pattern.class, "names the topic orders.*, which no topic can be called"),
        Arguments.of(Unresolved.class, "names ${no.such.property}, which cannot be resolved"),
        Arguments.of(TwoPayloads.class, "has two parameters that are the payload"),
        Arguments.of(Unreadable.class, "java.util.List<java.lang.String>, which nothing here can"),
        Arguments.of(Primitive.class, "takes a payload of the type int"),
        Arguments.of(OtherRecord.class, "and records have bytes as they came"),
        Arguments.of(NumberHeader.class, "has a @Header parameter of the type"),
        Arguments.of(DefaultHeader.class, "tenant a default value, which is not supported"),
        Arguments.of(Apart.class, "with the propagation REQUIRES_NEW"),
        Arguments.of(ApartInJakartasWords.class, "with the propagation REQUIRES_NEW"),
        Arguments.of(ClassApart.class, "with the propagation NOT_SUPPORTED"),
        Arguments.of(BatchOfText.class, "and records have bytes as they came"),
        Arguments.of(BatchAndPayload.class, "at once, and a java.lang.String, of which each"),
        Arguments.of(BatchAndHeader.class, "at once, and a java.lang.String, of which each"),
        Arguments.of(OtherBatch.class, "ConsumerRecords<byte[], byte[]>, which is not what comes"),
        Arguments.of(Expression.class, "names #{billing}, and expressions are not evaluated"),
        Arguments.of(Elsewhere.class, "is @Async, so it would run on a thread without"));
  }

  @ParameterizedTest
  @MethodSource("unusable")
  void aMethodThatCannotBeUsedIsRefusedAndTheReasonTold(Class<?> bad, String told) {
    assertThatThrownBy(
            () ->
                find(
                    beans -> {
                      beans.registerBean(Good.class);
                      beans.registerBean(bad);
                    }))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining(told)
        .hasMessageContaining("Nothing was started");
  }

  @Test
  void aPrototypeIsRefused() {
    assertThatThrownBy(
            () ->
                find(
                    beans ->
                        beans.registerBean(
                            Good.class,
                            definition -> definition.setScope(BeanDefinition.SCOPE_PROTOTYPE))))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("is no singleton");
  }

  /** An interface that does not have the listener's method. */
  interface Other {
    void other();
  }

  static class Hidden implements Other {
    @Override
    public void other() {}

    @HoldfastListener(consumer = "billing", topics = "t")
    public void handle(String message) {}
  }

  static class Final {
    @HoldfastListener(consumer = "billing", topics = "t")
    public final void handle(String message) {}
  }

  @Test
  void aMethodThatAProxyDoesNotPassOnIsRefused() {
    assertThatThrownBy(() -> find(beans -> proxied(beans, new Hidden(), false)))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("cannot be called through the proxy of its bean");
    assertThatThrownBy(() -> find(beans -> proxied(beans, new Final(), true)))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("is final, so the proxy of its bean cannot pass a call on");
    assertThat(find(beans -> proxied(beans, new Hidden(), true))).containsOnlyKeys("billing");
  }

  private static void proxied(
      AnnotationConfigApplicationContext beans, Object target, boolean ofTheClass) {
    ProxyFactory factory = new ProxyFactory(target);
    factory.setProxyTargetClass(ofTheClass);
    beans.getBeanFactory().registerSingleton("proxied", factory.getProxy());
  }
}
