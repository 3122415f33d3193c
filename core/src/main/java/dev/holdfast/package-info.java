/** Holdfast: one operation, committed in two places. */
@NullMarked
package dev.holdfast;

import org.jspecify.annotations.NullMarked;
