package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.twophase.Participant;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** An operation across two databases, the first of which is in Spring's transaction. */
final class AtomicOperationsTest {
  private static final String SCHEMA = TestServers.unique("atomic_");
  private static final String LEDGER = TestServers.unique("ledger_");
  private static @Nullable ConfigurableApplicationContext application;

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import(Payments.class)
  static class Application {
    @Bean
    @Primary
    DataSource orders() {
      PGSimpleDataSource orders = new PGSimpleDataSource();
      orders.setUrl(TestServers.POSTGRES.jdbcUrl());
      return orders;
    }

    // snippet:spring-participant
    @Bean
    Participant ledger(@Qualifier("ledgerDataSource") DataSource ledger) {
      return Participant.of("ledger", ledger);
    }

    // end

    @Bean
    DataSource ledgerDataSource() {
      PGSimpleDataSource ledger = new PGSimpleDataSource();
      ledger.setUrl(TestServers.POSTGRES.jdbcUrl(LEDGER));
      return ledger;
    }

    @Bean
    Audit audit(JdbcTemplate jdbc) {
      return new Audit(jdbc);
    }
  }

  /** One that takes part in whatever transaction there is. */
  static class Audit {
    private final JdbcTemplate jdbc;

    Audit(JdbcTemplate jdbc) {
      this.jdbc = jdbc;
    }

    @Transactional(propagation = Propagation.MANDATORY)
    public void write(String id) {
      jdbc.update("insert into atomic_audit values (?)", id);
      if (id.equals("refused")) {
        throw new IllegalStateException("refused");
      }
    }
  }

  record Payment(String id, int cents) {}

  static class Payments {
    private final JdbcClient jdbc;
    private final AtomicOperations operations;
    private final TransactionalOutbox outbox;
    private final Participant ledger;

    Payments(
        JdbcTemplate jdbc,
        AtomicOperations operations,
        TransactionalOutbox outbox,
        Participant ledger) {
      this.jdbc = JdbcClient.create(jdbc);
      this.operations = operations;
      this.outbox = outbox;
      this.ledger = ledger;
    }

    // snippet:spring-atomic
    /** The order, its message and the entry in the other database: all of them, or none. */
    void pay(Payment payment) {
      operations.atomically(
          ledger,
          (orders, ledger) -> {
            jdbc.sql("insert into atomic_order (id, cents) values (?, ?)")
                .params(payment.id(), payment.cents())
                .update();
            outbox.publish(Message.of("orders.paid", payment.id(), "{}"));
            ledger.update("insert into entry values (?, ?)", payment.id(), payment.cents());
          });
    }
    // end
  }

  private final JdbcTemplate orders = bean(JdbcTemplate.class);
  private final JdbcTemplate ledger = new JdbcTemplate(ledgerDataSource());
  private final AtomicOperations operations = bean(AtomicOperations.class);
  private final Participant participant = bean(Participant.class);

  @BeforeAll
  static void start() {
    TestServers.POSTGRES.createDatabase(LEDGER);
    application =
        Apps.start(
            Application.class,
            SCHEMA,
            "orders.*",
            "holdfast.two-phase.recovery-interval=100ms",
            "holdfast.two-phase.recover-after=50ms");
    bean(JdbcTemplate.class).execute("create table atomic_order (id text, cents int)");
    bean(JdbcTemplate.class).execute("create table atomic_audit (id text)");
    new JdbcTemplate(ledgerDataSource())
        .execute("create table entry (id text primary key, cents int)");
  }

  @AfterAll
  static void stop() {
    bean(JdbcTemplate.class).execute("drop table atomic_order, atomic_audit");
    Objects.requireNonNull(application).close();
  }

  @AfterEach
  void forget() {
    orders.execute("truncate atomic_order, atomic_audit");
    ledger.execute("truncate entry");
  }

  private static DataSource ledgerDataSource() {
    return Objects.requireNonNull(application).getBean("ledgerDataSource", DataSource.class);
  }

