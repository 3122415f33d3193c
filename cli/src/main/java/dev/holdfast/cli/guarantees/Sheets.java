package dev.holdfast.cli.guarantees;

import dev.holdfast.boundary.Boundary;
import dev.holdfast.guarantee.Guarantee;
import dev.holdfast.guarantee.Guarantees;
import dev.holdfast.http.HttpClients;
import dev.holdfast.http.HttpService;
import dev.holdfast.http.Webhook;
import dev.holdfast.jms.Jms;
import dev.holdfast.jms.JmsSource;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.mariadb.MariaDbBoundary;
import dev.holdfast.opensearch.SearchEngine;
import dev.holdfast.opensearch.SearchIndex;
import dev.holdfast.opensearch.SearchTarget;
import dev.holdfast.postgres.PostgresBoundary;
import dev.holdfast.rabbitmq.RabbitMq;
import dev.holdfast.rabbitmq.RabbitMqSource;
import jakarta.jms.ConnectionFactory;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The guarantees of what this version carries out. */
final class Sheets {
  /** Of whom nothing is asked. */
  private static final ConnectionFactory NOBODY =
      (ConnectionFactory)
          Proxy.newProxyInstance(
              Sheets.class.getClassLoader(),
              new Class<?>[] {ConnectionFactory.class},
              (proxy, method, arguments) -> {
                throw new UnsupportedOperationException("there is no broker");
              });

  /** As an example: it is for whoever configures the target to say, and the sheet follows it. */
  private static final Duration IDS_KEPT = Duration.ofMinutes(5);

  /** As an example, too: what such services commonly promise. */
  private static final Duration KEYS_KEPT = Duration.ofHours(24);

  private Sheets() {}

  static List<Guarantee> all() {
    Boundary postgres = new PostgresBoundary();
    // What a target declares does not depend on where it is, and nobody is asked.
    var kafka = Kafka.to(Map.of("bootstrap.servers", "localhost:9092"));
    var search =
        SearchTarget.to(
            SearchIndex.of(SearchEngine.at(URI.create("http://localhost:9200")), "documents"),
            message -> Optional.empty());
    return List.of(
        Guarantees.localTransaction(postgres),
        Guarantees.outbox(postgres, kafka),
        Guarantees.outbox(postgres, kafka.plain()),
        Guarantees.outbox(postgres, Webhook.to(URI.create("https://localhost/"))),
        Guarantees.outbox(postgres, Jms.to(NOBODY)),
        Guarantees.outbox(postgres, Jms.to(NOBODY).artemisDeduplication(IDS_KEPT)),
        Guarantees.outbox(postgres, RabbitMq.to(new com.rabbitmq.client.ConnectionFactory(), "")),
        Guarantees.outbox(postgres, search),
        Guarantees.inbox(postgres),
        Guarantees.receiver(new HttpClients(), postgres),
        Guarantees.consumer(kafka, postgres),
        Guarantees.listener(new JmsSource(), postgres),
        Guarantees.listener(new RabbitMqSource(), postgres),
        Guarantees.twoPhase(postgres, postgres),
        Guarantees.twoPhase(postgres, new MariaDbBoundary()),
        Guarantees.reservation(postgres),
        Guarantees.workflow(postgres, new HttpService(KEYS_KEPT, true, true)),
        Guarantees.workflow(postgres, new HttpService(null, false, false)),
        Guarantees.eventLog(postgres),
        Guarantees.events(postgres, kafka),
        Guarantees.events(postgres, search),
        Guarantees.reconciliation(postgres, search));
  }
}
