package dev.holdfast.http;

import dev.holdfast.Holdfast;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.Transaction;
import dev.holdfast.inbox.FingerprintMismatch;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Receipt;
import dev.holdfast.inbox.Reply;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The protocol of the key, apart from any server. Thread-safe.
 *
 * <p>Duplicates are turned away twice: by a set of the keys that this process is handling, before
 * they take a connection, and by {@link Inbox#tryOnce}, before they wait for one of another
 * process. So that a flood of duplicates does not take the pool from everybody else.
 *
 * <p>What the application throws travels in {@link Thrown}: an exception of its own that has the
 * type of one of ours must not be taken for ours.
 */
final class Receiver {
  static final String REPLAYED = "Idempotency-Replayed";

  private static final Logger log = LoggerFactory.getLogger(Receiver.class);

  /** Come again: the response is of this moment, and must not be that of the key for ever. */
  private static final Set<Integer> PASSING = Set.of(408, 425, 429);

  private static final int FIRST_SERVER_ERROR = 500;

  private final Holdfast holdfast;
  private final IdempotencySettings settings;
  private final Inbox inbox;
  private final Set<String> inProgress = ConcurrentHashMap.newKeySet();

  Receiver(Holdfast holdfast, IdempotencySettings settings) {
    this.holdfast = holdfast;
    this.settings = settings;
    this.inbox = holdfast.inbox(settings.consumer(), settings.inbox());
  }

  IdempotencySettings settings() {
    return settings;
  }

  /**
   * A request as it came.
   *
   * @param keyLines the lines of its {@code Idempotency-Key}
   */
  record Call(
      String principal,
      String method,
      String path,
      @Nullable String query,
      @Nullable String contentType,
      List<String> keyLines,
      byte[] body) {}

  /** The application. What it throws rolls back. */
  @FunctionalInterface
  interface Work {
    Answer run(Transaction tx) throws SQLException;
  }

  /** What the application threw. */
  static final class Thrown extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Thrown(RuntimeException cause) {
      super(null, cause, false, false);
    }

    RuntimeException thrown() {
      return (RuntimeException) Objects.requireNonNull(getCause());
    }
  }

  /** Rolls back what was done for an answer that is not stored. */
  private static final class NotStored extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient Answer answer;

    NotStored(Answer answer) {
      super(null, null, false, false);
      this.answer = answer;
    }
  }

  /**
   * Handles a request, or answers it as before.
   *
   * @throws Thrown when the application threw; what it did is rolled back
   */
  Answer answer(Call call, Work work) {
    IdempotencyKey.Parsed parsed = IdempotencyKey.parse(call.keyLines(), settings.maxKeyChars());
    if (parsed.problem() != null) {
      return Problem.KEY_MALFORMED.answer(parsed.problem() + ".");
    }
    String key = parsed.key();
    if (key == null && settings.required()) {
      return Problem.KEY_MISSING.answer();
    }
    try {
      return key == null ? plainly(work) : underKey(call, key, work);
    } catch (NotStored e) {
      return e.answer;
    } catch (ResponseTooLarge e) {
      log.error("{} {}: {}", call.method(), call.path(), e.getMessage());
      return Problem.RESPONSE_TOO_LARGE.answer();
    } catch (OutcomeUnknown e) {
      log.warn("{} {}: {}", call.method(), call.path(), e.getMessage());
      return key == null
          ? Problem.OUTCOME_UNKNOWN_WITHOUT_KEY.answer()
          : Problem.OUTCOME_UNKNOWN.answerAfter(settings.retryAfter());
    } catch (StoreUnavailable e) {
      log.warn("{} {}: {}", call.method(), call.path(), e.getMessage());
      return Problem.TRY_AGAIN.answerAfter(settings.retryAfter());
    }
  }

  private Answer plainly(Work work) {
    return holdfast.transactReturning(
        tx -> {
          Answer answer = run(work, tx);
          if (!isKept(answer)) {
            throw new NotStored(answer);
          }
          return answer;
        });
  }

  private Answer underKey(Call call, String key, Work work) {
    String id = id(call, key);
    if (inProgress.size() >= settings.maxInProgress()) {
      return Problem.TRY_AGAIN.answerAfter(settings.retryAfter());
    }
    if (!inProgress.add(id)) {
      return Problem.IN_PROGRESS.answerAfter(settings.retryAfter());
    }
    AtomicReference<@Nullable Answer> whole = new AtomicReference<>();
    try {
      Optional<Receipt> receipt =
          inbox.tryOnce(
              new Incoming(id, fingerprint(call), null),
              tx -> {
                Answer answer = run(work, tx);
                whole.set(answer);
                return stored(answer);
              });
      if (receipt.isEmpty()) {
        return Problem.IN_PROGRESS.answerAfter(settings.retryAfter());
      }
      Answer first = whole.get();
      return receipt.get().repeated() || first == null
          ? StoredAnswer.decode(receipt.get().reply()).with(REPLAYED, "true")
          : first;
    } catch (FingerprintMismatch e) {
      return Problem.KEY_REUSED.answer();
    } finally {
      inProgress.remove(id);
    }
  }

  private static Answer run(Work work, Transaction tx) throws SQLException {
    try {
      return work.run(tx);
    } catch (NotStored | Thrown | ResponseTooLarge e) {
      throw e;
    } catch (RuntimeException e) {
      throw new Thrown(e);
    }
  }

  private Reply stored(Answer answer) {
    if (!isKept(answer)) {
      throw new NotStored(answer);
    }
    return StoredAnswer.encode(answer, settings.maxResponseBytes());
  }

  /** Whether what was done for it is committed with it. */
  static boolean isKept(Answer answer) {
    return answer.status() < FIRST_SERVER_ERROR && !PASSING.contains(answer.status());
  }

  /** Bounded, and nobody reads a principal or a key in it. */
  private static String id(Call call, String key) {
    MessageDigest digest = sha256();
    for (String part : List.of(call.principal(), call.method(), call.path(), key)) {
      add(digest, part.getBytes(StandardCharsets.UTF_8));
    }
    return "http:" + HexFormat.of().formatHex(digest.digest());
  }

  private static byte[] fingerprint(Call call) {
    MessageDigest digest = sha256();
    String type = Objects.requireNonNullElse(call.contentType(), "");
    add(digest, type.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8));
    add(digest, Objects.requireNonNullElse(call.query(), "").getBytes(StandardCharsets.UTF_8));
    add(digest, call.body());
    return digest.digest();
  }

  /** With its length, so that no two lists of parts are the same bytes. */
  private static void add(MessageDigest digest, byte[] part) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(part.length).array());
    digest.update(part);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
