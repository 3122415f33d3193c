package dev.holdfast.crashtest.resource;

/** A commit that is one request and one answer: when the answer is there, so is the effect. */
record OverWire<T, E extends Exception>(Wire wire, Wire.Request<T, E> request)
    implements CommitAction<T, E> {

  @Override
  public T perform() throws E {
    return wire.request(request);
  }

  @Override
  public boolean awaitEffect(T answer) {
    return true;
  }

  @Override
  public T performLosingAnswer() throws E {
    return wire.losingAnswer(request);
  }
}
