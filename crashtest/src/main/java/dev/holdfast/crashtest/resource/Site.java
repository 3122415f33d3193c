package dev.holdfast.crashtest.resource;

import java.util.Iterator;
import java.util.stream.Stream;

/**
 * A line of the code that is under test.
 *
 * @param declaringClass its binary name
 * @param method its name
 * @param file the source file's name, empty when the class does not say
 * @param line the line, or a negative number when the class does not say
 */
public record Site(String declaringClass, String method, String file, int line) {
  private static final String[] LIBRARIES = {
    "java.",
    "javax.",
    "jakarta.",
    "jdk.",
    "sun.",
    "com.sun.",
    "org.postgresql.",
    "org.mariadb.",
    "com.mysql.",
    "org.h2.",
    "com.zaxxer.",
    "org.apache.",
    "org.springframework.",
    "org.hibernate.",
    "org.jooq.",
    "org.jdbi.",
    "io.micrometer.",
    Site.class.getPackageName() + "."
  };

  /** Where nothing of the code under test is on the stack. */
  public static final Site UNKNOWN = new Site("", "", "", -1);

  /**
   * The innermost line on this thread's stack that is neither the lab's, a library's nor the JDK's;
   * on a thread that runs nothing else, Holdfast's own.
   */
  public static Site current() {
    return StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE).walk(Site::innermost);
  }

  private static Site innermost(Stream<StackWalker.StackFrame> frames) {
    StackWalker.StackFrame holdfasts = null;
    for (Iterator<StackWalker.StackFrame> each = frames.iterator(); each.hasNext(); ) {
      StackWalker.StackFrame frame = each.next();
      if (isLibrary(frame.getClassName())) {
        continue;
      }
      if (!HoldfastCode.is(frame.getDeclaringClass())) {
        return of(frame);
      }
      if (holdfasts == null) {
        holdfasts = frame;
      }
    }
    return holdfasts == null ? UNKNOWN : of(holdfasts);
  }

  private static Site of(StackWalker.StackFrame frame) {
    StackTraceElement element = frame.toStackTraceElement();
    String file = element.getFileName();
    return new Site(
        frame.getClassName(),
        frame.getMethodName(),
        file == null ? "" : file,
        frame.getLineNumber());
  }

  private static boolean isLibrary(String className) {
    if (className.contains("$Proxy")) {
      return true;
    }
    for (String prefix : LIBRARIES) {
      if (className.startsWith(prefix)) {
        return true;
      }
    }
    return LabCode.is(className);
  }

  /** In the form of a stack trace, which IDEs turn into a link. */
  @Override
  public String toString() {
    if (declaringClass.isEmpty()) {
      return "an unknown place";
    }
    String simple = declaringClass.substring(declaringClass.lastIndexOf('.') + 1);
    String name = method.startsWith("lambda$") ? method.split("\\$")[1] : method;
    return "%s.%s(%s)".formatted(simple, name, line < 0 ? file : file + ":" + line);
  }
}
