/**
 * {@code holdfast recover}: ends what operations across databases have left prepared, shows what
 * waits and for whom, and takes an operator's word for what only a person can know. Decides nothing
 * itself: what is right is found out by {@link dev.holdfast.twophase.TwoPhase}.
 */
@NullMarked
package dev.holdfast.cli.recover;

import org.jspecify.annotations.NullMarked;
