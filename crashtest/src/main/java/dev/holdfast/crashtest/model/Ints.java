package dev.holdfast.crashtest.model;

import java.util.Arrays;

/** A list of numbers that grows, four bytes each. */
final class Ints {
  private int[] values;
  private int size;

  Ints() {
    this.values = new int[1024];
  }

  Ints(int[] values) {
    this.values = values;
    this.size = values.length;
  }

  void add(int value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, size + size / 2);
    }
    values[size++] = value;
  }

  int get(int index) {
    return values[index];
  }

  int size() {
    return size;
  }
}
