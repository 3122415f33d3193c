/**
 * A catalogue whose state is what has happened to its products: {@link
 * dev.holdfast.examples.catalogue.Catalogue} decides, {@link
 * dev.holdfast.examples.catalogue.PriceList} is a view in the same database, and {@link
 * dev.holdfast.examples.catalogue.SearchPage} is what the shop's search page asks an index that
 * follows the same events. Nothing is written twice: the event is the only thing that a command
 * commits.
 */
@NullMarked
package dev.holdfast.examples.catalogue;

import org.jspecify.annotations.NullMarked;
