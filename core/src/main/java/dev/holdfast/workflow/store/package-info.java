/**
 * What durable execution needs of a database. Implemented by {@code holdfast-postgres}; knows
 * nothing of how a workflow is executed.
 */
@NullMarked
package dev.holdfast.workflow.store;

import org.jspecify.annotations.NullMarked;
