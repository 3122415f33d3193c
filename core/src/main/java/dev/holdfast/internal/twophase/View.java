package dev.holdfast.internal.twophase;

import dev.holdfast.Message;
import dev.holdfast.Transaction;
import dev.holdfast.twophase.AtomicTransaction;
import dev.holdfast.twophase.Branch;
import dev.holdfast.twophase.Participant;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An operation as its callback sees it. */
record View(Transaction tx, Function<Participant, Branch> branches) implements AtomicTransaction {
  @Override
  public Branch on(Participant participant) {
    return branches.apply(participant);
  }

  @Override
  public Connection connection() {
    return tx.connection();
  }

  @Override
  public String operationId() {
    return tx.operationId();
  }

  @Override
  public void publish(Message message) {
    tx.publish(message);
  }

  @Override
  public int update(String sql, @Nullable Object... parameters) throws SQLException {
    return tx.update(sql, parameters);
  }
}
