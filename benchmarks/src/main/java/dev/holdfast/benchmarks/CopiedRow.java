package dev.holdfast.benchmarks;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.postgresql.PGConnection;

/** A row of {@code bench_view}, which is rebuilt from a log. */
record CopiedRow(long position, String stream, byte[] data) {

  /** Writes them as COPY takes it in its binary format (PostgreSQL manual, COPY, file formats). */
  static void copy(Connection connection, List<CopiedRow> rows) throws SQLException {
    try {
      connection
          .unwrap(PGConnection.class)
          .getCopyAPI()
          .copyIn(
              "copy bench_view from stdin (format binary)", new ByteArrayInputStream(binary(rows)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] binary(List<CopiedRow> rows) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(rows.size() * 300);
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeBytes("PGCOPY\n\377\r\n\0");
    out.writeInt(0);
    out.writeInt(0);
    for (CopiedRow row : rows) {
      byte[] name = row.stream().getBytes(StandardCharsets.UTF_8);
      out.writeShort(3);
      out.writeInt(Long.BYTES);
      out.writeLong(row.position());
      out.writeInt(name.length);
      out.write(name);
      out.writeInt(row.data().length);
      out.write(row.data());
    }
    out.writeShort(-1);
    return bytes.toByteArray();
  }
}
