package dev.holdfast.devservices;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What Java's {@link ProcessHandle} cannot tell or do: whether a process is only a zombie, its
 * command line, and signals other than TERM and KILL. Reads Linux's {@code /proc}.
 */
final class Processes {
  private static final Path PROC = Path.of("/proc");

  private Processes() {}

  /** One line of {@code /proc/PID/stat}, as far as we use it. */
  private record Stat(char state, long parent) {}

  /** Whether the process runs or could run again; a zombie does not. */
  static boolean isAlive(long pid) {
    Stat stat = stat(pid);
    return stat != null && stat.state() != 'Z' && stat.state() != 'X';
  }

  /** Whether the process is stopped by SIGSTOP. */
  static boolean isStopped(long pid) {
    Stat stat = stat(pid);
    return stat != null && stat.state() == 'T';
  }

  static boolean isChild(long pid, long parent) {
    Stat stat = stat(pid);
    return stat != null && stat.parent() == parent;
  }

  static List<Long> children(long parent) {
    List<Long> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path entry : entries) {
        long pid = Long.parseLong(entry.getFileName().toString());
        if (isChild(pid, parent)) {
          found.add(pid);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot list /proc", e);
    }
    return found;
  }

  /** The arguments of a process; empty when it is gone. */
  static List<String> commandLine(long pid) {
    try {
      String line = Files.readString(PROC.resolve(pid + "/cmdline"), StandardCharsets.ISO_8859_1);
      return List.of(line.split("\0"));
    } catch (IOException e) {
      return List.of();
    }
  }

  /** Sends a signal, such as {@code KILL}, to each process; those already gone are passed over. */
  static void signal(String name, Collection<Long> pids) {
    if (pids.isEmpty()) {
      return;
    }
    // The shell's own kill: java.lang.Process has no STOP, CONT, INT or QUIT.
    List<String> command = new ArrayList<>(List.of("/bin/sh", "-c"));
    command.add("for pid do kill -" + name + " \"$pid\" 2>/dev/null; done; :");
    command.add("signal");
    pids.forEach(pid -> command.add(Long.toString(pid)));
    run(command);
  }

  static void signal(String name, long pid) {
    signal(name, List.of(pid));
  }

  /** What a short command printed, and how it ended. */
  record Result(int exitCode, String output) {
    boolean succeeded() {
      return exitCode == 0;
    }
  }

  /** Runs a short command to its end, bounded to two minutes. */
  static Result run(List<String> command) {
    Path output = null;
    try {
      output = Files.createTempFile("holdfast-command", ".out");
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(output.toFile())
              .start();
      if (!process.waitFor(2, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new DevServiceException(
            "The command did not end in two minutes and was killed: " + command);
      }
      return new Result(process.exitValue(), Files.readString(output, StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      throw new DevServiceException("Cannot run " + command + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DevServiceException("Interrupted while running " + command, e);
    } finally {
      deleteQuietly(output);
    }
  }

  private static void deleteQuietly(@Nullable Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // An empty file in the temporary directory is not worth failing for.
    }
  }

  private static @Nullable Stat stat(long pid) {
    try {
      String line = Files.readString(PROC.resolve(pid + "/stat"), StandardCharsets.ISO_8859_1);
      // The second field, the program's name, may itself hold spaces and parentheses.
      String[] rest = line.substring(line.lastIndexOf(')') + 2).split(" ");
      return new Stat(rest[0].charAt(0), Long.parseLong(rest[1]));
    } catch (IOException e) {
      return null;
    }
  }
}
