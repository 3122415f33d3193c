package dev.holdfast.mariadb;

import dev.holdfast.Isolation;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.twophase.store.Gid;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;
import java.util.UUID;

/**
 * The statements of a branch, each a block that takes one round trip and ends with its first error.
 * Blocks take no parameters, so that values stand in them as literals: gids and UUIDs are of
 * characters that need no quoting, and other text is written in hexadecimal.
 */
final class BranchSql {
  /** The claim is not the expected one. */
  static final String STALE_CLAIM = "HF010";

  static final String STALE =
      "The deciding database was claimed anew, or never, or its transaction is over,"
          + " so nothing is prepared.";

  /** The branch is serializable, so that the claim has to be looked at beforehand. */
  static final String SERIALIZABLE = "HF014";

  /** "HF": tells our xids from those of others without a look at their bytes. */
  static final int FORMAT_ID = 0x4846;

  /**
   * How long a connection may be left alone by its client before the server closes it: in the work,
   * and when prepared. A host that dies would else hold its locks until TCP gives the connection
   * up, which may take hours.
   */
  private static final Duration LEFT_ALONE_AT_WORK = Duration.ofMinutes(10);

  private static final Duration LEFT_ALONE_PREPARED = Duration.ofSeconds(30);

  /** What {@link #begin} has changed in the session, which is perhaps a pool's. */
  private static final String RESTORE =
      """
        if @holdfast_lock_wait is not null then
          set session innodb_lock_wait_timeout = @holdfast_lock_wait,
              lock_wait_timeout = @holdfast_table_wait,
              idle_transaction_timeout = @holdfast_idle;
          set @holdfast_lock_wait = null;
        end if;
      """;

  private BranchSql() {}

  /** The name of a branch in XA statements. */
  static String xid(Gid gid) {
    return "'" + gid.global() + "','" + gid.participant() + "'," + FORMAT_ID;
  }

  /** Locks of rows and of tables are waited for in seconds, the least of which is one. */
  static String begin(Gid gid, Isolation isolation, Duration lockTimeout) {
    long seconds = Math.max(1, lockTimeout.plusMillis(999).toSeconds());
    return """
    begin not atomic
      set @holdfast_lock_wait = @@innodb_lock_wait_timeout,
          @holdfast_table_wait = @@lock_wait_timeout,
          @holdfast_idle = @@idle_transaction_timeout,
          @holdfast_serializable = %d;
      set session innodb_lock_wait_timeout = least(@@innodb_lock_wait_timeout, %d),
          lock_wait_timeout = least(@@lock_wait_timeout, %d),
          idle_transaction_timeout = %s;
      set transaction isolation level %s;
      xa start %s;
    end
    """
        .formatted(
            isolation == Isolation.SERIALIZABLE ? 1 : 0,
            seconds,
            seconds,
            idleAtMost(LEFT_ALONE_AT_WORK),
            isolation.name().toLowerCase(Locale.ROOT).replace('_', ' '),
            xid(gid));
  }

  /** In this variable 0 is for ever. */
  private static String idleAtMost(Duration time) {
    return "if(@@idle_transaction_timeout between 1 and %d, @@idle_transaction_timeout, %d)"
        .formatted(time.toSeconds(), time.toSeconds());
  }

  /**
   * Locks the claim for reading until it is prepared: whoever replaces the claim waits for that,
   * and whoever comes after them is refused. Under SERIALIZABLE the lock would stay until the
   * branch is ended, and keep out those who claim in order to end it.
   */
  static String prepare(Gid gid, String operationId, UUID claim) {
    return """
    begin not atomic
      declare known boolean;
      if coalesce(@holdfast_serializable, 1) = 1 then
        signal sqlstate '%s' set message_text = 'The claim has to be looked at beforehand.';
      end if;
      select token = '%s' and refused < %d into known from ${prefix}_claim
      where store_id = '%s' and participant = '%s' lock in share mode;
      if not coalesce(known, false) then
        signal sqlstate '%s' set message_text = '%s';
      end if;
    %s
    end
    """
        .formatted(
            SERIALIZABLE,
            claim,
            gid.serial(),
            gid.storeId(),
            gid.participant(),
            STALE_CLAIM,
            STALE,
            witnessAndPrepare(gid, operationId));
  }

  /** Without a look at the claim. */
  static String prepareUnchecked(Gid gid, String operationId) {
    return "begin not atomic\n" + witnessAndPrepare(gid, operationId) + "end\n";
  }

  private static String witnessAndPrepare(Gid gid, String operationId) {
    return """
      insert into ${prefix}_witness
        (store_id, participant, serial, nonce, operation_id, prepared_by, prepared_at)
      values ('%s', '%s', %d, %d, %s, current_user(), utc_timestamp(6));
      set session idle_transaction_timeout = %s;
      xa end %s;
      xa prepare %s;
    """
        .formatted(
            gid.storeId(),
            gid.participant(),
            gid.serial(),
            gid.nonce(),
            text(operationId),
            idleAtMost(LEFT_ALONE_PREPARED),
            xid(gid),
            xid(gid));
  }

  /** XA END fails where the branch has failed already; XA ROLLBACK is what it is waiting for. */
  static String rollback(Gid gid) {
    return """
    begin not atomic
    %s
      begin
        declare continue handler for sqlexception begin end;
        xa end %s;
      end;
      xa rollback %s;
    end
    """
        .formatted(RESTORE, xid(gid), xid(gid));
  }

  /** The commit comes last: an error says that it was not reached, or not done. */
  static String commitAlone(Gid gid, Attempt attempt, String operationId) {
    return """
    begin not atomic
      insert into ${prefix}_attempt (id, committed, operation_id, at)
      values ('%s', true, %s, utc_timestamp(6));
    %s
      xa end %s;
      xa commit %s one phase;
    end
    """
        .formatted(attempt.id(), text(operationId), RESTORE, xid(gid), xid(gid));
  }

  /** Ends a prepared branch. */
  static String end(Gid gid, boolean commit) {
    return "begin not atomic\n" + RESTORE + "  " + statement(gid, commit) + ";\nend\n";
  }

  /** For people, too. */
  static String statement(Gid gid, boolean commit) {
    return "xa " + (commit ? "commit " : "rollback ") + xid(gid);
  }

  private static String text(String value) {
    return "convert(x'%s' using utf8mb4)"
        .formatted(HexFormat.of().formatHex(value.getBytes(StandardCharsets.UTF_8)));
  }
}
