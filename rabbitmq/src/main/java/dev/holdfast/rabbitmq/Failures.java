package dev.holdfast.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Method;
import com.rabbitmq.client.ShutdownSignalException;
import org.jspecify.annotations.Nullable;

/** Tells the broker's answers apart: is it the message, or the world? */
final class Failures {
  private Failures() {}

  /**
   * Why a channel was closed over the message that was published last, or {@code null} when it was
   * for something else: there is no such exchange, we may not, it is too large.
   */
  static @Nullable String refusal(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e instanceof ShutdownSignalException signal && !signal.isHardError()) {
        Method reason = signal.getReason();
        if (reason instanceof AMQP.Channel.Close close
            && (close.getReplyCode() == AMQP.NOT_FOUND
                || close.getReplyCode() == AMQP.ACCESS_REFUSED
                || close.getReplyCode() == AMQP.PRECONDITION_FAILED
                || close.getReplyCode() == AMQP.CONTENT_TOO_LARGE)) {
          return close.getReplyText();
        }
      }
    }
    return null;
  }

  static String text(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (e.getMessage() != null && !e.getMessage().isEmpty()) {
        return e.getMessage();
      }
    }
    return error.getClass().getSimpleName();
  }
}
