/** What the event log needs of a database. */
@NullMarked
package dev.holdfast.eventlog.store;

import org.jspecify.annotations.NullMarked;
