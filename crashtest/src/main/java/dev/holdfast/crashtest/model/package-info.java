/**
 * Checks a protocol before any database does: an explicit-state model checker.
 *
 * <p>A {@link dev.holdfast.crashtest.model.Model} says which states there are at first, which steps
 * lead on from a state, faults of the environment among them, and what must hold. {@link
 * dev.holdfast.crashtest.model.ModelChecker} visits every state that any order of steps leads to.
 * What it finds is a {@link dev.holdfast.crashtest.model.Counterexample}: the shortest way to what
 * must not be.
 *
 * <p>A model is worth as much as it has in common with the code. So a protocol is a pure decision
 * (a table, a method without I/O) that the code carries out and that the model calls as well; the
 * model adds what a database, a network and a crash may do around it. What a model does not have,
 * it does not show: real servers are for the crash lab.
 *
 * <p>Knows no protocol and no database.
 */
@NullMarked
package dev.holdfast.crashtest.model;

import org.jspecify.annotations.NullMarked;
