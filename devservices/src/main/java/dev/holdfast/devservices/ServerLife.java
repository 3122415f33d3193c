package dev.holdfast.devservices;

import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The life of one server on its directory and ports: started, crashed, paused, ended, and started
 * again. What differs between servers is in {@link Program}. Guarded by the monitor of the server
 * that owns it, except for {@link #running}.
 */
final class ServerLife {
  private static final int START_ATTEMPTS = 5;
  private static final Duration PORT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(60);

  private final ServerHome home;
  private final Program program;
  private final List<Port> ports;
  private volatile @Nullable SupervisedProcess process;
  private boolean closed;

  /**
   * A kind of server.
   *
   * @param endSignal ends it in order
   * @param discardSignal ends it when nobody needs its data any more
   * @param prepare writes what the server reads when it starts, before each start
   * @param command runs it
   * @param ready whether it serves clients, asked once it runs
   */
  record Program(
      String name,
      Duration startTimeout,
      String endSignal,
      String discardSignal,
      Runnable prepare,
      Supplier<List<String>> command,
      BooleanSupplier ready) {}

  /**
   * @param ports the first is the one that clients use
   */
  ServerLife(ServerHome home, Program program, Port... ports) {
    this.home = home;
    this.program = program;
    this.ports = List.of(ports);
  }

  SupervisedProcess running() {
    SupervisedProcess current = process;
    if (current == null || !current.isRunning()) {
      throw new DevServiceException(
          "%s on port %d is not running. Call restart() first."
              .formatted(program.name(), ports.get(0).number()));
    }
    return current;
  }

  /** The first start, which may choose other ports. */
  void launchFirst() {
    for (int attempt = 1; ; attempt++) {
      try {
        launch();
        return;
      } catch (DevServiceException e) {
        // Another program may have taken a free port between our look and the server's.
        boolean replaced = false;
        for (Port port : ports) {
          replaced |= port.replaceIfTaken();
        }
        if (!replaced || attempt == START_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private void launch() {
    if (closed) {
      throw new DevServiceException("This server is closed. Start another one.");
    }
    awaitPorts();
    program.prepare().run();
    SupervisedProcess started =
        SupervisedProcess.start(
            new SupervisedProcess.Launch(
                program.name(), program.command().get(), home.log(), home.scratch(), lastSignal()));
    try {
      awaitReady(started);
      process = started;
    } finally {
      if (process != started) {
        started.kill();
      }
    }
  }

  private void awaitPorts() {
    if (!Await.holdsWithin(PORT_TIMEOUT, () -> ports.stream().allMatch(Port::isFree))) {
      throw new DevServiceException(
          "Port %d is taken by another program. %s was not started. End that program, or choose another port."
              .formatted(
                  ports.stream()
                      .filter(port -> !port.isFree())
                      .findFirst()
                      .orElse(ports.get(0))
                      .number(),
                  program.name()));
    }
  }

  private void awaitReady(SupervisedProcess started) {
    Await.until(
        program.startTimeout(),
        () -> {
          if (!started.isRunning()) {
            throw new DevServiceException(
                "%s ended while starting on port %d; it is not running.%s"
                    .formatted(program.name(), ports.get(0).number(), started.logTail()));
          }
          return program.ready().getAsBoolean();
        },
        () ->
            "%s was not ready on port %d within %s and was killed.%s"
                .formatted(
                    program.name(),
                    ports.get(0).number(),
                    program.startTimeout(),
                    started.logTail()));
  }

  void kill() {
    SupervisedProcess current = process;
    if (current != null) {
      current.kill();
      process = null;
    }
  }

  void stop() {
    end(program.endSignal());
  }

  void restart() {
    stop();
    launch();
  }

  void close() {
    if (!closed) {
      closed = true;
      end(lastSignal());
      home.release();
    }
  }

  /** Nobody needs a clean shutdown on data that is about to be deleted. */
  private String lastSignal() {
    return home.isTemporary() ? program.discardSignal() : program.endSignal();
  }

  private void end(String signal) {
    SupervisedProcess current = process;
    if (current == null) {
      return;
    }
    if (current.isRunning()) {
      current.resume();
      current.signal(signal);
      current.awaitExit(STOP_TIMEOUT);
    }
    process = null;
  }
}
