/**
 * Which resolution fits which boundaries, and at what cost. Computes from what {@linkplain
 * dev.holdfast.boundary.Boundary boundaries} declare, does no I/O, and knows no product. {@link
 * dev.holdfast.guarantee.Advisor} looks at every {@linkplain dev.holdfast.guarantee.Layout layout}
 * of an operation, that is, at every choice of the commit that holds the record.
 */
@NullMarked
package dev.holdfast.guarantee;

import org.jspecify.annotations.NullMarked;
