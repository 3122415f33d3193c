/**
 * Durable execution, for operations whose effects no single commit can hold: a function whose steps
 * are recorded, which any process continues where another has died, and which undoes in reverse
 * order what it did when it cannot be finished.
 *
 * <p>A step ends in one of three ways: in a transaction with its record ({@code transact}), in a
 * call to somebody else ({@code call}), or in nothing but a value ({@code compute}). Whoever calls
 * says first how an outcome that is not known is resolved; without that it does not compile.
 *
 * <p>What is recorded when, and what a crash at each point leaves behind: {@code
 * docs/decisions/0011-workflows.md}. Knows the model of boundaries and the transaction, and no
 * other resolution.
 */
@NullMarked
package dev.holdfast.workflow;

import org.jspecify.annotations.NullMarked;
