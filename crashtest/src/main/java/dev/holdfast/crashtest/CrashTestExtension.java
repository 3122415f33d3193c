package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.ConsoleReport;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.RunReport;
import java.lang.reflect.Method;
import java.util.Iterator;
import java.util.List;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;

/**
 * Makes each run of a {@link CrashTest} a test. The stream of invocations is lazy: what follows the
 * golden run is known only when that has been made, so a run is planned when JUnit asks for the
 * next invocation, after it has executed the one before.
 */
final class CrashTestExtension implements TestTemplateInvocationContextProvider {

  @Override
  public boolean supportsTestTemplate(ExtensionContext context) {
    return context
        .getTestMethod()
        .map(method -> method.isAnnotationPresent(CrashTest.class))
        .orElse(false);
  }

  @Override
  public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(
      ExtensionContext context) {
    Method method = context.getRequiredTestMethod();
    Explorer explorer =
        new Explorer(
            context.getRequiredTestClass().getSimpleName() + "." + method.getName(),
            options(method.getAnnotation(CrashTest.class)),
            ForkSource.of(context.getRequiredTestClass(), method));
    Iterator<TestTemplateInvocationContext> runs =
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return explorer.hasNext();
          }

          @Override
          public TestTemplateInvocationContext next() {
            return new Run(explorer, explorer.next());
          }
        };
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(runs, 0), false)
        .onClose(() -> finish(explorer, context));
  }

  private static void finish(Explorer explorer, ExtensionContext context) {
    explorer.close();
    ExplorationReport report = explorer.report();
    System.out.print(ConsoleReport.render(report));
    context
        .getRoot()
        .getStore(Namespace.create(CrashTestExtension.class))
        .computeIfAbsent(ReportFiles.class, type -> new ReportFiles(), ReportFiles.class)
        .add(context.getRequiredTestClass(), report);
  }

  private static CrashLab.Options options(CrashTest annotation) {
    CrashLab.Options options =
        new CrashLab.Options(
            java.util.EnumSet.copyOf(List.of(annotation.carriers())),
            annotation.crashesDuringRecovery(),
            annotation.pairs(),
            annotation.seed() == 0 ? CrashLab.Options.defaults().seed() : annotation.seed(),
            "");
    String replay = System.getProperty(CrashTest.REPLAY_PROPERTY, "");
    return replay.isEmpty() ? options : options.withReplay(replay);
  }

  /** One run as one test. */
  private static final class Run
      implements TestTemplateInvocationContext, ParameterResolver, InvocationInterceptor {
    private final Explorer explorer;
    private final RunPlan plan;
    private final CrashLab lab = new CrashLab();

    Run(Explorer explorer, RunPlan plan) {
      this.explorer = explorer;
      this.plan = plan;
    }

    @Override
    public String getDisplayName(int invocationIndex) {
      return plan.title();
    }

    @Override
    public List<Extension> getAdditionalExtensions() {
      return List.of(this);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
      return parameter.getParameter().getType() == CrashLab.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
      return lab;
    }

    @Override
    public void interceptTestTemplateMethod(
        Invocation<Void> description,
        ReflectiveInvocationContext<Method> method,
        ExtensionContext context)
        throws Throwable {
      description.proceed();
      RunReport report = explorer.execute(plan, lab);
      context.publishReportEntry("crash-lab", report.replayId());
      CrashTestFailure.throwUnlessPassed(report);
    }
  }
}
