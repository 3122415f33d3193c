package dev.holdfast.reconcile;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A row as far as it is compared.
 *
 * @param key as both sides write it
 * @param version a number that rises with every change, or a hash of the content; empty for a row
 *     that has none
 * @param changedAt when the source changed it, by the source's clock, as the derived side has
 *     copied it; {@code null} where that is not kept
 */
public record Entry(String key, String version, @Nullable Instant changedAt) {}
