package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidMessage;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.UnroutedTopic;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.store.OutboxRecord;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** What is recorded in Spring's transactions of JDBC, in each way in which one can go. */
final class JoiningTest {
  private static final String SCHEMA = TestServers.unique("joining_");
  private static @Nullable ConfigurableApplicationContext application;

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    @Bean
    CountingDataSource dataSource() {
      PGSimpleDataSource real = new PGSimpleDataSource();
      real.setUrl(TestServers.POSTGRES.jdbcUrl());
      return new CountingDataSource(real);
    }

    @Bean
    Tracer tracer() {
      return new Tracer();
    }
  }

  /** A listener as tracing is: it writes the context of its caller into the message. */
  private static final class Tracer implements OutboxListener {
    final ThreadLocal<String> span = new ThreadLocal<>();
    final List<UUID> met = new CopyOnWriteArrayList<>();
    final List<UUID> recorded = new CopyOnWriteArrayList<>();

    @Override
    public Message publishing(Message message) {
      met.add(message.id());
      String current = span.get();
      return current == null ? message : message.withHeader("span", current);
    }

    @Override
    public void recorded(String operationId, List<Message> messages) {
      messages.forEach(message -> recorded.add(message.id()));
    }

    @Override
    public Sending sending(String channel, List<OutboxRecord> messages) {
      return Sending.IGNORED;
    }

    @Override
    public void phase(String channel, RelayPhase from, RelayPhase to, @Nullable String problem) {}
  }

  private final CountingDataSource dataSource = bean(CountingDataSource.class);
  private final JdbcTemplate jdbc = new JdbcTemplate(dataSource);
  private final TransactionalOutbox outbox = bean(TransactionalOutbox.class);
  private final PlatformTransactionManager manager = bean(PlatformTransactionManager.class);

  @BeforeAll
  static void start() {
    application = Apps.start(Application.class, SCHEMA, "orders.*");
    bean(JdbcTemplate.class).execute("create table if not exists joined_order (id int)");
  }

  @AfterAll
  static void stop() {
    Objects.requireNonNull(application).close();
  }

  @BeforeEach
  void forget() {
    jdbc.execute("truncate joined_order");
    dataSource.sent.clear();
  }

  private static <T> T bean(Class<T> type) {
    return Objects.requireNonNull(application).getBean(type);
  }

  private TransactionTemplate transaction(int propagation) {
    TransactionTemplate template = new TransactionTemplate(manager);
    template.setPropagationBehavior(propagation);
    return template;
  }

  private TransactionTemplate transaction() {
    return transaction(TransactionDefinition.PROPAGATION_REQUIRED);
  }

  private void inTransaction(Runnable work) {
    transaction().executeWithoutResult(status -> work.run());
  }

  private final String topic = TestServers.unique("orders.t");

  private Message message(String key) {
    return Message.of(topic, key, "{}");
  }

  private List<String> recorded() {
    return jdbc.queryForList(
        "select key from " + SCHEMA + ".message where topic = ? order by position",
        String.class,
        topic);
  }

  private List<Integer> orders() {
    return jdbc.queryForList("select id from joined_order order by id", Integer.class);
  }

  private void insert(int id) {
    jdbc.update("insert into joined_order values (?)", id);
  }

  @Test
  void manyMessagesOfATransactionCostOneStatement() {
    inTransaction(() -> insert(1));
    List<String> without = List.copyOf(dataSource.sent);
    dataSource.sent.clear();

    inTransaction(
        () -> {
          IntStream.range(0, 50).forEach(i -> outbox.publish(message("k" + i)));
          insert(2);
        });

    assertThat(dataSource.sent).hasSize(without.size() + 1);
    assertThat(dataSource.sent).last().isEqualTo("commit");
    assertThat(dataSource.sent.get(dataSource.sent.size() - 2)).contains("publish_all");
    assertThat(recorded()).hasSize(50);
  }

  @Test
  void aTransactionThatPublishesNothingCostsNothing() {
    inTransaction(() -> insert(1));

    assertThat(dataSource.sent).containsExactly("insert into joined_order values (?)", "commit");
  }

  @Test
  void whatRollsBackRecordsNothing() {
    assertThatThrownBy(
            () ->
                inTransaction(
                    () -> {
                      insert(1);
                      outbox.publish(message("k"));
                      throw new IllegalStateException("rolled back");
                    }))
        .hasMessage("rolled back");

    assertThat(recorded()).isEmpty();
    assertThat(orders()).isEmpty();
  }

  @Test
  void aNestedRollbackDropsItsOwnMessagesOnly() {
    TransactionTemplate nested = transaction(TransactionDefinition.PROPAGATION_NESTED);
    inTransaction(
        () -> {
          outbox.publish(message("before"));
          nested.executeWithoutResult(
              status -> {
                outbox.publish(message("lost"));
                nested.executeWithoutResult(inner -> outbox.publish(message("lost as well")));
                status.setRollbackOnly();
              });
          nested.executeWithoutResult(status -> outbox.publish(message("nested")));
          outbox.publish(message("after"));
        });

    assertThat(recorded()).containsExactly("before", "nested", "after");
  }

  @Test
  void aTransactionOfItsOwnHasMessagesOfItsOwn() {
    TransactionTemplate own = transaction(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    assertThatThrownBy(
            () ->
                inTransaction(
                    () -> {
                      outbox.publish(message("outer"));
                      own.executeWithoutResult(status -> outbox.publish(message("inner")));
                      assertThat(recorded()).containsExactly("inner");
                      throw new IllegalStateException("rolled back");
                    }))
        .hasMessage("rolled back");
    inTransaction(
        () -> {
          outbox.publish(message("outer 2"));
          own.executeWithoutResult(
              status -> {
                outbox.publish(message("inner 2"));
                status.setRollbackOnly();
              });
        });

    assertThat(recorded()).containsExactly("inner", "outer 2");
  }

  @Test
  void whatIsPublishedBeforeTheCommitSharesTheStatement() {
    inTransaction(
        () -> {
          outbox.publish(message("first"));
          TransactionSynchronizationManager.registerSynchronization(
              new TransactionSynchronization() {
                @Override
                public void beforeCommit(boolean readOnly) {
                  outbox.publish(message("late"));
                }

                @Override
                public void beforeCompletion() {
                  outbox.publish(message("later"));
                }
              });
        });

    assertThat(dataSource.sent).filteredOn(sql -> sql.contains("publish_all")).hasSize(1);
    assertThat(recorded()).containsExactly("first", "late", "later");
  }

  @Test
  void publishingAfterTheCommitIsRefused() {
    RuntimeException[] refused = new RuntimeException[2];
    inTransaction(
        () ->
            TransactionSynchronizationManager.registerSynchronization(
                new TransactionSynchronization() {
                  @Override
                  public void afterCommit() {
                    refused[0] = failureOf(() -> outbox.publish(message("k")));
                  }

                  @Override
                  public void afterCompletion(int status) {
                    refused[1] = failureOf(() -> outbox.publish(message("k")));
                  }
                }));

    assertThat(refused[0])
        .isInstanceOf(NoTransaction.class)
        .hasMessageContaining("committed already");
    assertThat(refused[1]).isInstanceOf(NoTransaction.class);
    assertThat(recorded()).isEmpty();
  }

  private static @Nullable RuntimeException failureOf(Runnable work) {
    try {
      work.run();
      return null;
    } catch (RuntimeException e) {
      return e;
    }
  }

  @Test
  void publishingOutsideATransactionIsRefused() {
    assertThatThrownBy(() -> outbox.publish(message("k")))
        .isInstanceOf(NoTransaction.class)
        .hasMessageContaining("There is no transaction")
        .hasMessageContaining("@Transactional");
    assertThat(recorded()).isEmpty();
  }

  @Test
  void aReadOnlyTransactionIsRefused() {
    TransactionTemplate readOnly = transaction();
    readOnly.setReadOnly(true);

    assertThatThrownBy(() -> readOnly.executeWithoutResult(status -> outbox.publish(message("k"))))
        .isInstanceOf(NoTransaction.class)
        .hasMessageContaining("read-only");
  }

  @Test
  void aTransactionOfAnotherDataSourceIsRefused() {
    DataSource other = new DriverManagerDataSource(TestServers.POSTGRES.jdbcUrl());
    TransactionTemplate foreign = new TransactionTemplate(new JdbcTransactionManager(other));

    assertThatThrownBy(() -> foreign.executeWithoutResult(status -> outbox.publish(message("k"))))
        .isInstanceOf(NoTransaction.class)
        .hasMessageContaining("not one of Holdfast's DataSource");
    assertThatThrownBy(
            () ->
                foreign.executeWithoutResult(
                    status -> {
                      // Now a connection of ours is bound, in autocommit mode.
                      insert(1);
                      outbox.publish(message("k"));
                    }))
        .isInstanceOf(NoTransaction.class)
        .hasMessageContaining("not one of Holdfast's DataSource");
    assertThat(recorded()).isEmpty();
  }

  @Test
  void aManagerThatIsNoBeanIsJoinedCallByCall() {
    TransactionTemplate unknown = new TransactionTemplate(new JdbcTransactionManager(dataSource));
    unknown.executeWithoutResult(status -> outbox.publish(message("kept")));
    unknown.executeWithoutResult(
        status -> {
          outbox.publish(message("dropped"));
          status.setRollbackOnly();
        });

    assertThat(recorded()).containsExactly("kept");
  }

  @Test
  void aTopicThatNoChannelTakesRollsBackAtTheCommit() {
    assertThatThrownBy(
            () ->
                inTransaction(
                    () -> {
                      insert(1);
                      outbox.publish(Message.of("unknown", "k", "{}"));
                    }))
        .isInstanceOf(UnroutedTopic.class);

    assertThat(orders()).isEmpty();
  }

  @Test
  void aMessageCarriesTheContextOfTheCallThoughItIsWrittenLater() {
    Tracer tracer = bean(Tracer.class);
    Message inner = message("inner");
    Message outer = message("outer");
    Message callByCall = message("call by call");
    tracer.span.set("outer span");
    inTransaction(
        () -> {
          tracer.span.set("inner span");
          outbox.publish(inner);
          tracer.span.set("outer span");
          outbox.publish(outer);
        });
    new TransactionTemplate(new JdbcTransactionManager(dataSource))
        .executeWithoutResult(status -> outbox.publish(callByCall));
    tracer.span.remove();

    assertThat(
            jdbc.queryForList(
                "select key || ': ' || (headers ->> 'span') from "
                    + SCHEMA
                    + ".message where topic = ? order by position",
                String.class,
                topic))
        .containsExactly("inner: inner span", "outer: outer span", "call by call: outer span");
    assertThat(tracer.met)
        .filteredOn(List.of(inner.id(), outer.id(), callByCall.id())::contains)
        .containsExactly(inner.id(), outer.id(), callByCall.id());
    assertThat(tracer.recorded).contains(inner.id(), outer.id(), callByCall.id());
  }

  @Test
  void oneTransactionIsOneOperation() {
    inTransaction(
        () -> {
          outbox.publish("checkout-7", List.of(message("a")));
          outbox.publish(message("b"));
          assertThatThrownBy(() -> outbox.publish("checkout-8", List.of(message("c"))))
              .isInstanceOf(InvalidMessage.class)
              .hasMessageContaining("checkout-7");
        });
    inTransaction(
        () -> {
          outbox.publish(message("d"));
          outbox.publish(message("e"));
        });

    assertThat(
            jdbc.queryForList(
                "select count(*) || ' ' || (operation_id = 'checkout-7') from "
                    + SCHEMA
                    + ".message where topic = ? group by operation_id order by min(position)",
                String.class,
                topic))
        .containsExactly("2 true", "2 false");
  }
}
