/**
 * A search index as a boundary. What it has of a thing is a document with a version, and it keeps
 * the greatest version that it was ever sent, whoever sends it and however often: {@link
 * dev.holdfast.opensearch.SearchIndex} says how, {@link dev.holdfast.opensearch.SearchTarget} has a
 * channel of the outbox deliver there.
 *
 * <p>The commit point is the engine's answer for one document of a bulk request. A crash before it
 * leaves the document sent, or not; it is sent again with the same version, and the engine refuses
 * what it has. There is no transaction over two documents, and no reader is told when a document
 * becomes visible: the engine refreshes about once a second.
 */
@NullMarked
package dev.holdfast.opensearch;

import org.jspecify.annotations.NullMarked;