  private static <T> T bean(Class<T> type) {
    return Objects.requireNonNull(application).getBean(type);
  }

  private void assertBoth(String... ids) {
    assertThat(orders.queryForList("select id from atomic_order", String.class))
        .containsExactly(ids);
    assertThat(ledger.queryForList("select id from entry", String.class)).containsExactly(ids);
    assertThat(prepared()).isEmpty();
  }

  private List<String> prepared() {
    return ledger.queryForList(
        "select gid from pg_prepared_xacts where database = current_database()", String.class);
  }

  private List<String> messages(String key) {
    return orders.queryForList(
        "select topic from " + SCHEMA + ".message where key = ?", String.class, key);
  }

  @Test
  void whatIsDoneInBothIsCommittedWithItsMessage() {
    bean(Payments.class).pay(new Payment("both", 100));

    assertBoth("both");
    assertThat(messages("both")).containsExactly("orders.paid");
  }

  @Test
  void methodsThatTakePartAreInTheDecidingTransaction() {
    operations.atomically(
        participant,
        (o, l) -> {
          insert("audited");
          bean(Audit.class).write("audited");
          l.update("insert into entry values ('audited')");
        });

    assertBoth("audited");
    assertThat(orders.queryForList("select id from atomic_audit", String.class))
        .containsExactly("audited");
  }

  @Test
  void rollbackOnlyUndoesBothThoughItsReasonIsCaught() {
    assertThatThrownBy(
            () ->
                operations.atomically(
                    participant,
                    (o, l) -> {
                      insert("lost");
                      l.update("insert into entry values ('lost')");
                      try {
                        bean(Audit.class).write("refused");
                      } catch (IllegalStateException e) {
                        assertThat(e).hasMessage("refused");
                      }
                    }))
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("rollback-only");

    assertBoth();
  }

  @Test
  void aCallbackThatRefusesTheCommitUndoesBoth() {
    assertThatThrownBy(
            () ->
                operations.atomically(
                    participant,
                    (o, l) -> {
                      insert("lost");
                      l.update("insert into entry values ('lost')");
                      TransactionSynchronizationManager.registerSynchronization(
                          new TransactionSynchronization() {
                            @Override
                            public void beforeCommit(boolean readOnly) {
                              assertThat(prepared()).hasSize(1);
                              throw new IllegalStateException("not today");
                            }
                          });
                    }))
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("not today");

    assertBoth();
  }

  @Test
  void whatFailsToPrepareUndoesTheFirst() {
    assertThatThrownBy(
            () ->
                operations.atomically(
                    participant,
                    (o, l) -> {
                      insert("lost");
                      l.update("insert into entry values ('lost')");
                      l.update("create temporary table not_to_be_prepared (id int)");
                    }))
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("participant ledger");

    assertBoth();
  }

  /** As REQUIRES_NEW. */
  @Test
  void itIsATransactionOfItsOwn() {
    TransactionTemplate outer = new TransactionTemplate(bean(PlatformTransactionManager.class));
    outer.executeWithoutResult(
        status -> {
          insert("outer");
          assertThat(
                  operations.<String>atomicallyReturning(
                      participant,
                      (o, l) -> {
                        insert("inner");
                        l.update("insert into entry values ('inner')");
                        return "done";
                      }))
              .isEqualTo("done");
          status.setRollbackOnly();
        });

    assertBoth("inner");
  }

  @Test
  void participantsAndSettingsAreThoseOfTheApplication() {
    Holdfast holdfast = bean(Holdfast.class);
    operations.atomic().with(participant).run(tx -> tx.on(participant).update("delete from entry"));

    assertThat(holdfast.store().decisions().participants())
        .extracting(each -> each.name())
        .containsExactly("ledger");
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .contains("holdfast-recovery-ledger");
  }

  private void insert(String id) {
    orders.update("insert into atomic_order values (?, 1)", id);
  }
}
