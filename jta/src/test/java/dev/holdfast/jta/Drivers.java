package dev.holdfast.jta;

import jakarta.jms.XAConnectionFactory;
import javax.sql.XADataSource;
import org.apache.activemq.artemis.jms.client.ActiveMQXAConnectionFactory;
import org.postgresql.xa.PGXADataSource;

/** What is given to participants; for processes that have no servers of their own, too. */
final class Drivers {
  private Drivers() {}

  static XADataSource xa(String url) {
    PGXADataSource source = new PGXADataSource();
    source.setUrl(url);
    return source;
  }

  static XAConnectionFactory broker(String url) {
    return new ActiveMQXAConnectionFactory(url + "?callTimeout=5000");
  }
}
