/**
 * Which resolution fits which boundaries, at what cost, and what it promises there. Computes from
 * what {@linkplain dev.holdfast.boundary.Boundary boundaries} declare, does no I/O, and knows no
 * product. The {@link dev.holdfast.guarantee.Advisor} looks at every choice of the commit that
 * holds the record, and for each resolution at what it costs then, or at what excludes it; {@link
 * dev.holdfast.guarantee.Guarantees} computes the clauses of what this version carries out.
 */
@NullMarked
package dev.holdfast.guarantee;

import org.jspecify.annotations.NullMarked;
