package dev.holdfast;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How {@link Holdfast#transact} runs a transaction.
 *
 * @param isolation the isolation level
 * @param attempts how often the work is run in all when the database reports a serialization
 *     failure (40001) or a deadlock (40P01); 1 to 100
 * @param operationId the id of the business operation, 1 to 200 characters; made when {@code null}
 */
public record TransactionOptions(Isolation isolation, int attempts, @Nullable String operationId) {

  /** READ COMMITTED, up to five attempts, a new operation id. */
  public static final TransactionOptions DEFAULT =
      new TransactionOptions(Isolation.READ_COMMITTED, 5, null);

  public TransactionOptions {
    if (attempts < 1 || attempts > 100) {
      throw new InvalidConfiguration(
          "attempts is " + attempts + ", and must be 1 to 100. No transaction was begun.");
    }
    if (operationId != null && (operationId.isEmpty() || operationId.length() > 200)) {
      throw new InvalidConfiguration(
          "The operation id has "
              + operationId.length()
              + " characters, and must have 1 to 200. No transaction was begun.");
    }
  }

  public TransactionOptions withIsolation(Isolation level) {
    return new TransactionOptions(level, attempts, operationId);
  }

  public TransactionOptions withAttempts(int number) {
    return new TransactionOptions(isolation, number, operationId);
  }

  /** The id under which everything this transaction records can be found again. */
  public TransactionOptions withOperationId(String id) {
    return new TransactionOptions(isolation, attempts, id);
  }

  String operationIdOrNew() {
    return operationId == null ? UUID.randomUUID().toString() : operationId;
  }
}
