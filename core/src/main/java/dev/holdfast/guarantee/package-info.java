/**
 * Which resolution fits which boundaries, and what it promises there. Computes from what
 * {@linkplain dev.holdfast.boundary.Boundary boundaries} declare, does no I/O, and knows no
 * product.
 */
@NullMarked
package dev.holdfast.guarantee;

import org.jspecify.annotations.NullMarked;
