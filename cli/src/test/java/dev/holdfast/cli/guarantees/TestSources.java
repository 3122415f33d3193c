package dev.holdfast.cli.guarantees;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.AssignmentTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.NewArrayTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** Reads which test attacks which clause, out of the sources, as the compiler parses them. */
final class TestSources {
  private static final Set<String> TESTS =
      Set.of("Test", "ParameterizedTest", "RepeatedTest", "Property", "CrashTest");

  private final List<Attack> attacks = new ArrayList<>();

  /** The superclass of each class, both by their simple names. */
  private final Map<String, String> parents = new HashMap<>();

  /** Classes whose tests the build runs by themselves. */
  private final Set<String> run = new HashSet<>();

  /**
   * A method that says it attacks clauses.
   *
   * @param disabled whether it, or its class, is switched off
   */
  record Attack(
      String type, String method, boolean isTest, boolean disabled, List<String> clauses) {
    String name() {
      return type + "." + method;
    }
  }

  private TestSources() {}

  /** All sources below the roots. */
  static TestSources of(List<Path> roots) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path root : roots) {
      try (Stream<Path> below = Files.walk(root)) {
        below.filter(file -> file.toString().endsWith(".java")).sorted().forEach(files::add);
      }
    }
    TestSources sources = new TestSources();
    JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler());
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null, manager, null, null, null, manager.getJavaFileObjectsFromPaths(files));
      for (CompilationUnitTree unit : task.parse()) {
        unit.accept(sources.new Reader(), null);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return sources;
  }

  List<Attack> attacks() {
    return attacks;
  }

  /** Whether somebody runs the tests of the class: itself, or one that is derived from it. */
  boolean isRun(String type) {
    return run.contains(type)
        || parents.entrySet().stream()
            .anyMatch(entry -> entry.getValue().equals(type) && isRun(entry.getKey()));
  }

  private final class Reader extends TreeScanner<@Nullable Void, @Nullable ClassTree> {
    @Override
    public @Nullable Void visitClass(ClassTree type, @Nullable ClassTree outer) {
      String name = type.getSimpleName().toString();
      if (!name.isEmpty()) {
        // Surefire runs what is named so; a class within another is run by nobody here.
        if (outer == null
            && name.endsWith("Test")
            && !type.getModifiers().getFlags().contains(Modifier.ABSTRACT)
            && !isDisabled(type.getModifiers().getAnnotations())) {
          run.add(name);
        }
        if (type.getExtendsClause() != null) {
          parents.put(name, type.getExtendsClause().toString());
        }
      }
      return super.visitClass(type, type);
    }

    @Override
    public @Nullable Void visitMethod(MethodTree method, @Nullable ClassTree type) {
      List<? extends AnnotationTree> annotations = method.getModifiers().getAnnotations();
      for (AnnotationTree annotation : annotations) {
        if (type != null && annotation.getAnnotationType().toString().equals("Attacks")) {
          attacks.add(
              new Attack(
                  type.getSimpleName().toString(),
                  method.getName().toString(),
                  !method.getModifiers().getFlags().contains(Modifier.PRIVATE)
                      && annotations.stream()
                          .anyMatch(each -> TESTS.contains(each.getAnnotationType().toString())),
                  isDisabled(annotations) || isDisabled(type.getModifiers().getAnnotations()),
                  clauses(annotation)));
        }
      }
      return super.visitMethod(method, type);
    }

    private boolean isDisabled(List<? extends AnnotationTree> annotations) {
      return annotations.stream()
          .map(each -> each.getAnnotationType().toString())
          .anyMatch(each -> each.startsWith("Disabled") || each.startsWith("Enabled"));
    }

    private List<String> clauses(AnnotationTree annotation) {
      List<String> clauses = new ArrayList<>();
      for (ExpressionTree argument : annotation.getArguments()) {
        ExpressionTree value =
            argument instanceof AssignmentTree assignment ? assignment.getExpression() : argument;
        if (value instanceof NewArrayTree array) {
          array.getInitializers().forEach(each -> clauses.add(literal(each)));
        } else {
          clauses.add(literal(value));
        }
      }
      return clauses;
    }

    private String literal(ExpressionTree value) {
      return value instanceof LiteralTree literal
          ? String.valueOf(literal.getValue())
          : "(not a literal: " + value + ")";
    }
  }
}
