package dev.holdfast.http;

import java.time.Duration;

/** What is answered in the application's place, as RFC 9457 has it. Texts are of our own making. */
enum Problem {
  KEY_MISSING(
      400,
      "Idempotency-Key is missing",
      "This request needs an Idempotency-Key. Nothing was done. Send it again with a key of its own."),
  KEY_MALFORMED(
      400,
      "Idempotency-Key is malformed",
      "Nothing was done. Send one key, a string of printable ASCII such as \\\"8e03978e-40d5-43dd-bc93-6894a57f9324\\\". What is wrong: "),
  IN_PROGRESS(
      409,
      "A request with this Idempotency-Key is being handled",
      "Nothing was done for this one. Send it again later under the same key, and it gets the response of the first."),
  KEY_REUSED(
      422,
      "Idempotency-Key was used for another request",
      "Under this key another body, content type or query was handled. Nothing was done. Use a key of its own for each request."),
  TOO_LARGE(413, "The request is too large", "Nothing was done. The most bytes of a body are "),
  RESPONSE_TOO_LARGE(
      500,
      "The response is too large to be stored",
      "What the request did was rolled back, and would be again."),
  FAILED(
      500,
      "The request failed",
      "What it did was rolled back. It may be sent again under the same key."),
  OUTCOME_UNKNOWN(
      503,
      "It is not known whether the request was executed",
      "It is executed as a whole or not at all. It is safe to repeat under the same key: it is then executed, or answered as it was."),
  OUTCOME_UNKNOWN_WITHOUT_KEY(
      500,
      "It is not known whether the request was executed",
      "It is executed as a whole or not at all. It came without an Idempotency-Key: to repeat it may execute it twice."),
  TRY_AGAIN(
      503,
      "The request cannot be handled now",
      "Nothing was done. It is safe to repeat under the same key.");

  private final int status;
  private final String title;
  private final String detail;

  Problem(int status, String title, String detail) {
    this.status = status;
    this.title = title;
    this.detail = detail;
  }

  Answer answer() {
    return answer("");
  }

  /**
   * @param more of our own words
   */
  Answer answer(String more) {
    return Answer.of(
        status,
        "application/problem+json",
        "{\"status\":%d,\"title\":\"%s\",\"detail\":\"%s%s\"}"
            .formatted(status, title, detail, more));
  }

  Answer answerAfter(Duration wait) {
    return answer().with("Retry-After", Long.toString(wait.toSeconds()));
  }
}
