package dev.holdfast.jta;

import com.arjuna.ats.arjuna.common.CoordinatorEnvironmentBean;
import com.arjuna.ats.arjuna.common.CoreEnvironmentBean;
import com.arjuna.ats.arjuna.common.CoreEnvironmentBeanException;
import com.arjuna.ats.arjuna.common.ObjectStoreEnvironmentBean;
import com.arjuna.ats.arjuna.common.RecoveryEnvironmentBean;
import com.arjuna.ats.arjuna.coordinator.TransactionReaper;
import com.arjuna.ats.arjuna.coordinator.TxControl;
import com.arjuna.ats.arjuna.recovery.RecoveryManager;
import com.arjuna.ats.internal.arjuna.objectstore.VolatileStore;
import com.arjuna.ats.internal.arjuna.recovery.AtomicActionRecoveryModule;
import com.arjuna.ats.internal.jta.recovery.arjunacore.JTAActionStatusServiceXAResourceOrphanFilter;
import com.arjuna.ats.internal.jta.recovery.arjunacore.JTANodeNameXAResourceOrphanFilter;
import com.arjuna.ats.internal.jta.recovery.arjunacore.JTATransactionLogXAResourceOrphanFilter;
import com.arjuna.ats.internal.jta.recovery.arjunacore.XARecoveryModule;
import com.arjuna.ats.jta.common.JTAEnvironmentBean;
import com.arjuna.ats.jta.recovery.XAResourceRecoveryHelper;
import com.arjuna.common.internal.util.propertyservice.BeanPopulator;
import dev.holdfast.InvalidConfiguration;
import jakarta.transaction.SystemException;
import jakarta.transaction.TransactionManager;
import jakarta.transaction.UserTransaction;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;

/**
 * Narayana, of which there is one in a JVM: its settings, its recovery, its end.
 *
 * <p>What decides whether a prepared branch that no log knows is rolled back: that its node is ours
 * (others' are left alone), and that no transaction of this process is still at it. The log is ours
 * alone, so that nobody else can be at it either, and a second between two looks is enough.
 */
final class Coordinator implements AutoCloseable {
  private static final AtomicBoolean RUNNING = new AtomicBoolean();

  /** Parts of Narayana keep the log that they met first, for as long as the JVM lives. */
  private record Identity(String node, Object log) {}

  private static @Nullable Identity identity;

  /** Between the two looks of a scan, and between seeing an orphan and ending it. */
  private static final Duration ORPHAN_SAFETY = Duration.ofSeconds(1);

  private final TransactionManager manager;
  private final UserTransaction userTransaction;
  private final RecoveryManager recovery;

  private Coordinator(JTAEnvironmentBean jta, RecoveryManager recovery) {
    this.manager = jta.getTransactionManager();
    this.userTransaction = jta.getUserTransaction();
    this.recovery = recovery;
  }

  static Coordinator start(
      String node,
      Log log,
      Duration timeout,
      Duration recoverEvery,
      List<? extends XAResourceRecoveryHelper> participants) {
    if (!RUNNING.compareAndSet(false, true)) {
      throw new InvalidConfiguration(
          "A coordinator already runs in this process, and there can be one. Nothing was started. Use it for all transactions, with all participants.");
    }
    try {
      requireSame(new Identity(node, log.place()));
      configure(node, log, timeout, recoverEvery);
      RecoveryManager recovery = RecoveryManager.manager(RecoveryManager.INDIRECT_MANAGEMENT);
      XARecoveryModule module =
          recovery.getModules().stream()
              .filter(XARecoveryModule.class::isInstance)
              .map(XARecoveryModule.class::cast)
              .findAny()
              .orElseThrow();
      participants.forEach(module::addXAResourceRecoveryHelper);
      recovery.startRecoveryManagerThread();
      return new Coordinator(BeanPopulator.getDefaultInstance(JTAEnvironmentBean.class), recovery);
    } catch (CoreEnvironmentBeanException e) {
      RUNNING.set(false);
      throw new InvalidConfiguration(
          "Narayana does not take the node identifier '%s'. Nothing was started.".formatted(node),
          e);
    } catch (RuntimeException e) {
      RUNNING.set(false);
      throw e;
    }
  }

