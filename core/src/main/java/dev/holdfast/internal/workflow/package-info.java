/**
 * Executes workflows: takes runs up, runs their functions against their journals, appends. The
 * rules by which a call's unknown outcome is resolved are in {@link
 * dev.holdfast.internal.workflow.CallProtocol}, without any I/O. Not for users.
 */
@NullMarked
package dev.holdfast.internal.workflow;

import org.jspecify.annotations.NullMarked;
