package dev.holdfast.http;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The circuit breaker of one host, for all channels of this process that deliver there. After some
 * failures in a row it is open: nobody tries. After a pause it is half open: one probe is let
 * through, and its result closes or opens it. Thread-safe.
 */
final class Breaker {
  private static final int MAX_HOSTS = 1000;

  /** The least recently used goes first: it begins anew then, closed. */
  private static final Map<String, Breaker> HOSTS =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Breaker> eldest) {
          return size() > MAX_HOSTS;
        }
      };

  private int failures;
  private long openedAt;
  private boolean probing;

  static Breaker of(String host) {
    synchronized (HOSTS) {
      return HOSTS.computeIfAbsent(host, key -> new Breaker());
    }
  }

  /** Whether a request may be sent now. Whoever gets true has to report what came of it. */
  synchronized boolean tryPass(int opensAfter, Duration pause) {
    if (failures < opensAfter) {
      return true;
    }
    if (probing || !Doorbell.hasPassed(pause, openedAt)) {
      return false;
    }
    probing = true;
    return true;
  }

  synchronized void answered() {
    failures = 0;
    probing = false;
  }

  synchronized void failed() {
    failures = Math.min(failures + 1, Integer.MAX_VALUE - 1);
    openedAt = Doorbell.nanos();
    probing = false;
  }

  /** The request was given up before it could tell anything of the host. */
  synchronized void abandoned() {
    probing = false;
  }
}
