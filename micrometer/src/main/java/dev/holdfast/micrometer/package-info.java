/**
 * Micrometer meters of the outbox: what this process records, delivers and holds back, and what the
 * database says of each channel. Knows the listener and the status of the outbox, and no store or
 * target of its own. The dashboard in {@code docs/grafana} is made for these names.
 */
@NullMarked
package dev.holdfast.micrometer;

import org.jspecify.annotations.NullMarked;
