package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Directories that are made once and then only read, shared by all programs of a user. An entry
 * appears by an atomic rename when it is complete; a file lock keeps concurrent programs from
 * making it twice.
 */
final class Cache {
  /** Within one JVM a file lock is no lock: a second attempt would be refused, not wait. */
  private static final Object IN_THIS_JVM = new Object();

  private final Path root;

  private Cache(Path root) {
    this.root = root;
  }

  /** Fills the directory of a new entry. */
  interface Filler {
    void fill(Path directory) throws IOException;
  }

  /**
   * The cache of this user. A server that runs as nobody could not enter root's home directory, so
   * that it gets one elsewhere.
   */
  static Cache open(RunAs runAs) {
    Path root =
        runAs == RunAs.NOBODY
            ? Path.of("/var/cache/holdfast")
            : Path.of(System.getProperty("user.home"), ".cache", "holdfast");
    try {
      Files.createDirectories(root);
      return new Cache(root);
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot create the cache directory %s for what servers are started from: %s. Make it writable, or set the system property user.home."
              .formatted(root, e.getMessage()),
          e);
    }
  }

  Path entry(String name, Filler filler) {
    Path entry = root.resolve(name);
    if (Files.isDirectory(entry)) {
      return entry;
    }
    synchronized (IN_THIS_JVM) {
      try (FileChannel channel =
              FileChannel.open(
                  root.resolve(name + ".lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock held = channel.lock()) {
        if (held.isValid() && !Files.isDirectory(entry)) {
          make(entry, filler);
        }
        return entry;
      } catch (IOException e) {
        throw new DevServiceException(
            "Cannot make the cache entry %s, which is absent: %s. Check the space and the permissions there."
                .formatted(entry, e.getMessage()),
            e);
      }
    }
  }

  private void make(Path entry, Filler filler) throws IOException {
    Path staging = Files.createTempDirectory(root, "staging-");
    try {
      Files.setPosixFilePermissions(staging, PosixFilePermissions.fromString("rwxr-xr-x"));
      Path content = Files.createDirectory(staging.resolve("content"));
      filler.fill(content);
      Files.move(content, entry, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Directories.delete(staging);
    }
  }
}
