package dev.holdfast.reconcile;

/**
 * What a run has cost.
 *
 * @param sourceRows rows of the source that came to the comparing process: keys and versions
 * @param derivedRows the same of the derived side
 * @param summaries ranges that were summed, of both sides
 * @param calls of both sides
 */
public record Work(long sourceRows, long derivedRows, long summaries, long calls) {}
