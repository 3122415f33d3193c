/**
 * Small tools that several packages share and users do not need: waiting, backing off, the wrapped
 * connection. Not API; may change at any time.
 */
@NullMarked
package dev.holdfast.internal;

import org.jspecify.annotations.NullMarked;
