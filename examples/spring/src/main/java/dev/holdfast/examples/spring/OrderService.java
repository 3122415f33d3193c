package dev.holdfast.examples.spring;

import dev.holdfast.Message;
import dev.holdfast.spring.TransactionalOutbox;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;
import tools.jackson.databind.json.JsonMapper;

/** Places orders. */
@Service
public class OrderService {
  private final JdbcClient jdbc;
  private final TransactionalOutbox outbox;
  private final JsonMapper json;

  OrderService(JdbcClient jdbc, TransactionalOutbox outbox, JsonMapper json) {
    this.jdbc = jdbc;
    this.outbox = outbox;
    this.json = json;
  }

  // snippet:spring-transactional
  /** The order and its message are one commit: both happen, or neither. */
  @Transactional
  public void place(Order order) {
    jdbc.sql("insert into shop_order (id, cents) values (?, ?)")
        .params(order.id(), order.cents())
        .update();
    outbox.publish(Message.of("orders.placed", order.id(), json.writeValueAsString(order)));
  }
  // end
}
