/**
 * The demonstration: an order service, and with strategies of receiving a shipping service, in
 * processes that are killed under load while clients retry, and a count of what became of each
 * order. Services and driver share the class path and nothing else; they speak HTTP. The count
 * knows orders and what came of them only, not the strategy.
 */
@NullMarked
package dev.holdfast.cli.demo;

import org.jspecify.annotations.NullMarked;
