package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Fault;
import dev.holdfast.crashtest.report.Phase;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The program of a forked JVM: describes the scenario anew, lives one life of the process, and
 * halts where it was told to. When the lab goes, it goes too.
 */
final class ForkedMain {
  private final PrintStream lab;
  private final Map<String, String> shared = new HashMap<>();
  private final List<Fault> faults = new ArrayList<>();
  private String source = "";
  private @Nullable Trace trace;
  private @Nullable Life life;

  private ForkedMain(PrintStream lab) {
    this.lab = lab;
  }

  /** Runs one life; takes no arguments. */
  public static void main(String[] args) throws IOException {
    PrintStream lab =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    // What the code under test prints is not for the lab.
    System.setOut(System.err);
    BufferedReader requests =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    ForkedMain main = new ForkedMain(lab);
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      main.handle(ForkProtocol.words(line));
    }
    Runtime.getRuntime().halt(Incarnation.CRASH_STATUS);
  }

  @SuppressWarnings("SystemExitOutsideMain")
  private void handle(List<String> words) {
    switch (words.get(0)) {
      case ForkProtocol.SOURCE -> source = words.get(1);
      case ForkProtocol.SHARE -> shared.put(words.get(1), words.get(2));
      case ForkProtocol.FAULT -> faults.add(ForkProtocol.fault(words.get(1)));
      case ForkProtocol.BEGIN -> begin(Boolean.parseBoolean(words.get(1)));
      case ForkProtocol.ENTER -> {
        Objects.requireNonNull(trace).enter(Phase.valueOf(words.get(1)));
        tell(ForkProtocol.line(ForkProtocol.DONE));
      }
      case ForkProtocol.ATTEMPT -> tell(ForkProtocol.ended(life().attempt(words.get(1))));
      case ForkProtocol.IDLE -> tell(ForkProtocol.line(ForkProtocol.DONE, life().isIdle()));
      case ForkProtocol.SETTLE -> {
        life().settle();
        tell(ForkProtocol.line(ForkProtocol.DONE));
      }
      case ForkProtocol.STOP -> {
        Objects.requireNonNull(trace).leave();
        life().stop();
        System.exit(0);
      }
      default -> throw new IllegalArgumentException("Not a request: " + words);
    }
  }

  private Life life() {
    return Objects.requireNonNull(life);
  }

  private void begin(boolean again) {
    Scenario<?> scenario;
    try {
      CrashLab described = new CrashLab(shared);
      ForkSource.describe(source, described);
      scenario = described.scenario();
    } catch (RuntimeException e) {
      e.printStackTrace();
      tell(ForkProtocol.ended(new Life.Ended(Life.How.THREW, e.toString(), false, e)));
      return;
    }
    Trace begun = new Trace(faults, scenario::isIgnored, new Teller());
    trace = begun;
    if (again) {
      begun.enter(Phase.RECOVERY);
    }
    Life.Born born =
        LocalLife.begin(scenario, new Incarnation(begun, Carrier.FORKED), new Truths(), again);
    life = born.life();
    tell(ForkProtocol.ended(born.start()));
  }

  private synchronized void tell(String line) {
    lab.print(line + "\n");
    lab.flush();
  }

  /** Tells the lab what happens to the trace. */
  private final class Teller implements Trace.Listener {
    @Override
    public void begun(CommitPoint point, boolean struck) {
      String kind = struck ? ForkProtocol.STRUCK : ForkProtocol.BEGUN;
      tell(ForkProtocol.line(kind, ForkProtocol.point(point)));
    }

    @Override
    public void completed(CommitPoint point) {
      tell(ForkProtocol.line(ForkProtocol.COMPLETED, ForkProtocol.point(point)));
    }

    @Override
    public void noted(String note) {
      tell(ForkProtocol.line(ForkProtocol.NOTE, note));
    }

    @Override
    public void failed(String problem) {
      tell(ForkProtocol.line(ForkProtocol.PROBLEM, problem));
    }
  }
}
