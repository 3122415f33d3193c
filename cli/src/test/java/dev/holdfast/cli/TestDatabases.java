package dev.holdfast.cli;

import dev.holdfast.devservices.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;

/** One PostgreSQL for the tests of the commands, which asks all but the superuser for passwords. */
public final class TestDatabases {
  private static final PostgresServer SERVER =
      PostgresServer.builder()
          .setting("hba_file", hba().toString())
          .setting("wal_level", "logical")
          .start();
  private static final AtomicInteger COUNT = new AtomicInteger();

  private TestDatabases() {}

  private static Path hba() {
    try {
      Path file = Files.createTempFile("holdfast-hba", ".conf");
      Files.writeString(
          file, "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
      // The server may run as another user.
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The URL of a new, empty database, for its superuser. */
  public static String create() {
    String name = "test_" + COUNT.incrementAndGet();
    SERVER.createDatabase(name);
    return SERVER.jdbcUrl(name);
  }

  public static int port() {
    return SERVER.port();
  }

  public static void execute(String url, String... statements) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
