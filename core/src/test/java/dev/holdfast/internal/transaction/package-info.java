@NullMarked
package dev.holdfast.internal.transaction;

import org.jspecify.annotations.NullMarked;
