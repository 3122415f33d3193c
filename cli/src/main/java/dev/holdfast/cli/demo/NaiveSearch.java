package dev.holdfast.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The usual code, with the usual care: the change is committed, and then the product's document is
 * written to the index, or deleted. What fails is logged, and tried again in the background until
 * it succeeds. A retry of the client's that finds the change answers that all is well.
 */
final class NaiveSearch implements Strategy {
  private static final Logger log = LoggerFactory.getLogger(NaiveSearch.class);

  private static final Duration RETRY_AFTER = Duration.ofMillis(200);
  private static final int MOST_WAITING = 10_000;

  private final DataSource dataSource;
  private final URI documents;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(SearchNetwork.TIMEOUT)
          .build();
  private final BlockingQueue<Write> failed = new LinkedBlockingQueue<>(MOST_WAITING);

  /**
   * @param document {@code null} when it is to be deleted
   */
  private record Write(String id, @Nullable JsonNode document) {}

  NaiveSearch(Wiring wiring, String index) {
    this.dataSource = wiring.dataSource();
    this.documents = wiring.peer().resolve("/" + index + "/_doc/");
    Thread retries = new Thread(this::retry, "index-retries");
    retries.setDaemon(true);
    retries.start();
  }

  @Override
  public void place(String orderId, String customer) throws SQLException, InterruptedException {
    Catalogue.State state;
    try (Connection connection = dataSource.getConnection()) {
      if (Catalogue.isMade(connection, orderId)) {
        return;
      }
      connection.setAutoCommit(false);
      Optional<Catalogue.State> made = Catalogue.make(connection, orderId, customer);
      if (made.isEmpty()) {
        connection.rollback();
        return;
      }
      connection.commit();
      state = made.get();
    }
    Catalogue.Product product = state.product();
    Write write = new Write(state.id(), product == null ? null : product.document());
    try {
      send(write);
    } catch (IOException e) {
      log.warn("{} was not indexed; tried again later", write.id(), e);
      later(write);
    }
  }

  private void later(Write write) {
    if (!failed.offer(write)) {
      log.error("{} is not indexed: too many wait", write.id());
    }
  }

  private void retry() {
    try {
      while (true) {
        Write write = failed.take();
        try {
          send(write);
        } catch (IOException e) {
          log.warn("{} was not indexed again", write.id(), e);
          later(write);
          Timing.pause(RETRY_AFTER);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void send(Write write) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(documents.resolve(write.id())).timeout(SearchNetwork.TIMEOUT);
    JsonNode document = write.document();
    if (document == null) {
      request.DELETE();
    } else {
      request
          .header("Content-Type", "application/json")
          .PUT(HttpRequest.BodyPublishers.ofString(document.toString()));
    }
    int status = http.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    boolean isGone = document == null && status == 404;
    if (status >= 300 && !isGone) {
      throw new IOException("the search engine has answered " + status);
    }
  }

  @Override
  public void close() {
    // What waits is lost, and the pools end with the process.
  }
}
