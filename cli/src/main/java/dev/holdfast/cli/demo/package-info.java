/**
 * The demonstration: an order service of two processes, once for each strategy, that are killed
 * under load while clients retry, and a count of what became of each order. The service and the
 * driver share the class path and nothing else; they speak HTTP. The count knows orders and records
 * only, not the strategy that made them.
 */
@NullMarked
package dev.holdfast.cli.demo;

import org.jspecify.annotations.NullMarked;
