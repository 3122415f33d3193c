/** Real servers in child processes. */
@NullMarked
package dev.holdfast.devservices;

import org.jspecify.annotations.NullMarked;
