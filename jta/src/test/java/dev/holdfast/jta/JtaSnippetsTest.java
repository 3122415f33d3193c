package dev.holdfast.jta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import jakarta.jms.Session;
import jakarta.jms.XAConnectionFactory;
import java.util.List;
import javax.sql.DataSource;
import javax.sql.XADataSource;
import org.junit.jupiter.api.Test;
import org.springframework.transaction.jta.JtaTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** The code of {@code docs/jta.md}. */
final class JtaSnippetsTest {
  private final XADataSource xaDataSource = Drivers.xa(TestServers.ORDERS);
  private final XAConnectionFactory xaConnectionFactory = Drivers.broker(TestServers.ARTEMIS.url());

  @Test
  void theCodeOfTheManualCommitsInADatabaseAndABroker() throws Exception {
    TestServers.execute(TestServers.ORDERS, "create table shop_order (id text primary key)");
    // snippet:jta-participants
    XaParticipant<XaBranch> orders = XaParticipant.jdbc("orders", xaDataSource);
    XaParticipant<Session> shipping = XaParticipant.jms("shipping", xaConnectionFactory);
    // end
    try (HikariDataSource logDataSource = TestServers.pool(TestServers.ORDERS);
        XaCommit xa = start(logDataSource, orders, shipping)) {
      commit(xa, orders, shipping, "order-1");
      several(xa, orders, shipping, "order-2");
      spring(xa, orders, shipping, "order-3");

      assertThatThrownBy(() -> commit(xa, orders, shipping, "order-1"))
          .hasMessageContaining("duplicate key");
      assertThat(TestServers.ids(TestServers.ORDERS, "shop_order"))
          .containsExactly("order-1", "order-2", "order-3");
      assertThat(TestServers.bodies("orders.placed"))
          .isEqualTo(List.of("order-1", "order-2", "order-3"));
      assertThat(TestServers.prepared(TestServers.ORDERS)).isEmpty();
    }
  }

  private static XaCommit start(
      DataSource logDataSource, XaParticipant<XaBranch> orders, XaParticipant<Session> shipping) {
    // snippet:jta-start
    XaCommit xa = XaCommit.as("shop_1").logIn(logDataSource).participants(orders, shipping).start();
    // end
    return xa;
  }

  private static void commit(
      XaCommit xa, XaParticipant<XaBranch> orders, XaParticipant<Session> shipping, String id)
      throws Exception {
    // snippet:jta-atomically
    xa.atomically(
        orders,
        shipping,
        (o, session) -> {
          o.update("insert into shop_order (id) values (?)", id);
          session
              .createProducer(session.createQueue("orders.placed"))
              .send(session.createTextMessage(id));
        });
    // end
  }

  private static void several(
      XaCommit xa, XaParticipant<XaBranch> orders, XaParticipant<Session> shipping, String id)
      throws Exception {
    // snippet:jta-several
    xa.atomically(
        tx -> {
          tx.in(orders).update("insert into shop_order (id) values (?)", id);
          Session session = tx.in(shipping);
          session
              .createProducer(session.createQueue("orders.placed"))
              .send(session.createTextMessage(id));
        });
    // end
  }

  private static void spring(
      XaCommit xa, XaParticipant<XaBranch> orders, XaParticipant<Session> shipping, String id) {
    // snippet:jta-spring
    JtaTransactionManager transactionManager =
        new JtaTransactionManager(xa.userTransaction(), xa.transactionManager());
    // end
    transactionManager.afterPropertiesSet();
    TransactionTemplate template = new TransactionTemplate(transactionManager);
    template.executeWithoutResult(
        status -> {
          try {
            // snippet:jta-join
            xa.join(orders).update("insert into shop_order (id) values (?)", id);
            Session session = xa.join(shipping);
            session
                .createProducer(session.createQueue("orders.placed"))
                .send(session.createTextMessage(id));
            // end
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
    assertThatThrownBy(
            () ->
                template.executeWithoutResult(
                    status -> {
                      try {
                        xa.join(orders).update("insert into shop_order (id) values ('never')");
                        Session session = xa.join(shipping);
                        session
                            .createProducer(session.createQueue("orders.placed"))
                            .send(session.createTextMessage("never"));
                      } catch (Exception e) {
                        throw new IllegalStateException(e);
                      }
                      throw new IllegalArgumentException("rolled back");
                    }))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
