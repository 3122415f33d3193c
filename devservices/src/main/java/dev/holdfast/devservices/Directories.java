package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Whole directory trees. */
final class Directories {
  private Directories() {}

  /** Deletes a tree, also while a dying process may still remove files of its own there. */
  static void delete(Path root) {
    try {
      if (Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
        Files.walkFileTree(root, new Deleter());
      }
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot delete %s, parts of which remain: %s. Delete it by hand."
              .formatted(root, e.getMessage()),
          e);
    }
  }

  /**
   * Copies a tree with its permissions, also while somebody deletes files there. Directories may
   * exist already, files may not.
   *
   * @param wanted tells by its path below the root whether a file or directory is copied
   */
  static void copy(Path from, Path to, Predicate<Path> wanted) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes)
              throws IOException {
            if (!dir.equals(from) && !wanted.test(from.relativize(dir))) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            copyOne(dir);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (wanted.test(from.relativize(file))) {
              copyOne(file);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw e;
          }

          private void copyOne(Path source) throws IOException {
            Path target = to.resolve(from.relativize(source));
            try {
              if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
                Files.copy(
                    source, target, StandardCopyOption.COPY_ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
              }
            } catch (NoSuchFileException e) {
              if (Files.exists(source)) {
                throw e;
              }
            }
          }
        });
  }

  private static final class Deleter extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.deleteIfExists(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      if (e instanceof NoSuchFileException) {
        return FileVisitResult.CONTINUE;
      }
      throw e;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException e)
        throws IOException {
      if (e != null) {
        throw e;
      }
      Files.deleteIfExists(dir);
      return FileVisitResult.CONTINUE;
    }
  }
}
