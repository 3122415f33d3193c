/**
 * The entry point: {@link dev.holdfast.Holdfast} with {@link dev.holdfast.Transaction} and {@link
 * dev.holdfast.Message} is all that a first outbox needs.
 *
 * <p>Holdfast brings effects together that commit apart, by changing the commit structure: the
 * responsibility for effect B is recorded inside the commit of effect A, an agent that survives
 * crashes discharges it, and B absorbs the repeats. Each way of doing so is a package beside this
 * one. This package may know the resolutions; a resolution knows nothing of it but its messages and
 * errors.
 */
@NullMarked
package dev.holdfast;

import org.jspecify.annotations.NullMarked;
