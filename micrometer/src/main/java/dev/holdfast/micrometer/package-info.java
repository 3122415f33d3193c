/**
 * Micrometer meters of the outbox: what this process records, delivers and holds back, and what the
 * database says of each channel; and of what receives, of workflows, of what follows the event log
 * and of reconciliations. Knows listeners and statuses, and no store, target or broker of its own.
 * The dashboard in {@code docs/grafana} is made for these names.
 */
@NullMarked
package dev.holdfast.micrometer;

import org.jspecify.annotations.NullMarked;
