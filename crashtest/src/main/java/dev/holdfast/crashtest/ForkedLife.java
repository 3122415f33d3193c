package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Fault;
import dev.holdfast.crashtest.report.Phase;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A life in a JVM of its own, which halts itself at the planned point. Its trace is mirrored here,
 * so that a run reads the same wherever the process lives.
 */
final class ForkedLife implements Life {
  /** For the JVM to start, and to answer when the code under test has ended. */
  private static final Duration OVERHEAD = Duration.ofSeconds(30);

  private final Trace trace;
  private final Duration timeout;
  private final Process jvm;
  private final Writer requests;
  private final BlockingQueue<List<String>> answers = new LinkedBlockingQueue<>();
  private final CompletableFuture<Void> crashed = new CompletableFuture<>();
  private volatile boolean expected;

  private ForkedLife(Trace trace, Duration timeout, Process jvm) {
    this.trace = trace;
    this.timeout = timeout;
    this.jvm = jvm;
    this.requests = jvm.outputWriter(StandardCharsets.UTF_8);
  }

  /**
   * Begins lives.
   *
   * @param jvms where they are lived
   * @param source what describes the scenario there
   * @param shared the values that the description shares
   */
  static Source source(
      Forks jvms, String source, Map<String, String> shared, Trace trace, Duration attemptTimeout) {
    return again -> begin(jvms.take(), source, shared, trace, attemptTimeout, again);
  }

  private static Born begin(
      Process jvm,
      String source,
      Map<String, String> shared,
      Trace trace,
      Duration attemptTimeout,
      boolean again) {
    ForkedLife life = new ForkedLife(trace, attemptTimeout.plus(OVERHEAD), jvm);
    LabThread.inBackground("fork-reader", life::read);
    life.send(ForkProtocol.line(ForkProtocol.SOURCE, source));
    shared.forEach((name, value) -> life.send(ForkProtocol.line(ForkProtocol.SHARE, name, value)));
    for (Fault fault : trace.planned()) {
      if (fault.point() != null) {
        life.send(ForkProtocol.line(ForkProtocol.FAULT, ForkProtocol.fault(fault)));
      }
    }
    return new Born(life, life.ask(ForkProtocol.line(ForkProtocol.BEGIN, again)));
  }

  /** Until the JVM has gone; only then, and with everything read, is it known to be dead. */
  private void read() throws IOException, InterruptedException {
    try (BufferedReader lines = jvm.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        handle(ForkProtocol.words(line));
      }
    } catch (IOException e) {
      // Broken off, as by a kill.
    }
    int status = jvm.waitFor();
    if (!expected) {
      trace.problem(
          "The forked JVM ended by itself with status "
              + status
              + ", before its planned point. Its standard error may say why.");
    }
    crashed.complete(null);
    answers.add(List.of(ForkProtocol.ENDED, How.CRASHED.name(), "", "false"));
  }

  private void handle(List<String> words) {
    switch (words.get(0)) {
      case ForkProtocol.BEGUN -> trace.mirror(ForkProtocol.point(words.get(1)), false);
      case ForkProtocol.STRUCK -> {
        expected = true;
        trace.mirror(ForkProtocol.point(words.get(1)), true);
      }
      case ForkProtocol.COMPLETED -> trace.mirrorCompleted(point(words));
      case ForkProtocol.NOTE -> trace.note(words.get(1));
      case ForkProtocol.PROBLEM -> trace.problem(words.get(1));
      default -> answers.add(words);
    }
  }

  private static CommitPoint point(List<String> words) {
    return ForkProtocol.point(words.get(1));
  }

  private void send(String line) {
    try {
      requests.write(line + "\n");
      requests.flush();
    } catch (IOException e) {
      // It is dead, and its reader knows.
    }
  }

  private Ended ask(String line) {
    List<String> answer = answer(line);
    return answer.get(0).equals(ForkProtocol.ENDED)
        ? ForkProtocol.ended(answer)
        : Ended.of(How.RETURNED);
  }

  private List<String> answer(String line) {
    if (crashed.isDone()) {
      return List.of(ForkProtocol.ENDED, How.CRASHED.name(), "", "false");
    }
    send(line);
    try {
      List<String> answer = answers.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
      return answer == null
          ? List.of(ForkProtocol.ENDED, How.STILL_RUNNING.name(), "", "false")
          : answer;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of(ForkProtocol.ENDED, How.STILL_RUNNING.name(), "", "false");
    }
  }

  @Override
  public void enter(Phase phase) {
    ask(ForkProtocol.line(ForkProtocol.ENTER, phase));
  }

  @Override
  public Ended attempt(String key) {
    return ask(ForkProtocol.line(ForkProtocol.ATTEMPT, key));
  }

  @Override
  public boolean isIdle() {
    List<String> answer = answer(ForkProtocol.line(ForkProtocol.IDLE));
    return answer.size() > 1 && answer.get(1).equals("true");
  }

  @Override
  public boolean isCrashed() {
    return crashed.isDone();
  }

  @Override
  public CompletableFuture<Void> crashed() {
    return crashed;
  }

  @Override
  public void settle() {
    ask(ForkProtocol.line(ForkProtocol.SETTLE));
  }

  @Override
  public void crash(String where) {
    expected = true;
    jvm.destroyForcibly();
    Await.done(crashed, timeout);
  }

  @Override
  public void bury() {
    // The operating system does it.
  }

  @Override
  public void stop() {
    expected = true;
    send(ForkProtocol.line(ForkProtocol.STOP));
    if (!Await.done(crashed, OVERHEAD)) {
      crash("because it does not stop");
    }
  }
}
