package dev.holdfast.jta;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.arjuna.ats.arjuna.common.ObjectStoreEnvironmentBean;
import com.arjuna.ats.internal.arjuna.objectstore.ShadowNoFileLockStore;
import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A log of files. The operating system releases the lock when the process ends, and not before, so
 * that a process that is paused keeps it.
 */
final class DirectoryLog implements Log {
  private static final Logger log = LoggerFactory.getLogger(DirectoryLog.class);
  private static final String LOCK = "holdfast.lock";
  private static final Set<String> MEMORY = Set.of("tmpfs", "ramfs");
  private static final int MOST_NAME_BYTES = 64;

  private final Path directory;
  private final FileChannel channel;

  private DirectoryLog(Path directory, FileChannel channel) {
    this.directory = directory;
    this.channel = channel;
  }

  /**
   * @param temporary whether it need not last
   */
  static DirectoryLog acquire(Path directory, String node, boolean temporary) {
    Path absolute = directory.toAbsolutePath().normalize();
    if (!temporary) {
      requireLasting(absolute);
    }
    FileChannel channel = null;
    try {
      Files.createDirectories(absolute);
      if (!temporary) {
        requireDisk(absolute);
      }
      channel =
          FileChannel.open(
              absolute.resolve(LOCK),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      lock(channel, absolute);
      claim(channel, absolute, node);
      return new DirectoryLog(absolute, channel);
    } catch (IOException e) {
      close(channel);
      throw new InvalidConfiguration(
          "The log of decisions cannot be written in %s. Nothing was started. Name a directory that this process may write."
              .formatted(absolute),
          e);
    } catch (RuntimeException e) {
      close(channel);
      throw e;
    }
  }

  private static void requireLasting(Path directory) {
    Path temporary = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath().normalize();
    if (directory.startsWith(temporary)) {
      throw new InvalidConfiguration(
          "The log of decisions is to be kept in %s, a directory for temporary files. Nothing was started. Who cleans up there deletes decisions, and branches that were to be committed are rolled back. Name a directory that lasts as long as the participants' data; tests may say allowTemporaryLog()."
              .formatted(directory));
    }
  }

  private static void requireDisk(Path directory) throws IOException {
    String type = Files.getFileStore(directory).type();
    if (MEMORY.contains(type)) {
      throw new InvalidConfiguration(
          "%s is in memory (%s): decisions written there are gone after a restart of the machine. Nothing was started. Name a directory on a disk."
              .formatted(directory, type));
    }
    if (type.equals("overlay")) {
      log.warn(
          "{} is in a container's own layer, which goes with the container. Its decisions are then lost, and what is in doubt stays so or is rolled back. Mount a volume there, or keep the log in a database.",
          directory);
    }
  }

  private static void lock(FileChannel channel, Path directory) throws IOException {
    @Nullable FileLock lock;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    }
    if (lock == null) {
      throw new InvalidConfiguration(
          "Another process, or another part of this one, uses the log in %s. Nothing was started: two coordinators would end each other's branches. End it, or give each process a directory and a node identifier of its own."
              .formatted(directory));
    }
  }

  /** The branches in doubt that this log decides on carry the name of the node that wrote it. */
  private static void claim(FileChannel channel, Path directory, String node) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(MOST_NAME_BYTES);
    while (content.hasRemaining() && channel.read(content) >= 0) {
      // Until it is read.
    }
    String owner = UTF_8.decode(content.flip()).toString();
    if (!owner.isEmpty() && !owner.equals(node)) {
      throw new InvalidConfiguration(
          "The log in %s belongs to the node '%s', and this is '%s'. Nothing was started: branches of '%s' that are in doubt would not be recovered. Start it as '%s', or name another directory."
              .formatted(directory, owner, node, owner, owner));
    }
    if (owner.isEmpty()) {
      channel.write(ByteBuffer.wrap(node.getBytes(UTF_8)), 0);
      channel.force(true);
    }
  }

  @Override
  public void configure(ObjectStoreEnvironmentBean store) {
    store.setObjectStoreType(ShadowNoFileLockStore.class.getName());
    store.setObjectStoreDir(directory.toString());
    store.setTransactionSync(true);
  }

  @Override
  public Object place() {
    return directory;
  }

  @Override
  public boolean isHeld() {
    return channel.isOpen();
  }

  @Override
  public void close() {
    close(channel);
  }

  private static void close(@Nullable FileChannel channel) {
    if (channel == null) {
      return;
    }
    try {
      channel.close();
    } catch (IOException e) {
      throw new HoldfastException(
          "The lock on the log of decisions could not be released. It is when the process ends.",
          e);
    }
  }
}
