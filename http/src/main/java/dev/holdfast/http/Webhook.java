package dev.holdfast.http;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP endpoint as the target of a channel: each message is a {@code POST}. Channels are cursors
 * of their own, so that an endpoint that is down holds up no other; give each endpoint a channel.
 *
 * <p>At least once, in the order of the key: a message is sent when the one before it of the same
 * key was answered. {@code Idempotency-Key} and {@code webhook-id} are the message's id, the same
 * whenever it is sent again; a receiver has to drop what it has by it ({@link IdempotentHandler},
 * {@link IdempotencyKeyFilter} and {@link WebhookVerifier} with an inbox do).
 *
 * <table>
 * <caption>What an answer means</caption>
 * <tr><th>answer</th><th>meaning</th></tr>
 * <tr><td>2xx</td><td>delivered</td></tr>
 * <tr><td>4xx other than 408, 409, 425, 429</td><td>refused for what it is: parked with the later
 * ones of its key</td></tr>
 * <tr><td>408, 409, 425, 429, 3xx, 5xx, no answer in time, no connection, anything else</td><td>not
 * known, or not now: sent again, for {@link #retryFor} at once, then when the channel tries
 * again</td></tr>
 * </table>
 *
 * <p>{@code Retry-After} is honoured up to five minutes. Redirects are not followed. After five
 * failures of a host in a row (no answer, 502, 503, 504) nobody in this process tries it for a
 * second, then one probe does.
 *
 * <p>Immutable and thread-safe, apart from what it remembers of its last batch: what was delivered
 * of one that was not finished is not sent again by this process, for 15 minutes.
 */
public final class Webhook implements Target {
  private static final Assumption KEEPS =
      new Assumption(
          "webhook.keeps-what-it-acknowledged",
          null,
          "The endpoint answers 2xx only when it has what it needs of the message, and keeps it.",
          Set.of());
  private static final Assumption ORDER =
      new Assumption(
          "webhook.applies-in-order",
          Capability.ORDER_PER_KEY,
          "The endpoint is done with a message before it answers, or keeps the order in which it answered.",
          Set.of());
  private static final Assumption DEDUPLICATES =
      new Assumption(
          "webhook.deduplicates",
          null,
          "The endpoint tells repeats by Idempotency-Key or webhook-id; one that does not handles them again.",
          Set.of());
  private static final Assumption KEYS =
      new Assumption(
          "webhook.keeps-keys",
          Capability.IDEMPOTENCY_KEY,
          "The endpoint answers a repeat under the same Idempotency-Key or webhook-id without doing it again, for as long as was declared.",
          Set.of());

  private final WebhookSettings settings;
  private final Clients clients = new Clients();
  private final Unfinished unfinished = new Unfinished();

  /** Made when it is needed: each has a thread, and a webhook is described in several steps. */
  private static final class Clients {
    private @Nullable HttpClient own;

    synchronized HttpClient get(WebhookSettings settings) {
      HttpClient given = settings.client();
      if (given != null) {
        return given;
      }
      HttpClient made = own;
      if (made == null) {
        made =
            HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(settings.timeout())
                .build();
        own = made;
      }
      return made;
    }
  }

  private Webhook(WebhookSettings settings) {
    this.settings = settings;
    // What cannot be used is refused here, not when the first message is sent.
    Signing.with(settings.secrets());
  }

  /**
   * An endpoint.
   *
   * @param uri {@code http} or {@code https}; without a user or password
   * @throws InvalidConfiguration when it cannot be used
   */
  public static Webhook to(URI uri) {
    return new Webhook(WebhookSettings.of(uri));
  }

  private Webhook with(Consumer<WebhookSettings.Draft> change) {
    WebhookSettings.Draft draft = new WebhookSettings.Draft(settings);
    change.accept(draft);
    return new Webhook(draft.done());
  }

  /**
   * Signs each message (Standard Webhooks).
   *
   * @param values {@code whsec_} and Base64, at most 8; during a rotation the new and the old one
   * @throws InvalidConfiguration when one is malformed; it is not printed
   */
  public Webhook secrets(String... values) {
    return with(draft -> draft.secrets = List.of(values));
  }

  /**
   * A header of every request, such as {@code Authorization}. Its value is never printed. A message
   * that has a header of this name is refused.
   *
   * @throws InvalidConfiguration when it cannot be sent, or is one that Holdfast sets
   */
  public Webhook header(String name, String value) {
    Map<String, String> more = new HashMap<>(settings.headers());
    more.put(name, value);
    return with(
        draft -> {
          draft.headers = more;
        });
  }

  /** The CloudEvents {@code source} of every message; {@code /holdfast/CHANNEL} when not set. */
  public Webhook source(String uri) {
    return with(draft -> draft.source = uri);
  }

  /** How many messages are under way at once, each of another key; 1 to 64, default 8. */
  public Webhook lanes(int value) {
    return with(draft -> draft.lanes = value);
  }

  /** How long an answer is waited for; 10 ms to 2 min, default 5 s. */
  public Webhook timeout(Duration value) {
    return times(value, settings.retryFor(), settings.batchFor());
  }

  /**
   * How long what could not be delivered is tried again before the channel gives up its turn and
   * says that it is blocked; 0 to 1 min, default 2 s.
   */
  public Webhook retryFor(Duration value) {
    return times(settings.timeout(), value, settings.batchFor());
  }

  /**
   * How long one batch may take, one request's {@link #timeout} apart; 100 ms to 5 min, default 10
   * s. It bounds how long a pause is not seen, and how long a relay that has lost its lease goes on
   * sending. What is left comes with the next turn.
   */
  public Webhook batchFor(Duration value) {
    return times(settings.timeout(), settings.retryFor(), value);
  }

  /**
   * Parks a message, with the later ones of its key, that the endpoint has been answering with an
   * error of its own (a 5xx other than 502, 503 and 504, without {@code Retry-After}) for so long
   * in this process; zero to 30 days. Unless set, such a message is sent again for ever, and its
   * channel waits: nobody can tell it from an outage. Choose a time that no outage takes.
   */
  public Webhook parkErrorsAfter(Duration value) {
    return with(draft -> draft.parkErrorsAfter = Optional.of(value));
  }

  private Webhook times(Duration timeout, Duration retryFor, Duration batchFor) {
    return with(
        draft -> {
          draft.timeout = timeout;
          draft.retryFor = retryFor;
          draft.batchFor = batchFor;
        });
  }

  /** Declares for how long the endpoint keeps keys; not asked of it, and zero unless declared. */
  public Webhook receiverKeepsKeysFor(Duration value) {
    return declared(Optional.of(value), settings.acknowledgment());
  }

  /** Declares what 2xx of this endpoint means; {@link Acknowledgment#ACCEPTED} unless declared. */
  public Webhook acknowledging(Acknowledgment value) {
    return declared(settings.keysKept(), value);
  }

  private Webhook declared(Optional<Duration> keysKept, Acknowledgment acknowledgment) {
    return with(
        draft -> {
          draft.keysKept = keysKept;
          draft.acknowledgment = acknowledgment;
        });
  }

  /**
   * Sends through a client of yours, for a proxy or certificates of your own. It must not follow
   * redirects, and is not closed.
   *
   * @throws InvalidConfiguration when it follows redirects
   */
  public Webhook client(HttpClient value) {
    if (value.followRedirects() != HttpClient.Redirect.NEVER) {
      throw new InvalidConfiguration(
          "The client of a webhook follows redirects, to where nobody chose to send. Nothing was started. Build it with Redirect.NEVER.");
    }
    return with(draft -> draft.client = value);
  }

  /** With another clock than the system's for what is signed. */
  public Webhook clock(InstantSource value) {
    return with(draft -> draft.clock = value);
  }

  /** Without the path, which is a secret at some endpoints. */
  @Override
  public String description() {
    return "webhook " + settings.host();
  }

  @Override
  public String kind() {
    return "webhook";
  }

  @Override
  public Set<Capability> capabilities() {
    return settings.keysKept().isPresent()
        ? Set.of(Capability.ORDER_PER_KEY, Capability.IDEMPOTENCY_KEY)
        : Set.of(Capability.ORDER_PER_KEY);
  }

  @Override
  public Optional<Duration> window(Capability capability) {
    return capability == Capability.IDEMPOTENCY_KEY
        ? Optional.of(settings.keysKept().orElse(Duration.ZERO))
        : Target.super.window(capability);
  }

  @Override
  public Acknowledgment acknowledgment() {
    return settings.acknowledgment();
  }

  @Override
  public List<Assumption> assumptions() {
    List<Assumption> all = new ArrayList<>(List.of(KEEPS, DEDUPLICATES, ORDER));
    if (settings.keysKept().isPresent()) {
      all.add(KEYS);
    }
    return List.copyOf(all);
  }

  @Override
  public TargetSession open(Context context) {
    WebhookSettings s = settings;
    String named = s.source();
    WebhookRequests requests =
        new WebhookRequests(
            s.uri(),
            named == null ? "/holdfast/" + context.channel() : named,
            s.headers(),
            Signing.with(s.secrets()),
            s.timeout(),
            s.clock());
    return new WebhookSession(
        s, requests, clients.get(s), Breaker.of(s.host()), unfinished.of(context.scope()));
  }

  @Override
  public String toString() {
    return description();
  }
}
