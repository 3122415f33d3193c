package dev.holdfast.crashtest.resource;

/** The network between one process and one resource, as far as the lab can cut it. */
interface Wire {

  /** Runs a request that holds no other up, unless an answer is about to be lost. */
  <T, E extends Exception> T request(Request<T, E> request) throws E;

  /** Runs one request whose answer is lost on the way. */
  <T, E extends Exception> T losingAnswer(Request<T, E> request) throws E;

  void cut();

  void close();

  /** Something that goes out and is answered. */
  interface Request<T, E extends Exception> {
    T run() throws E;
  }

  /** A network that is out of the lab's hands: it can lose nothing. */
  static Wire direct(String resource) {
    return new Wire() {
      @Override
      public <T, E extends Exception> T request(Request<T, E> request) throws E {
        return request.run();
      }

      @Override
      public <T, E extends Exception> T losingAnswer(Request<T, E> request) {
        throw new UnsupportedOperationException(
            "Resource '%s' was wrapped where the lab cannot get between it and its server, so no answer can be lost. Wrap it by its URL or address."
                .formatted(resource));
      }

      @Override
      public void cut() {}

      @Override
      public void close() {}
    };
  }
}
