package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The directory of one server: its data, its log and a lock. The lock is held by this JVM until
 * {@link #release}, and by the operating system released with the JVM's death; so whoever gets it
 * knows that a server still found on the data was left behind, and may end it.
 */
final class ServerHome {
  private final Path root;
  private final boolean temporary;
  private final FileChannel lock;

  private ServerHome(Path root, boolean temporary, FileChannel lock) {
    this.root = root;
    this.temporary = temporary;
    this.lock = lock;
  }

  /** Takes the given directory, or a fresh temporary one, for this JVM. */
  static ServerHome acquire(@Nullable Path given, String prefix) {
    try {
      Path root =
          given == null
              ? Files.createTempDirectory(prefix)
              : Files.createDirectories(given.toAbsolutePath().normalize());
      if (given == null) {
        // A server that runs as another user has to reach its data below.
        Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx--x--x"));
      }
      return new ServerHome(root, given == null, lock(root));
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot use %s for a server: %s. Choose another with dataDirectory(Path)."
              .formatted(given == null ? "a temporary directory" : given, e.getMessage()),
          e);
    }
  }

  private static FileChannel lock(Path root) throws IOException {
    FileChannel channel =
        FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // Held by this very JVM: the same answer.
    }
    channel.close();
    throw new DevServiceException(
        "The directory %s is in use by a running program. Nothing was started. Close the server there first, or choose another with dataDirectory(Path)."
            .formatted(root));
  }

  Path data() {
    return root.resolve("data");
  }

  Path log() {
    return root.resolve("server.log");
  }

  Path file(String name) {
    return root.resolve(name);
  }

  boolean isTemporary() {
    return temporary;
  }

  /** The directory that nobody needs once the server has gone, if there is one. */
  @Nullable Path scratch() {
    return temporary ? root : null;
  }

  /**
   * Ends the server with the given process id, if that is still one on this directory.
   *
   * @param ours tells by its command line whether that process is such a server
   */
  void endLeftOver(long pid, Predicate<List<String>> ours, String signal) {
    if (!Processes.isAlive(pid) || !ours.test(Processes.commandLine(pid))) {
      return;
    }
    List<Long> children = Processes.children(pid);
    Processes.signal("CONT", children);
    Processes.signal("CONT", pid);
    Processes.signal(signal, pid);
    if (!Await.holdsWithin(Duration.ofSeconds(10), () -> !Processes.isAlive(pid))
        && ours.test(Processes.commandLine(pid))) {
      children = Processes.children(pid);
      Processes.signal("KILL", pid);
      Processes.signal("KILL", children);
    }
    Await.until(
        Duration.ofSeconds(10),
        () -> !Processes.isAlive(pid),
        () ->
            "The server with pid %d, left on %s by an earlier program, cannot be ended. End it by hand."
                .formatted(pid, root));
  }

  /** Starts a server here; when that fails, the directory is given up. */
  <S> S releasedUnless(Supplier<S> started) {
    S server = null;
    try {
      server = started.get();
      return server;
    } finally {
      if (server == null) {
        release();
      }
    }
  }

  /** Gives the directory up and, if it is temporary, deletes it. */
  void release() {
    try {
      lock.close();
    } catch (IOException e) {
      throw new DevServiceException("Cannot release " + root + ": " + e.getMessage(), e);
    }
    if (temporary) {
      Directories.delete(root);
    }
  }
}
