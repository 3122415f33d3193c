/**
 * The demonstration: an order service, with strategies of receiving a shipping service, with those
 * of two databases a ledger on a server of its own, with those of checking out a payment provider,
 * and with those of searching a search engine. The services run in processes that are killed under
 * load while clients retry; then it is counted what became of each order. Services and driver share
 * the class path and nothing else; they speak HTTP. The count knows orders and what came of them
 * only, not the strategy.
 */
@NullMarked
package dev.holdfast.cli.demo;

import org.jspecify.annotations.NullMarked;
