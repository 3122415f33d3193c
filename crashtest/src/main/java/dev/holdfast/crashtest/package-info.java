/** Conformance suites and fault carriers. */
@NullMarked
package dev.holdfast.crashtest;

import org.jspecify.annotations.NullMarked;
