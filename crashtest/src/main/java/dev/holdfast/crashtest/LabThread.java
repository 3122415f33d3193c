package dev.holdfast.crashtest;

import dev.holdfast.crashtest.resource.Role;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A thread that runs code under test for the lab. It has a role, as every thread has: its name
 * without what counts or is random.
 */
final class LabThread extends Thread {
  /** For the code of a dead process to run into its fences, all the way out. */
  private static final Duration UNWINDING = Duration.ofMillis(200);

  private static final Pattern HEX = Pattern.compile("[0-9a-f]{8,}");
  private static final Pattern DIGITS = Pattern.compile("[0-9]+");

  /** The role of the thread that starts a process and lets it recover. */
  static final String START = "start";

  private final String role;
  private final @Nullable Incarnation process;
  private final Predicate<Throwable> refusal;
  private final Body body;
  private final CompletableFuture<Life.Ended> ending = new CompletableFuture<>();

  /** What runs. */
  @FunctionalInterface
  interface Body {
    void run() throws Exception;
  }

  private LabThread(
      String role, @Nullable Incarnation process, Predicate<Throwable> refusal, Body body) {
    super("crash-lab-" + role);
    this.role = role;
    this.process = process;
    this.refusal = refusal;
    this.body = body;
    setDaemon(true);
  }

  /** Runs code of a process until it ends, the process dies, or the time is over. */
  static Life.Ended run(String role, Incarnation process, Scenario<?> scenario, Body body) {
    LabThread thread = new LabThread(role, process, scenario::isRefusal, body);
    thread.start();
    boolean ended =
        Await.done(
            CompletableFuture.anyOf(thread.ending, process.crashed()), scenario.attemptTimeout());
    if (thread.ending.isDone()) {
      return thread.ending.join();
    }
    if (ended) {
      // It may wait for somebody who is dead as well; no real thread would.
      if (!Await.done(thread.ending, UNWINDING)) {
        thread.interrupt();
        Await.done(thread.ending, UNWINDING);
      }
      return Life.Ended.of(Life.How.CRASHED);
    }
    thread.interrupt();
    return Life.Ended.of(Life.How.STILL_RUNNING);
  }

  static void inBackground(String role, Body body) {
    new LabThread(role, null, thrown -> false, body).start();
  }

  @Override
  public void run() {
    Throwable thrown = null;
    try {
      body.run();
    } catch (Throwable e) {
      // Whatever it is, the code under test has answered with it.
      thrown = e;
    }
    ending.complete(ending(thrown));
  }

  private Life.Ended ending(@Nullable Throwable thrown) {
    if (process != null && process.isCrashed()) {
      // Code that caught the crash and returned has answered nobody: its process is dead.
      return Life.Ended.of(Life.How.CRASHED);
    }
    if (thrown == null) {
      return Life.Ended.of(Life.How.RETURNED);
    }
    return new Life.Ended(Life.How.THREW, thrown.toString(), refusal.test(thrown), thrown);
  }

  /** Whether it happens on a thread on which the lab calls code under test, and waits for it. */
  static boolean isOurs(Role role) {
    return role.byCaller() || role.thread().equals(START);
  }

  /** The role of the running thread. */
  static String currentRole() {
    Thread current = Thread.currentThread();
    if (current instanceof LabThread lab) {
      return lab.role;
    }
    String name = DIGITS.matcher(HEX.matcher(current.getName()).replaceAll("#")).replaceAll("#");
    return name.equals(Role.CALLER) || name.equals(START) ? name + "'" : name;
  }
}
