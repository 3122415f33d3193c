/**
 * The health of the outbox in an application of Spring Boot. What is judged is here for both
 * versions of Spring Boot; the indicator of version 3.5 is here as well, compiled against it, since
 * version 4 has moved these types. Knows the core and the actuator of Spring Boot 3.5 only.
 */
@NullMarked
package dev.holdfast.spring.health;

import org.jspecify.annotations.NullMarked;
