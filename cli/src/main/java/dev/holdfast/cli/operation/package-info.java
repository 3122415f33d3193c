/**
 * {@code holdfast operation}: what a business transaction did at every boundary, in order, and what
 * is still owed and by whom. Asks the store and prints; the view {@code operation_event} knows.
 */
@NullMarked
package dev.holdfast.cli.operation;

import org.jspecify.annotations.NullMarked;
