/**
 * {@code holdfast advise}: tells which resolution fits an operation, at what cost, and why. Knows
 * what the usual databases, brokers and services offer ({@link dev.holdfast.cli.advise.Kind}); what
 * follows from it is {@link dev.holdfast.guarantee.Advisor}'s. Asks no server.
 */
@NullMarked
package dev.holdfast.cli.advise;

import org.jspecify.annotations.NullMarked;
