package dev.holdfast.cli.prove.twophase;

import dev.holdfast.HoldfastException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A process of {@link OwnerMain}'s, and what it was told. */
final class Owner {
  private final Process process;
  private final Thread reader;
  private final Map<String, Character> told = new ConcurrentHashMap<>();

  Owner(String ordersUrl, String ledgerUrl, Mutant mutant, String prefix, boolean asynchronous) {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx256m",
            "-Dholdfast.log=OFF",
            "-Dholdfast.log.clients=OFF",
            "-cp",
            System.getProperty("java.class.path"),
            OwnerMain.class.getName(),
            ordersUrl,
            ledgerUrl,
            mutant.id(),
            prefix,
            Boolean.toString(asynchronous));
    try {
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    } catch (IOException e) {
      throw new HoldfastException(
          "A process could not be started: " + e.getMessage() + ". The proof is over.", e);
    }
    reader = new Thread(this::read, "owner-" + prefix);
    reader.setDaemon(true);
    reader.start();
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.length() > 2 && line.charAt(1) == ' ') {
          told.put(line.substring(2), line.charAt(0));
        }
      }
    } catch (IOException e) {
      // Killed while it wrote.
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** SIGSTOP: the process keeps all it has, and does nothing. */
  void pause() {
    signal("-STOP");
  }

  void resume() {
    signal("-CONT");
  }

  private void signal(String name) {
    if (!process.isAlive()) {
      return;
    }
    try {
      new ProcessBuilder("kill", name, Long.toString(process.pid())).inheritIO().start().waitFor();
    } catch (IOException e) {
      throw new HoldfastException(
          "A process could not be stopped: " + e.getMessage() + ". The proof is over.", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** SIGKILL. What it was told until then is known when this returns. */
  void kill() {
    process.destroyForcibly().onExit().join();
    try {
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ids, and {@code c}, {@code f} or {@code u}. */
  Map<String, Character> told() {
    return told;
  }
}
