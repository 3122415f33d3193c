/**
 * Conformance suites: every implementation of a store interface runs them against a real server.
 * May know the core; knows no database.
 */
@NullMarked
package dev.holdfast.crashtest;

import org.jspecify.annotations.NullMarked;
