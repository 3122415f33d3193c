package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Message;
import dev.holdfast.devservices.KafkaServer;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.support.BeanDefinitionBuilder;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.type.AnnotationMetadata;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;
import org.springframework.util.ClassUtils;

/** How a relay reaches a cluster is what {@code spring.kafka.*} says. */
@ExtendWith(OutputCaptureExtension.class)
@Tag("long")
final class KafkaSecurityTest {
  private static final String PASSWORD = "not-to-be-logged";
  private static final String LOGIN =
      "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"shop\""
          + " password=\""
          + PASSWORD
          + "\"";

  private final String schema = TestServers.unique("secure_");

  private Map<String, Object> settings(Class<?> application, String... properties) {
    String[] all =
        Stream.concat(Stream.of(properties), Stream.of("holdfast.relay.enabled=false"))
            .toArray(String[]::new);
    try (ConfigurableApplicationContext context =
        Apps.start(application, schema, "orders.*", all)) {
      return context
          .getBean(KafkaSettings.class)
          .of("orders", Map.of("linger.ms", "7", "ssl.protocol", "TLSv1.3"));
    }
  }

  @Test
  void addressesAndSecurityAreTakenOverAndTheTemplatesOwnSettingsAreNot() {
    Map<String, Object> settings =
        settings(
            Apps.Plain.class,
            "spring.kafka.bootstrap-servers=general:1",
            "spring.kafka.producer.bootstrap-servers=one:1,two:2",
            "spring.kafka.security.protocol=SASL_SSL",
            "spring.kafka.properties.sasl.mechanism=PLAIN",
            "spring.kafka.properties.sasl.jaas.config=" + LOGIN + ";",
            "spring.kafka.producer.properties.linger.ms=3",
            "spring.kafka.producer.properties.max.request.size=12345",
            "spring.kafka.ssl.trust-store-location=file:/etc/trust.p12",
            "spring.kafka.ssl.trust-store-password=" + PASSWORD,
            "spring.kafka.ssl.trust-store-type=PKCS12",
            "spring.kafka.ssl.key-store-location=file:/etc/keys.p12",
            "spring.kafka.producer.acks=1",
            "spring.kafka.producer.transaction-id-prefix=shop-",
            "spring.kafka.producer.key-serializer="
                + "org.apache.kafka.common.serialization.LongSerializer");

    assertThat(settings)
        .containsEntry("bootstrap.servers", List.of("one:1", "two:2"))
        .containsEntry("security.protocol", "SASL_SSL")
        .containsEntry("sasl.mechanism", "PLAIN")
        .containsEntry("sasl.jaas.config", LOGIN + ";")
        .containsEntry("max.request.size", "12345")
        .containsEntry("linger.ms", "7")
        .containsEntry("ssl.protocol", "TLSv1.3")
        .containsEntry("ssl.truststore.location", "/etc/trust.p12")
        .containsEntry("ssl.truststore.password", PASSWORD)
        .containsEntry("ssl.truststore.type", "PKCS12")
        .containsEntry("ssl.keystore.location", "/etc/keys.p12")
        .doesNotContainKeys("acks", "transactional.id", "key.serializer", "value.serializer");
  }

  /** As a service connection declares them: they come before the properties. */
  static final class ConnectionDetails implements ImportBeanDefinitionRegistrar {
    @Override
    public void registerBeanDefinitions(
        AnnotationMetadata metadata, BeanDefinitionRegistry registry) {
      registry.registerBeanDefinition("details", details(type()));
    }

    /** In a package of its own in each version of Spring Boot. */
    private static Class<?> type() {
      ClassLoader loader = KafkaSecurityTest.class.getClassLoader();
      String four = "org.springframework.boot.kafka.autoconfigure.KafkaConnectionDetails";
      String three = "org.springframework.boot.autoconfigure.kafka.KafkaConnectionDetails";
      return ClassUtils.resolveClassName(ClassUtils.isPresent(four, loader) ? four : three, loader);
    }

