package dev.holdfast.cli.demo;

import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/** What a waiting person sees: a bar on a terminal, and otherwise a line now and then. */
final class Progress {
  private static final int WIDTH = 30;

  private final PrintStream out;
  private final boolean terminal;
  private @Nullable String name;
  private int shown = -1;

  Progress(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** Says what is being done, outside of any bar. */
  synchronized void say(String text) {
    clear();
    out.println(text);
  }

  synchronized void at(String strategy, int done, int all, int kills) {
    boolean first = !strategy.equals(name);
    name = strategy;
    int step = (int) ((long) done * (terminal ? 100 : 4) / all);
    if (!first && step == shown) {
      return;
    }
    shown = step;
    if (terminal) {
      int full = (int) ((long) done * WIDTH / all);
      out.printf(
          "\r%-16s [%s%s] %d/%d orders, %d kills",
          strategy, "#".repeat(full), ".".repeat(WIDTH - full), done, all, kills);
      out.flush();
    } else if (done > 0) {
      out.printf("%s: %d/%d orders, %d kills%n", strategy, done, all, kills);
    }
  }

  /** Takes the bar away. */
  synchronized void clear() {
    if (terminal && name != null) {
      out.print("\r" + " ".repeat(WIDTH + 50) + "\r");
      out.flush();
    }
    name = null;
    shown = -1;
  }
}
