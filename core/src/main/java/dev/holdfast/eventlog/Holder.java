package dev.holdfast.eventlog;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A transaction that may commit events below what others have committed already, so that readers
 * wait for it: it has appended, or changed the table otherwise, and is open.
 *
 * @param pid of the session, or {@code null} for a prepared transaction
 * @param application what the session calls itself
 * @param user as whom it is connected
 * @param since when the transaction began or was prepared; {@code null} when this user may not see
 *     that, which takes {@code pg_read_all_stats}
 * @param gid of a prepared transaction, which any session can commit or roll back
 */
public record Holder(
    @Nullable Integer pid,
    @Nullable String application,
    @Nullable String user,
    @Nullable Instant since,
    @Nullable String gid) {}
