/**
 * How two-phase commit is run. Three pure tables decide: {@link
 * dev.holdfast.internal.twophase.OwnerProtocol} for whoever runs an operation, {@link
 * dev.holdfast.internal.twophase.RecoveryProtocol} for whoever finds what it left behind, and
 * {@link dev.holdfast.internal.twophase.ClaimProtocol} for who may do that. The rest of the package
 * does what they say. Not for users: {@code dev.holdfast.twophase} is.
 */
@NullMarked
package dev.holdfast.internal.twophase;

import org.jspecify.annotations.NullMarked;
