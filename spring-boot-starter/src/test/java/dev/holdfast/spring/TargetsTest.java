package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Message;
import dev.holdfast.outbox.Target;
import dev.holdfast.spring.HoldfastProperties.ChannelProperties;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.mock.env.MockEnvironment;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Channels to something other than Kafka. */
@Tag("extended")
final class TargetsTest {
  private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  private final DefaultListableBeanFactory beans = new DefaultListableBeanFactory();

  private static ChannelProperties channel(String... properties) {
    MockEnvironment environment = new MockEnvironment();
    environment.setProperty("holdfast.channels.c.topics", "orders.*");
    for (String property : properties) {
      int equals = property.indexOf('=');
      environment.setProperty(
          "holdfast.channels.c." + property.substring(0, equals), property.substring(equals + 1));
    }
    return Objects.requireNonNull(
        Binder.get(environment)
            .bindOrCreate("holdfast", HoldfastProperties.class)
            .channels()
            .get("c"));
  }

  private Target target(String... properties) {
    return new Channels(beans, Map::of).target("c", channel(properties));
  }

  private static jakarta.jms.ConnectionFactory jmsFactory() {
    return (jakarta.jms.ConnectionFactory)
        Proxy.newProxyInstance(
            TargetsTest.class.getClassLoader(),
            new Class<?>[] {jakarta.jms.ConnectionFactory.class},
            (proxy, method, args) -> {
              throw new UnsupportedOperationException(method.getName());
            });
  }

