/** What reservations and semantic locks need of a database. */
@NullMarked
package dev.holdfast.reservation.store;

import org.jspecify.annotations.NullMarked;
