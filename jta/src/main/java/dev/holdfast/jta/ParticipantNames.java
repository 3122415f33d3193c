package dev.holdfast.jta;

import com.arjuna.ats.internal.jta.resources.arjunacore.XAResourceRecord;
import com.arjuna.ats.internal.jta.resources.arjunacore.XAResourceRecordWrappingPlugin;
import javax.transaction.xa.XAResource;

/**
 * Writes the participants' names into the log. A process that died after one participant's commit
 * left a record of a branch that is not prepared any more. By its name recovery can tell that the
 * participant was reached and does not know the branch, so that it is done; without one the record
 * would stay for ever, and assuming that every such branch is done would forget those of
 * participants that are out of reach.
 */
final class ParticipantNames implements XAResourceRecordWrappingPlugin {
  @Override
  public void transcribeWrapperData(XAResourceRecord written) {
    if (written.value() instanceof WatchedResource resource) {
      written.setProductName(resource.getProductName());
      written.setProductVersion(resource.getProductVersion());
      written.setJndiName(resource.getJndiName());
    }
  }

  /** A number for the name inside of transaction ids, which nothing here reads. */
  @Override
  public Integer getEISName(XAResource resource) {
    return 0;
  }

  @Override
  public String getEISName(Integer number) {
    return "";
  }
}
