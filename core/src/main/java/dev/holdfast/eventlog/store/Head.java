package dev.holdfast.eventlog.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How far the log has come.
 *
 * @param drawn the highest position that was drawn, whether or not an event has it
 * @param last that of the last committed event; 0 when there is none
 * @param recordedAt when that was recorded, by the database's clock; {@code null} when there is
 *     none
 * @param settled up to here a reader that begins now reads all that there will ever be; 0 when it
 *     has to wait for somebody first
 */
public record Head(long drawn, long last, @Nullable Instant recordedAt, long settled) {}
