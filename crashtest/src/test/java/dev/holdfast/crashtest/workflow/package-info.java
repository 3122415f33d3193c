/**
 * A model of one run of a workflow, by processes that crash and pause, around what the engine
 * itself decides with: {@link dev.holdfast.internal.workflow.CallProtocol}, and how it reads its
 * journal.
 */
@NullMarked
package dev.holdfast.crashtest.workflow;

import org.jspecify.annotations.NullMarked;
