/**
 * Holdfast in an application of Spring Boot 4 or 3.5: configured by {@code holdfast.*}, joined to
 * Spring's transactions, watched by its health and meters, and ended before its pools.
 *
 * <p>{@link dev.holdfast.spring.TransactionalOutbox} is what an application uses. Everything common
 * to both versions of Spring Boot is here; may not know types that one of them has elsewhere, other
 * than in a class that is only loaded where they are.
 */
@NullMarked
package dev.holdfast.spring;

import org.jspecify.annotations.NullMarked;
