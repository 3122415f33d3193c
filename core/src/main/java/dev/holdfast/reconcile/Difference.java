package dev.holdfast.reconcile;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A key about which the two differ, and have for longer than the settle window.
 *
 * @param source what the source has; {@code null} for nothing
 * @param derived what the derived side has, which a repair replaces only as long as it is there;
 *     {@code null} for nothing
 * @param since since when at least: the change of the source, or when a run first saw it; by the
 *     source's clock
 */
public record Difference(
    Drift drift, String key, @Nullable Entry source, @Nullable Entry derived, Instant since) {}
