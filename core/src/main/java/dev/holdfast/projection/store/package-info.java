/** What projections need of a database, as an interface. */
@NullMarked
package dev.holdfast.projection.store;

import org.jspecify.annotations.NullMarked;
