import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.ResultSet;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.metadata.NodeState;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;

/** Drives a cluster of three processes with the Java driver. */
public final class ClusterSuite {
  private final Ring ring;
  private final CqlSession session;

  private ClusterSuite(Ring ring) {
    this.ring = ring;
    session = connect(0);
  }

  public static void main(String[] args) throws Exception {
    Ring ring = new Ring(3);
    int code = 1;
    try {
      ClusterSuite suite = new ClusterSuite(ring);
      suite.nodes();
      suite.routing();
      suite.agreement();
      suite.kill();
      suite.session.close();
      System.out.println("a cluster of three: passed");
      code = 0;
    } catch (Exception | AssertionError e) {
      e.printStackTrace(System.out);
    } finally {
      ring.close();
    }
    System.exit(code);
  }

  private CqlSession connect(int node) {
    DriverConfigLoader config =
        DriverConfigLoader.programmaticBuilder()
            .withString(DefaultDriverOption.REQUEST_CONSISTENCY, "QUORUM")
            .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(30))
            .withDuration(DefaultDriverOption.RECONNECTION_BASE_DELAY, Duration.ofMillis(100))
            .withDuration(DefaultDriverOption.RECONNECTION_MAX_DELAY, Duration.ofMillis(200))
            .withDuration(DefaultDriverOption.METADATA_SCHEMA_WINDOW, Duration.ofMillis(50))
            .build();
    return CqlSession.builder()
        .addContactPoint(new InetSocketAddress(ring.addresses[node], Ring.PORT))
        .withLocalDatacenter("datacenter1")
        .withConfigLoader(config)
        .build();
  }

  private static void check(boolean right, String what) {
    if (!right) {
      throw new AssertionError(what);
    }
  }

  private static void eventually(Callable<Boolean> attempt, String what) throws Exception {
    for (long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos(); !attempt.call(); Thread.sleep(50)) {
      check(System.nanoTime() < deadline, what);
    }
  }

  private static String address(Node n) {
    return n.getBroadcastRpcAddress().orElseThrow().getAddress().getHostAddress();
  }

  private Node node(int i) {
    return session.getMetadata().getNodes().values().stream().filter(n -> address(n).equals(ring.addresses[i])).findAny().orElseThrow();
  }

  private void nodes() throws Exception {
    eventually(() -> session.getMetadata().getNodes().size() == 3, "three nodes");
    Set<String> found = new TreeSet<>();
    session.getMetadata().getNodes().values().forEach(n -> found.add(address(n)));
    check(found.equals(new TreeSet<>(Set.of(ring.addresses))), "nodes " + found);
    check(session.getMetadata().getTokenMap().orElseThrow().getTokenRanges().size() == 48, "48 ranges");
  }

  /** A statement goes to a node that keeps the partition. */
  private void routing() {
    session.execute("CREATE KEYSPACE one WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}");
    session.execute("CREATE TABLE one.t (k text PRIMARY KEY, v int)");
    PreparedStatement insert = session.prepare("INSERT INTO one.t (k, v) VALUES (?, ?)");
    for (int i = 0; i < 30; i++) {
      BoundStatement b = insert.bind("key " + i, i);
      Set<Node> replicas = session.getMetadata().getTokenMap().orElseThrow().getReplicas(b.getRoutingKeyspace(), b.getRoutingKey());
      ResultSet result = session.execute(b.setTracing(true));
      check(replicas.equals(Set.of(result.getExecutionInfo().getCoordinator())), "key " + i + " went elsewhere");
      String coordinator = result.getExecutionInfo().getQueryTrace().getCoordinatorAddress().getAddress().getHostAddress();
      check(coordinator.equals(address(result.getExecutionInfo().getCoordinator())), "the trace is of " + coordinator);
    }
  }

  private void agreement() throws Exception {
    session.execute("CREATE KEYSPACE app WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}");
    long begun = System.nanoTime();
    for (int i = 0; i < 5; i++) {
      ResultSet result = session.execute("CREATE TABLE app.agreed" + i + " (k int PRIMARY KEY)");
      check(result.getExecutionInfo().isSchemaInAgreement(), "table " + i);
    }
    System.out.printf("5 tables were made and agreed on in %d ms%n", (System.nanoTime() - begun) / 1_000_000);
    try (CqlSession second = connect(1)) {
      CqlSession[] sessions = {session, second};
      Thread[] threads = new Thread[2];
      Throwable[] failed = new Throwable[1];
      for (int n = 0; n < 2; n++) {
        int number = n;
        threads[n] = new Thread(() -> {
          for (int i = 0; i < 10; i++) {
            sessions[number].execute("CREATE TABLE app.both" + number + "_" + i + " (k int PRIMARY KEY)");
          }
        });
        threads[n].setUncaughtExceptionHandler((t, e) -> failed[0] = e);
        threads[n].start();
      }
      for (Thread t : threads) {
        t.join();
      }
      check(failed[0] == null, "two at once: " + failed[0]);
      eventually(() -> second.getMetadata().getKeyspace("app").orElseThrow().getTables().size() == 25, "25 tables");
    }
  }

  private void kill() throws Exception {
    session.execute("CREATE TABLE app.t (k int PRIMARY KEY, v int)");
    PreparedStatement insert = session.prepare("INSERT INTO app.t (k, v) VALUES (?, ?)");
    ring.kill(2);
    eventually(() -> node(2).getState() == NodeState.DOWN, "down");
    for (int k = 0; k < 100; k++) {
      session.execute(insert.bind(k, k));
    }
    ring.start(2);
    eventually(() -> node(2).getState() == NodeState.UP, "up");
    check(session.execute("SELECT count(*) FROM app.t").one().getLong(0) == 100, "100 rows");
  }
}
