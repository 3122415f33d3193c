/** JSON by Jackson, for what workflows record. Knows the codec's interface and nothing else. */
@NullMarked
package dev.holdfast.jackson;

import org.jspecify.annotations.NullMarked;
