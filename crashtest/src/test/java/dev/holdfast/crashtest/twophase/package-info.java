/**
 * Models of two-phase commit over the tables and methods that the code itself carries out: {@link
 * dev.holdfast.crashtest.twophase.TwoPhaseModel} of operations, recovery and cleaning, {@link
 * dev.holdfast.crashtest.twophase.ClaimModel} of the claims.
 */
@NullMarked
package dev.holdfast.crashtest.twophase;

import org.jspecify.annotations.NullMarked;
