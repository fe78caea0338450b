import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The real program, on a free port and with a data directory of its own. */
final class Program {
  private static final Pattern READY = Pattern.compile("ready in \\d+ ms at \\S*:(\\d+)");

  private final Path directory = Files.createTempDirectory("ilium-java");
  private Process process;
  int port;

  Program() throws IOException {
    start();
  }

  private void start() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(System.getenv("ILIUM"), "start", "--set", "native_transport_port=" + port, "--set", "data_directory=" + directory);
    builder.redirectError(ProcessBuilder.Redirect.INHERIT).directory(directory.toFile());
    process = builder.start();
    String line = new BufferedReader(new InputStreamReader(process.getInputStream())).readLine();
    Matcher ready = READY.matcher(String.valueOf(line));
    if (!ready.find()) {
      throw new IOException("the program did not start: " + line);
    }
    port = Integer.parseInt(ready.group(1));
  }

  /** Stops the program as an administrator would. */
  void stop() throws Exception {
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("the program did not end well");
    }
  }

  void restart() throws Exception {
    stop();
    start();
  }

  void close() throws Exception {
    stop();
    try (var files = Files.walk(directory)) {
      files.sorted(java.util.Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
    }
  }
}
