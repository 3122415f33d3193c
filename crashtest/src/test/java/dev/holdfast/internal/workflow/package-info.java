/** Lets the model of a run read its journal as the engine does. */
@NullMarked
package dev.holdfast.internal.workflow;

import org.jspecify.annotations.NullMarked;