  @Test
  void aWebhookGetsTheMessagesOfItsChannelSigned() throws IOException {
    List<Map<String, String>> came = new CopyOnWriteArrayList<>();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/hooks",
        exchange -> {
          Map<String, String> request = new HashMap<>();
          exchange.getRequestHeaders().forEach((name, values) -> request.put(name, values.get(0)));
          request.put("body", new String(exchange.getRequestBody().readAllBytes(), UTF_8));
          came.add(request);
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        });
    server.start();
    try (ConfigurableApplicationContext application =
        Apps.start(
            Apps.Plain.class,
            TestServers.unique("webhook_"),
            "orders.*",
            "holdfast.channels.orders.target=webhook",
            "holdfast.channels.orders.webhook.url=http://127.0.0.1:"
                + server.getAddress().getPort()
                + "/hooks",
            "holdfast.channels.orders.webhook.secrets=" + SECRET,
            "holdfast.channels.orders.webhook.headers.x-shop=north",
            "holdfast.channels.orders.source=/shop")) {
      new TransactionTemplate(application.getBean(PlatformTransactionManager.class))
          .executeWithoutResult(
              status ->
                  application
                      .getBean(TransactionalOutbox.class)
                      .publish(Message.of("orders.placed", "4711", "{\"cents\":1}")));

      await().atMost(Duration.ofSeconds(30)).until(() -> !came.isEmpty());
    } finally {
      server.stop(0);
    }
    assertThat(came.get(0))
        .containsEntry("body", "{\"cents\":1}")
        .containsEntry("X-shop", "north")
        .containsEntry("Ce-source", "/shop")
        .containsKey("Webhook-signature");
  }

  @Test
  void jmsUsesTheConnectionFactoryOfTheApplicationOrTheOneThatIsNamed() {
    assertThatThrownBy(() -> target("target=jms"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("there is no jakarta.jms.ConnectionFactory");
    beans.registerSingleton("broker", jmsFactory());
    assertThat(target("target=jms").kind()).isEqualTo("jms");
    beans.registerSingleton("other", jmsFactory());
    assertThatThrownBy(() -> target("target=jms"))
        .hasMessageContaining("several beans")
        .hasMessageContaining("[broker, other]")
        .hasMessageContaining("holdfast.channels.c.jms.connection-factory");
    assertThat(
            target(
                    "target=jms",
                    "jms.connection-factory=other",
                    "jms.destination=orders",
                    "jms.message-groups=16",
                    "jms.artemis-deduplication=5m")
                .window(dev.holdfast.boundary.Capability.DEDUPLICATION))
        .contains(Duration.ofMinutes(5));
    assertThatThrownBy(() -> target("target=jms", "jms.connection-factory=brokr"))
        .hasMessageContaining("connection-factory is brokr, which is no bean");
  }

  @Test
  void rabbitMqUsesAnAddressOrABeanAndPrintsNoPassword() {
    assertThatThrownBy(() -> target("target=rabbitmq"))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("Set holdfast.channels.c.rabbitmq.uri");
    Target target = target("target=rabbitmq", "rabbitmq.uri=amqp://me:hush@127.0.0.1:5671/shop");
    assertThat(target.description()).contains("127.0.0.1:5671").doesNotContain("hush");
    com.rabbitmq.client.ConnectionFactory factory = new com.rabbitmq.client.ConnectionFactory();
    factory.setHost("rabbit.example");
    beans.registerSingleton("rabbit", factory);
    assertThat(target("target=rabbitmq", "rabbitmq.exchange=shop").description())
        .contains("rabbit.example");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "target=webhook | Set holdfast.channels.c.webhook.url",
        "target=webhook;webhook.url=ftp://h/hush | must be http://HOST or https://HOST",
        "target=webhook;webhook.url=http://h/hush hush | webhook.url is no URL",
        "target=webhook;webhook.url=http://h/;webhook.secrets=whsec_hush! | Nothing was started",
        "target=webhook;webhook.url=http://h/;webhook.lanes=0 | lanes is 0, and must be 1 to 64",
        "target=rabbitmq;rabbitmq.uri=http://me:hush@h | rabbitmq.uri cannot be used",
        "target=rabbitmq;rabbitmq.uri=amqp://me:hush@h: x | rabbitmq.uri cannot be used",
        "target=rabbitmq;rabbitmq.uri=amqp://h;rabbitmq.connection-factory=r | both uri and",
        "target=kafka;webhook.url=http://h/hush | c.webhook.* is set, and the channel's target is kafka",
        "webhook.url=http://h/hush | c.webhook.* is set, and the channel's target is kafka",
        "target=webhook;webhook.url=http://h/;properties.acks=all | c.properties.* is set",
        "target=webhok | is webhok, which is none of kafka, kafka-plain, webhook, jms and rabbitmq",
      })
  void whatIsConfiguredWronglyIsRefusedAndNoSecretIsPrinted(String properties, String told) {
    assertThatThrownBy(() -> target(properties.split(";")))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining(told)
        .hasMessageContaining("Nothing was started")
        .satisfies(
            e -> {
              for (Throwable t = e; t != null; t = t.getCause()) {
                assertThat(t.toString()).doesNotContain("hush");
              }
            });
  }

  @Test
  void propertiesPrintNoSecrets() {
    assertThat(
            channel(
                    "target=webhook",
                    "webhook.url=https://h/hush",
                    "webhook.secrets=hush",
                    "webhook.headers.authorization=hush",
                    "rabbitmq.uri=amqp://me:hush@h")
                .toString())
        .doesNotContain("hush");
  }

  @Test
  void whatIsNotOnTheClassPathIsNotNeededToLoadWhatUsesTheOthers() throws Exception {
    URL[] rest =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.matches(".*(jms|rabbitmq|amqp-client).*"))
            .map(TargetsTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader loader = new URLClassLoader(rest, ClassLoader.getPlatformClassLoader())) {
      assertThatThrownBy(() -> loader.loadClass("jakarta.jms.ConnectionFactory"))
          .isInstanceOf(ClassNotFoundException.class);
      for (Class<?> user :
          List.of(
              OtherTargets.class, BrokerFactories.class, ConsumerPlans.class, Consumers.class)) {
        Class<?> type = Class.forName(user.getName(), true, loader);
        assertThat(type.getClassLoader()).isSameAs(loader);
        assertThat(type.getDeclaredConstructors()).isNotNull();
      }
      // As Spring looks at it, since it is a bean.
      assertThat(Class.forName(Consumers.class.getName(), true, loader).getDeclaredMethods())
          .isNotEmpty();
    }
  }

  private static URL url(String entry) {
    try {
      return Path.of(entry).toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
