/** Orders with Quarkus, in which an order and its message are one commit. */
@NullMarked
package dev.holdfast.examples.quarkus;

import org.jspecify.annotations.NullMarked;
