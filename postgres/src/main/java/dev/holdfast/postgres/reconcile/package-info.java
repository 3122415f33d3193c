/**
 * Tables, views and queries of PostgreSQL as sides of a {@linkplain dev.holdfast.reconcile
 * reconciliation}: {@link dev.holdfast.postgres.reconcile.PostgresSide} sums in the database, so
 * that no row leaves it but those of ranges that differ, and {@link
 * dev.holdfast.postgres.reconcile.PostgresRepair} copies rows from one to another. Needs none of
 * Holdfast's own tables. May know the core's package and JDBC, nothing else.
 */
@NullMarked
package dev.holdfast.postgres.reconcile;

import org.jspecify.annotations.NullMarked;
