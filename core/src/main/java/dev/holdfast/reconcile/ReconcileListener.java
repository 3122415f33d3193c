package dev.holdfast.reconcile;

/** Is told of scheduled runs, on their thread. What it throws is logged. */
public interface ReconcileListener {
  /** A run has ended. */
  void ran(Report report);

  /** A run has failed: a side could not be looked at. The next one is tried when it is due. */
  void failed(RuntimeException failure);
}