  private static synchronized void requireSame(Identity wanted) {
    Identity first = identity;
    if (first != null && !first.equals(wanted)) {
      throw new InvalidConfiguration(
          "A coordinator ran in this process as the node '%s', and this is '%s' or has another log. Nothing was started: Narayana goes on with the log that it began with. Start it as it was, or in a process of its own."
              .formatted(first.node(), wanted.node()));
    }
    identity = wanted;
  }

  private static void configure(String node, Log log, Duration timeout, Duration recoverEvery)
      throws CoreEnvironmentBeanException {
    BeanPopulator.getDefaultInstance(CoreEnvironmentBean.class).setNodeIdentifier(node);

    CoordinatorEnvironmentBean coordinator =
        BeanPopulator.getDefaultInstance(CoordinatorEnvironmentBean.class);
    coordinator.setDefaultTimeout(Math.toIntExact(timeout.toSeconds()));
    // A port at which other processes ask for ours, which none may: the log is not shared.
    coordinator.setTransactionStatusManagerEnable(false);

    log.configure(BeanPopulator.getDefaultInstance(ObjectStoreEnvironmentBean.class));
    for (String unused : List.of("communicationStore", "stateStore")) {
      BeanPopulator.getNamedInstance(ObjectStoreEnvironmentBean.class, unused)
          .setObjectStoreType(VolatileStore.class.getName());
    }

    RecoveryEnvironmentBean recovery =
        BeanPopulator.getDefaultInstance(RecoveryEnvironmentBean.class);
    recovery.setExpiryScannerClassNames(List.of());
    recovery.setRecoveryActivatorClassNames(List.of());
    recovery.setRecoveryListener(false);
    recovery.setPeriodicRecoveryPeriod(Math.toIntExact(recoverEvery.toSeconds()));
    recovery.setRecoveryBackoffPeriod(Math.toIntExact(ORPHAN_SAFETY.toSeconds()));

    JTAEnvironmentBean jta = BeanPopulator.getDefaultInstance(JTAEnvironmentBean.class);
    jta.setXaRecoveryNodes(List.of(node));
    jta.setXAResourceRecordWrappingPlugin(new ParticipantNames());
    jta.setOrphanSafetyInterval(Math.toIntExact(ORPHAN_SAFETY.toMillis()));
    jta.setXaResourceOrphanFilters(
        List.of(
            new JTATransactionLogXAResourceOrphanFilter(),
            new JTANodeNameXAResourceOrphanFilter(),
            new JTAActionStatusServiceXAResourceOrphanFilter()));
    jta.setXaResourceRecoveryClassNames(List.of());

    // Made here and not named: named ones are made once in a JVM, and keep their participants.
    recovery.setRecoveryModules(List.of(new AtomicActionRecoveryModule(), new XARecoveryModule()));

    // What it has read once of the above, for a second start in one JVM.
    TxControl.setXANodeName(node);
    TxControl.setDefaultTimeout(coordinator.getDefaultTimeout());
    TxControl.enable();
  }

  TransactionManager manager() {
    return manager;
  }

  UserTransaction userTransaction() {
    return userTransaction;
  }

  /** Looks for what is in doubt and ends it; returns when that is done. */
  void scan() {
    recovery.scan();
  }

  /** No transaction is in the current thread's hands. */
  boolean isIdle() throws SystemException {
    return manager.getTransaction() == null;
  }

  @Override
  public void close() {
    TxControl.disable(true);
    recovery.terminate(false);
    TransactionReaper.terminate(false);
    RUNNING.set(false);
  }

  /** A participant, for recovery. */
  record Recoverer(String name, Link<?> link) implements XAResourceRecoveryHelper {
    @Override
    public boolean initialise(String parameter) {
      return true;
    }

    @Override
    public XAResource[] getXAResources() throws Exception {
      return new XAResource[] {WatchedResource.ofRecovery(name, link.recovery())};
    }
  }
}
