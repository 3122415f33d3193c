package dev.holdfast.devservices;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** As whom PostgreSQL is started, since it refuses to run as root. */
enum RunAs {
  /** As the ordinary user that we are. */
  SELF(""),
  /**
   * In a user namespace without a mapping: there the process is nobody, while to the file system it
   * stays who we are, so that nothing needs another owner.
   */
  NAMESPACE("unshare -U"),
  /** As the user nobody, who has to own the data. Where user namespaces are forbidden. */
  NOBODY("setpriv --reuid=nobody --regid=nogroup --clear-groups");

  private final String prefix;

  RunAs(String prefix) {
    this.prefix = prefix;
  }

  /** The command that runs the given one in this way. */
  List<String> command(List<String> command) {
    if (prefix.isEmpty()) {
      return command;
    }
    List<String> whole = new ArrayList<>(List.of(prefix.split(" ")));
    whole.addAll(command);
    return whole;
  }

  /** The way that works here, found by trying. */
  static RunAs probe() {
    if (!isRoot()) {
      // initdb wants a user with a name, which one in a container may lack; nobody has one.
      return hasName() || !NAMESPACE.works() ? SELF : NAMESPACE;
    }
    if (NAMESPACE.works()) {
      return NAMESPACE;
    }
    if (NOBODY.works()) {
      return NOBODY;
    }
    throw new DevServiceException(
        "PostgreSQL refuses to run as root, and neither 'unshare -U' nor 'setpriv --reuid=nobody' works here. Nothing was started. Run as an ordinary user, or install util-linux.");
  }

  private boolean works() {
    // An absent command is exit code 127 to the shell, not an exception.
    List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", "exec \"$@\"", "probe"));
    command.addAll(command(List.of("/bin/sh", "-c", "test \"$(id -u)\" -ne 0")));
    return Processes.run(command).succeeded();
  }

  static boolean isRoot() {
    return uid(Path.of("/proc/self")) == 0;
  }

  private static boolean hasName() {
    return Processes.run(List.of("/bin/sh", "-c", "id -un")).succeeded();
  }

  /** Makes a file owned by the user that the server will be. */
  void own(Path path) throws IOException {
    if (this == NOBODY) {
      Files.setOwner(
          path,
          path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));
    }
  }

  private static int uid(Path path) {
    try {
      return (Integer) Files.getAttribute(path, "unix:uid");
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the owner of " + path, e);
    }
  }
}
