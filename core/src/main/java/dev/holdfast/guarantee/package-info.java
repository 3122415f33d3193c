/**
 * Which resolution fits which boundaries, and at what cost. Computes from what {@linkplain
 * dev.holdfast.boundary.Boundary boundaries} declare, does no I/O, and knows no product. The {@link
 * dev.holdfast.guarantee.Advisor} looks at every choice of the commit that holds the record, and
 * for each resolution at what it costs then, or at what excludes it.
 */
@NullMarked
package dev.holdfast.guarantee;

import org.jspecify.annotations.NullMarked;
