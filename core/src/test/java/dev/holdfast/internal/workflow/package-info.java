@NullMarked
package dev.holdfast.internal.workflow;

import org.jspecify.annotations.NullMarked;
