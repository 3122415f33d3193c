package dev.holdfast.benchmarks;

import javax.sql.DataSource;

/**
 * An engine for workflows. The workflow is the same for all: two steps whose results are recorded,
 * and a step that inserts a row of the {@link EntryTable} in one commit with its record.
 */
interface WorkflowContender extends CountedContender<WorkflowScenario> {
  /** Makes its tables, in a database that has none but the {@link EntryTable}. */
  void prepare(CountedServer server) throws Exception;

  /** Starts the engine, with connections for so many in flight. */
  WorkflowEntry enter(CountedServer server, WorkflowScenario scenario) throws Exception;

  /** How many workflows are recorded as completed, each with the results of three steps. */
  long recorded(DataSource database);
}
