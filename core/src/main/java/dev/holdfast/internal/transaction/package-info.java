/**
 * A transaction as a callback sees it: what is published is kept until it ends, and the connection
 * is lent.
 */
@NullMarked
package dev.holdfast.internal.transaction;

import org.jspecify.annotations.NullMarked;
