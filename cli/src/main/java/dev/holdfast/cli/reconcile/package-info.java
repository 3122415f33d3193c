/**
 * {@code holdfast reconcile}: compares a table with what is derived of it, and repairs that if told
 * to. Decides nothing but the exit status: what is drift is found out by {@link
 * dev.holdfast.reconcile.Reconciliation}.
 */
@NullMarked
package dev.holdfast.cli.reconcile;

import org.jspecify.annotations.NullMarked;
