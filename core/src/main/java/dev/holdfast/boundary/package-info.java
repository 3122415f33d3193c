/**
 * The model that every resolution shares: a {@link dev.holdfast.boundary.Boundary} commits on its
 * own, declares what it can absorb and what its acknowledgment means, and an attempt to change it
 * has an {@link dev.holdfast.boundary.Outcome}. Knows no resolution and no product.
 */
@NullMarked
package dev.holdfast.boundary;

import org.jspecify.annotations.NullMarked;
