/** What the inbox needs of a database. */
@NullMarked
package dev.holdfast.inbox.store;

import org.jspecify.annotations.NullMarked;
