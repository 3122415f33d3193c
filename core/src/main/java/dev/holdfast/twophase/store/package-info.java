/**
 * What two-phase commit needs of databases: of the one that holds the decisions, and of those that
 * prepare. Implemented by a module for each product; knows nothing of how an operation is run.
 */
@NullMarked
package dev.holdfast.twophase.store;

import org.jspecify.annotations.NullMarked;