    private static <T> BeanDefinition details(Class<T> type) {
      InvocationHandler handler =
          (proxy, method, arguments) ->
              switch (method.getName()) {
                case "getBootstrapServers" -> List.of("declared:1");
                case "equals" -> proxy == arguments[0];
                case "hashCode" -> 1;
                default -> InvocationHandler.invokeDefault(proxy, method, arguments);
              };
      return BeanDefinitionBuilder.genericBeanDefinition(
              type,
              () ->
                  type.cast(
                      Proxy.newProxyInstance(
                          type.getClassLoader(), new Class<?>[] {type}, handler)))
          .getBeanDefinition();
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import(ConnectionDetails.class)
  static class WithConnectionDetails {}

  @Test
  void connectionDetailsComeBeforeTheProperties() {
    assertThat(
            settings(
                WithConnectionDetails.class,
                "spring.kafka.bootstrap-servers=general:1",
                "spring.kafka.properties.sasl.mechanism=PLAIN"))
        .containsEntry("bootstrap.servers", List.of("declared:1"))
        .containsEntry("sasl.mechanism", "PLAIN");
  }

  /** A key, and its certificate for 127.0.0.1. */
  private static Path keys(Path directory) throws IOException, InterruptedException {
    Path keys = directory.resolve("keys.p12");
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    Process process =
        new ProcessBuilder(
                keytool,
                "-genkeypair",
                "-alias",
                "broker",
                "-keyalg",
                "EC",
                "-dname",
                "CN=broker",
                "-ext",
                "san=ip:127.0.0.1",
                "-validity",
                "3650",
                "-storetype",
                "PKCS12",
                "-keystore",
                keys.toString(),
                "-storepass",
                PASSWORD)
            .inheritIO()
            .start();
    assertThat(process.waitFor()).isZero();
    return keys;
  }

  @Test
  void aBrokerWithPasswordsAndTlsIsReachedThroughAnSslBundle(
      @TempDir Path directory, CapturedOutput output) throws Exception {
    Path keys = keys(directory);
    String listener = "listener.name.relayed.";
    try (KafkaServer kafka =
        KafkaServer.builder()
            .relayed()
            .setting(
                "listener.security.protocol.map",
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,RELAYED:SASL_SSL")
            .setting(listener + "sasl.enabled.mechanisms", "PLAIN")
            .setting(
                listener + "plain.sasl.jaas.config", LOGIN + " user_shop=\"" + PASSWORD + "\";")
            .setting(listener + "ssl.keystore.location", keys.toString())
            .setting(listener + "ssl.keystore.type", "PKCS12")
            .setting(listener + "ssl.keystore.password", PASSWORD)
            .setting(listener + "ssl.key.password", PASSWORD)
            .start()) {
      kafka.createTopic("orders.secured", 1);
      try (ConfigurableApplicationContext application =
          Apps.start(
              Apps.Plain.class,
              schema,
              "orders.secured",
              "holdfast.channels.orders.target=kafka",
              "spring.kafka.bootstrap-servers=" + kafka.relayedBootstrapServers(),
              "spring.kafka.security.protocol=SASL_SSL",
              "spring.kafka.properties.sasl.mechanism=PLAIN",
              "spring.kafka.properties.sasl.jaas.config=" + LOGIN + ";",
              "spring.kafka.ssl.bundle=broker",
              "spring.ssl.bundle.jks.broker.truststore.location=file:" + keys,
              "spring.ssl.bundle.jks.broker.truststore.type=PKCS12",
              "spring.ssl.bundle.jks.broker.truststore.password=" + PASSWORD)) {
        new TransactionTemplate(application.getBean(PlatformTransactionManager.class))
            .executeWithoutResult(
                status ->
                    application
                        .getBean(TransactionalOutbox.class)
                        .publish(Message.of("orders.secured", "4711", "{}")));

        List<ConsumerRecord<String, String>> records =
            TestServers.read(
                Map.of("bootstrap.servers", kafka.bootstrapServers()), "orders.secured", 1);
        assertThat(records).extracting(ConsumerRecord::key).containsExactly("4711");
      }
    }
    assertThat(output).doesNotContain(PASSWORD).doesNotContain("could not be asked");
  }
}
