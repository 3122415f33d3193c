package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Codec;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.spring.health.WorkflowState;
import dev.holdfast.workflow.Retry;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowListener;
import dev.holdfast.workflow.Workflows;
import java.io.IOException;
import java.net.URL;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.test.util.ReflectionTestUtils;
import org.springframework.transaction.annotation.Transactional;

/** Workflows that are beans, started in Spring's transactions. */
@Tag("extended")
@ExtendWith(OutputCaptureExtension.class)
final class WorkflowsTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  private final String schema = TestServers.unique("workflows_");
  private @Nullable ConfigurableApplicationContext application;

  record Order(String id, int cents) {}

  record Receipt(String text) {}

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import({Shop.class, Started.class})
  static class Application {
    // snippet:spring-workflow
    /** Made of beans that themselves start workflows: these run when all beans are there. */
    @Bean
    Workflow<Order, Receipt> placeOrder(JdbcTemplate jdbc, TransactionalOutbox outbox, Shop shop) {
      return Workflow.define(
          "place-order",
          1,
          Order.class,
          Receipt.class,
          (flow, order) -> {
            flow.step("confirm")
                .retry(Retry.times(3))
                .transact(
                    tx -> {
                      // In the transaction of the step's record.
                      jdbc.update(
                          "update workflow_order set state = 'OK' where id = ?", order.id());
                      outbox.publish(Message.of("orders.confirmed", order.id(), "{}"));
                      shop.check(order);
                    });
            return new Receipt("confirmed " + order.id());
          });
    }
    // end
  }

  static class Shop {
    private final JdbcClient jdbc;
    private final TransactionalWorkflows workflows;
    private final Supplier<Workflow<Order, Receipt>> placeOrder;
    private final Map<String, AtomicInteger> checks = new ConcurrentHashMap<>();

    Shop(
        JdbcTemplate jdbc,
        TransactionalWorkflows workflows,
        ObjectProvider<Workflow<Order, Receipt>> placeOrder) {
      this.jdbc = JdbcClient.create(jdbc);
      this.workflows = workflows;
      this.placeOrder = placeOrder::getObject;
    }

    // snippet:spring-workflow-start
    /** The order and its run are one commit: both are there, or neither. */
    @Transactional
    public void place(Order order) {
      jdbc.sql("insert into workflow_order (id, state) values (?, 'NEW')")
          .param(order.id())
          .update();
      workflows.start(placeOrder.get(), order.id(), order);
      // end
      if (order.cents() < 0) {
        throw new IllegalArgumentException("a negative price");
      }
    }

    @Transactional(readOnly = true)
    public void placeReading(Order order) {
      workflows.start(placeOrder.get(), order.id(), order);
    }

    @Transactional
    public boolean answer(String id, boolean fails) {
      boolean sent = workflows.signal(id, "answer", "yes");
      if (fails) {
        throw new IllegalArgumentException("not after all");
      }
      return sent;
    }

    public int checksOf(String id) {
      AtomicInteger known = checks.get(id);
      return known == null ? 0 : known.get();
    }

    /** What is written in the transaction of a failing attempt must be gone in the next. */
    public void check(Order order) {
      int state = checks.computeIfAbsent(order.id(), id -> new AtomicInteger()).incrementAndGet();
      if (order.cents() == 13 && state == 1) {
        throw new IllegalStateException("unlucky the first time");
      }
    }
  }

  /** Which runs are begun, for whoever defines a listener. */
  static class Started implements WorkflowListener {
    final List<String> ids = Collections.synchronizedList(new ArrayList<>());

    @Override
    public Map<String, String> starting(
        String id, Workflow<?, ?> workflow, Map<String, String> attributes) {
      return attributes;
    }

    @Override
    public Executing executing(Run run) {
      ids.add(run.id());
      return Executing.IGNORED;
    }
  }

  @AfterEach
  void end() {
    if (application != null) {
      application.close();
    }
  }

  private ConfigurableApplicationContext start(String... properties) {
    new JdbcTemplate(new DriverManagerDataSource(TestServers.POSTGRES.jdbcUrl()))
        .execute("create table if not exists workflow_order (id text primary key, state text)");
    ConfigurableApplicationContext started =
        Apps.start(Application.class, schema, "orders.*", properties);
    application = started;
    return started;
  }

  @SuppressWarnings("unchecked")
  private static Workflow<Order, Receipt> workflow(ConfigurableApplicationContext app) {
    return (Workflow<Order, Receipt>) app.getBean("placeOrder", Workflow.class);
  }

  private static String state(ConfigurableApplicationContext app, String id) {
    return String.valueOf(
        app.getBean(JdbcTemplate.class)
            .queryForObject("select state from workflow_order where id = ?", String.class, id));
  }

  @Test
  void aRunBeginsBehindTheCommitOfTheTransactionThatStartsItAndNotAtAllBehindItsRollback()
      throws Exception {
    ConfigurableApplicationContext app = start("holdfast.workflow.poll-interval=1m");
    Shop shop = app.getBean(Shop.class);
    Workflows workflows = app.getBean(Workflows.class);
    String good = TestServers.unique("o-");
    String bad = TestServers.unique("o-");

    assertThatThrownBy(() -> shop.place(new Order(bad, -1)))
        .isInstanceOf(IllegalArgumentException.class);
    shop.place(new Order(good, 1));

    // Well within the poll interval: it was woken by the commit.
    assertThat(workflows.result(workflow(app), good, SOON))
        .contains(new Receipt("confirmed " + good));
    assertThat(state(app, good)).isEqualTo("OK");
    assertThat(workflows.status(bad)).isEmpty();
    assertThat(app.getBean(Started.class).ids).containsExactly(good);
  }

  @Test
  void whatAStepWritesByJdbcTemplateAndPublishesIsInItsCommit() throws Exception {
    ConfigurableApplicationContext app = start();
    Shop shop = app.getBean(Shop.class);
    String id = TestServers.unique("o-");
    shop.place(new Order(id, 13));
    assertThat(app.getBean(Workflows.class).result(workflow(app), id, SOON)).isPresent();
    assertThat(shop.checksOf(id)).isEqualTo(2);
    // The message of the attempt that failed is gone with it.
    assertThat(
            app.getBean(JdbcTemplate.class)
                .queryForObject(
                    "select count(*) from %s.message where key = ?".formatted(schema),
                    Long.class,
                    id))
        .isEqualTo(1);
  }

  @Test
  void aSignalIsSentWithTheCommit() {
    ConfigurableApplicationContext app = start("holdfast.workflow.enabled=false");
    Shop shop = app.getBean(Shop.class);
    String id = TestServers.unique("o-");
    shop.place(new Order(id, 1));
    assertThatThrownBy(() -> shop.answer(id, true)).isInstanceOf(IllegalArgumentException.class);
    assertThat(signals(app)).isZero();
    assertThat(shop.answer(id, false)).isTrue();
    assertThat(signals(app)).isEqualTo(1);
    assertThat(shop.answer("nobody", false)).isFalse();
    // Another process has to run it.
    assertThat(app.getBean(Workflows.class).status(id)).contains(RunStatus.PARKED);
    assertThat(app.getBean(Started.class).ids).isEmpty();
  }

  private long signals(ConfigurableApplicationContext app) {
    Long signals =
        app.getBean(JdbcTemplate.class)
            .queryForObject(
                "select count(*) from %s.workflow_signal".formatted(schema), Long.class);
    return signals == null ? -1 : signals;
  }

  @Test
  void withoutATransactionThatCanCommitNothingIsStarted() {
    ConfigurableApplicationContext app = start();
    TransactionalWorkflows workflows = app.getBean(TransactionalWorkflows.class);
    Order order = new Order(TestServers.unique("o-"), 1);
    assertThatThrownBy(() -> workflows.start(workflow(app), order.id(), order))
        .isInstanceOf(NoTransaction.class);
    assertThatThrownBy(() -> app.getBean(Shop.class).placeReading(order))
        .isInstanceOf(NoTransaction.class);
    assertThat(app.getBean(Workflows.class).status(order.id())).isEmpty();
  }

  @Test
  void workflowsWithoutACodecFailTheStartAndAnApplicationWithoutWorkflowsNeedsNone(
      CapturedOutput output) {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(new WithoutCodec(before));
    try {
      assertThatThrownBy(this::start).hasRootCauseInstanceOf(InvalidConfiguration.class);
      assertThat(output)
          .contains("APPLICATION FAILED TO START")
          .contains("Workflows need a codec")
          .contains("dev.holdfast:holdfast-jackson");
      Apps.start(Apps.Plain.class, TestServers.unique("plain_"), "orders.*").close();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  /** As where holdfast-jackson is not there. */
  private static final class WithoutCodec extends ClassLoader {
    WithoutCodec(ClassLoader parent) {
      super(parent);
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      return name.equals("META-INF/services/" + Codec.class.getName())
          ? Collections.emptyEnumeration()
          : super.getResources(name);
    }
  }

  @Test
  void theHealthOfWorkflowsIsShown() {
    // Without the channel, which has nothing to reach.
    ConfigurableApplicationContext app = start("holdfast.relay.enabled=false");
    assertThat(app.getBean(WorkflowState.Here.class).get())
        .contains(new WorkflowState(List.of("place-order 1"), true));
    assertThat(shown(app)).contains("UP", "workflows", "place-order 1");
    app.getBean(Workflows.class).stop();
    assertThat(shown(app)).contains("DOWN", "leased=false");
  }

  /** In either version of Spring Boot. */
  private static String shown(ConfigurableApplicationContext app) {
    return String.valueOf(
        ReflectionTestUtils.<Object>invokeMethod(app.getBean("holdfastHealthIndicator"), "health"));
  }
}
