package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;
import java.util.zip.CRC32C;

/**
 * The number by which a PostgreSQL cluster is told from all others. Copies of one cluster share it,
 * and a program that looks at it would rightly take two such servers for clones of one another; so
 * each copy is given its own, as initdb would.
 *
 * <p>It stands at two places of a cluster that was shut down: first in {@code global/pg_control},
 * which ends in a CRC-32C of what precedes ({@code ControlFileData} in PostgreSQL's {@code
 * catalog/pg_control.h}), and in the long header of each WAL segment's first page ({@code
 * XLogLongPageHeaderData} in {@code access/xlog_internal.h}), which has no checksum.
 */
final class SystemIdentifier {
  /** The size of XLogPageHeaderData, which precedes xlp_sysid in the long header. */
  private static final int WAL_HEADER_OFFSET = 24;

  /** ControlFileData stays below a disk sector by design, and is longer than this. */
  private static final int SHORTEST_CONTROL_DATA = 200;

  private static final int LONGEST_CONTROL_DATA = 512;

  private SystemIdentifier() {}

  static void renew(Path cluster) throws IOException {
    // Like initdb's: the seconds since 1970 in the upper half; the lower half is random.
    long identifier =
        (Await.now().getEpochSecond() << 32)
            | (ThreadLocalRandom.current().nextInt() & 0xffff_ffffL);
    renewControlFile(cluster.resolve("global/pg_control"), identifier);
    try (DirectoryStream<Path> segments =
        Files.newDirectoryStream(cluster.resolve("pg_wal"), "0000*")) {
      for (Path segment : segments) {
        try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE)) {
          channel.write(bytes(identifier), WAL_HEADER_OFFSET);
        }
      }
    }
  }

  private static void renewControlFile(Path file, long identifier) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer control = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    int length = checksummedLength(bytes, control);
    control.putLong(0, identifier);
    control.putInt(length, crc(bytes, length));
    Files.write(file, bytes);
  }

  /** Where the checksum stands differs between versions: where it is the sum of all before it. */
  private static int checksummedLength(byte[] bytes, ByteBuffer control) throws IOException {
    for (int length = SHORTEST_CONTROL_DATA; length <= LONGEST_CONTROL_DATA; length += 4) {
      if (control.getInt(length) == crc(bytes, length)) {
        return length;
      }
    }
    throw new IOException("pg_control has no checksum where one is expected");
  }

  private static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  private static ByteBuffer bytes(long value) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(value).flip();
  }
}
