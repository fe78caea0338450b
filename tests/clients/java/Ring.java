import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;

/** A cluster of programs at loopback addresses of their own, all of which Linux answers at. */
final class Ring {
  static final int PORT = 19042;

  final String[] addresses;
  private final Path[] directories;
  private final Process[] processes;

  Ring(int nodes) throws IOException {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    String network = "127." + random.nextInt(1, 250) + "." + random.nextInt(250) + ".";
    addresses = new String[nodes];
    directories = new Path[nodes];
    processes = new Process[nodes];
    for (int i = 0; i < nodes; i++) {
      addresses[i] = network + (i + 1);
      directories[i] = Files.createTempDirectory("ilium-java");
      start(i);
    }
  }

  void start(int i) throws IOException {
    String[] settings = {
      "cluster_name=clients", "memory=128MiB", "data_directory=" + directories[i], "listen_address=" + addresses[i],
      "rpc_address=" + addresses[i], "native_transport_port=" + PORT, "storage_port=17000", "seeds=" + addresses[0] + ":17000"
    };
    ProcessBuilder builder = new ProcessBuilder(System.getenv("ILIUM"), "start");
    for (String s : settings) {
      builder.command().add("--set");
      builder.command().add(s);
    }
    builder.redirectError(ProcessBuilder.Redirect.DISCARD).directory(directories[i].toFile());
    processes[i] = builder.start();
    String line = new BufferedReader(new InputStreamReader(processes[i].getInputStream())).readLine();
    if (line == null || !line.contains("ready")) {
      throw new IOException("node " + addresses[i] + " did not start: " + line);
    }
  }

  void kill(int i) throws Exception {
    processes[i].destroyForcibly().waitFor();
  }

  void close() throws Exception {
    for (Process p : processes) {
      p.destroy();
    }
    for (Process p : processes) {
      p.waitFor();
    }
    for (Path directory : directories) {
      try (var files = Files.walk(directory)) {
        files.sorted(java.util.Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
      }
    }
  }
}
