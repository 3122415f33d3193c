package dev.holdfast;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** The layering that the package descriptions promise. */
final class ArchitectureTest {
  private static final JavaClasses CORE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.holdfast");

  @Test
  void coreDependsOnTheJdkTheLoggingApiAndTheAnnotationsAlone() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("dev.holdfast..", "java..", "javax.sql", "org.slf4j", "org.jspecify..")
        .check(CORE);
  }

  @Test
  void theBoundaryModelKnowsNothingElse() {
    noClasses()
        .that()
        .resideInAPackage("dev.holdfast.boundary")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.holdfast", "dev.holdfast.outbox..", "dev.holdfast.internal..")
        .check(CORE);
  }

  @Test
  void theStoreInterfacesKnowNothingOfTheRelay() {
    noClasses()
        .that()
        .resideInAPackage("dev.holdfast.outbox.store")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.holdfast.outbox", "dev.holdfast.internal..")
        .check(CORE);
  }

  @Test
  void reconciliationKnowsNoOtherResolution() {
    noClasses()
        .that()
        .resideInAPackage("dev.holdfast.reconcile")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.holdfast.outbox..",
            "dev.holdfast.inbox..",
            "dev.holdfast.twophase..",
            "dev.holdfast.workflow..",
            "dev.holdfast.reservation..")
        .check(CORE);
  }

  @Test
  void internalToolsKnowNobodyWhoUsesThem() {
    noClasses()
        .that()
        .resideInAPackage("dev.holdfast.internal")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.holdfast", "dev.holdfast.outbox..", "dev.holdfast.boundary..")
        .check(CORE);
  }

  @Test
  void nobodyReadsTheWallClockOrSleeps() {
    noClasses()
        .should()
        .callMethod(Thread.class, "sleep", long.class)
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Instant.class, "now")
        .check(CORE);
  }
}
