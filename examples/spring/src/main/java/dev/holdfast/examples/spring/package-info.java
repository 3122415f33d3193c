/** An order service with Spring Boot, in which an order and its message are one commit. */
@NullMarked
package dev.holdfast.examples.spring;

import org.jspecify.annotations.NullMarked;
