/**
 * What an exploration found, as values, and three renderings of it: a console table, JSON, and a
 * page of HTML that needs nothing else. Knows what a commit point is, and nothing of how runs are
 * made.
 *
 * <p>A simulated crash and a forked one are different evidence: {@link
 * dev.holdfast.crashtest.report.Carrier} has the words, and all renderings use them.
 */
@NullMarked
package dev.holdfast.crashtest.report;

import org.jspecify.annotations.NullMarked;
