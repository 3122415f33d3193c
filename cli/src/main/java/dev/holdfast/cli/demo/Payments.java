package dev.holdfast.cli.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The payment provider, as the order service calls it. Thread-safe. */
final class Payments {
  /** How long an answer is waited for; some come later. */
  static final Duration TIMEOUT = Duration.ofMillis(400);

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TIMEOUT).build();
  private final URI provider;

  /** Nothing is charged, and nothing will be: the card was declined, or the key was revoked. */
  static final class Declined extends Exception {
    private static final long serialVersionUID = 1L;

    private final String reason;

    Declined(String reason) {
      super(reason);
      this.reason = reason;
    }

    String reason() {
      return reason;
    }
  }

  Payments(URI provider) {
    this.provider = provider;
  }

  /**
   * Charges what an order costs.
   *
   * @param key makes it once; {@code null} charges again when called again
   * @return the charge's number
   * @throws IOException when it is not known whether it was charged
   */
  String charge(@Nullable String key, String orderId)
      throws Declined, IOException, InterruptedException {
    Purchase purchase = Purchase.of(orderId);
    HttpRequest.Builder request =
        request(
            PaymentProvider.CHARGES
                + "?order=%s&cents=%d&card=%s"
                    .formatted(orderId, purchase.cents(), purchase.card()));
    if (key != null) {
      request.header(PaymentProvider.KEY_HEADER, key);
    }
    HttpResponse<String> answer = send(request.POST(HttpRequest.BodyPublishers.noBody()));
    if (answer.statusCode() == 404) {
      throw unexpected(answer);
    }
    return charged(answer);
  }

  /**
   * Looks up what became of a charge.
   *
   * @return the charge's number; empty when the provider has not seen the key yet
   */
  Optional<String> find(String key) throws Declined, IOException, InterruptedException {
    HttpResponse<String> answer = send(request(PaymentProvider.CHARGES + "?key=" + key).GET());
    return answer.statusCode() == 404 ? Optional.empty() : Optional.of(charged(answer));
  }

  private static String charged(HttpResponse<String> answer) throws Declined, IOException {
    return switch (answer.statusCode()) {
      case 200 -> answer.body();
      case 402 -> throw new Declined("the card was declined");
      case 410 -> throw new Declined("the key was revoked");
      default -> throw unexpected(answer);
    };
  }

  /** Gives back what is charged under a key, now or later. */
  void refundKey(String key) throws IOException, InterruptedException {
    refund("key=" + key);
  }

  void refundCharge(String charge) throws IOException, InterruptedException {
    refund("charge=" + charge);
  }

  private void refund(String what) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        send(
            request(PaymentProvider.REFUNDS + "?" + what)
                .POST(HttpRequest.BodyPublishers.noBody()));
    if (answer.statusCode() != 204) {
      throw unexpected(answer);
    }
  }

  private HttpRequest.Builder request(String pathAndQuery) {
    return HttpRequest.newBuilder(provider.resolve(pathAndQuery)).timeout(TIMEOUT);
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static IOException unexpected(HttpResponse<String> answer) {
    return new IOException("the payment provider has answered " + answer.statusCode());
  }
}
