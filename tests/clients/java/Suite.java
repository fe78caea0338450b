import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchType;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.QueryTrace;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import com.datastax.oss.driver.api.core.servererrors.AlreadyExistsException;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;

/** Drives the running program with the Java driver, in each version of the protocol with each compression. */
public final class Suite {
  private static final String REPLICATION = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
  private static int failed, passed;

  private final Program program;
  private final String version, compression, keyspace;
  private CqlSession session;

  private Suite(Program program, String version, String compression) {
    this.program = program;
    this.version = version;
    this.compression = compression;
    keyspace = "java_" + version + "_" + compression;
  }

  public static void main(String[] args) throws Exception {
    Program program = new Program();
    for (String version : new String[] {"v3", "v4", "v5"}) {
      for (String compression : new String[] {"none", "lz4"}) {
        new Suite(program, version, compression).run();
      }
    }
    program.close();
    System.out.println(passed + " passed, " + failed + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }

  private CqlSession connect(String keyspace) {
    DriverConfigLoader config =
        DriverConfigLoader.programmaticBuilder()
            .withString(DefaultDriverOption.PROTOCOL_VERSION, version.toUpperCase())
            .withString(DefaultDriverOption.PROTOCOL_COMPRESSION, compression)
            .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(30))
            .withDuration(DefaultDriverOption.RECONNECTION_BASE_DELAY, Duration.ofMillis(100))
            .withDuration(DefaultDriverOption.RECONNECTION_MAX_DELAY, Duration.ofMillis(200))
            .withDuration(DefaultDriverOption.METADATA_SCHEMA_WINDOW, Duration.ofMillis(50))
            .build();
    return CqlSession.builder()
        .addContactPoint(new InetSocketAddress("127.0.0.1", program.port))
        .withLocalDatacenter("datacenter1")
        .withKeyspace(keyspace)
        .withConfigLoader(config)
        .build();
  }

  private void run() {
    try (CqlSession setup = connect(null)) {
      setup.execute("CREATE KEYSPACE " + keyspace + " WITH replication = " + REPLICATION);
    }
    try (CqlSession s = connect(keyspace)) {
      session = s;
      test("types", this::types);
      test("paging", this::paging);
      test("batches", this::batches);
      test("errors", this::errors);
      test("events", this::events);
      test("tracing", this::tracing);
      test("restart", this::restart);
    }
  }

  private interface Test {
    void run() throws Exception;
  }

  private void test(String name, Test test) {
    try {
      test.run();
      passed++;
    } catch (Exception | AssertionError e) {
      failed++;
      System.out.println("FAIL " + keyspace + " " + name);
      e.printStackTrace(System.out);
    }
  }

  private static void equal(Object got, Object want, String what) {
    if (!Objects.equals(got, want)) {
      throw new AssertionError(what + ": " + got + " instead of " + want);
    }
  }

  /** Tries until it gives something. */
  private static <T> T eventually(Callable<T> attempt) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    for (; ; Thread.sleep(50)) {
      try {
        T result = attempt.call();
        if (result != null) {
          return result;
        }
      } catch (Exception e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
      }
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain");
      }
    }
  }

  private void types() throws Exception {
    equal(session.getContext().getProtocolVersion().name(), version.toUpperCase(), "version");
    session.execute("CREATE TYPE address (street text, lines frozen<list<text>>, number int)");
    session.execute("CREATE TABLE types (k int PRIMARY KEY)");
    int i = 0;
    for (Values v : Values.all(session, keyspace)) {
      if (version.equals("v3") && v.cql().matches("date|smallint|time|tinyint")) {
        continue; // version 3 has no numbers for them, and the driver no codecs
      }
      String column = "v" + i++;
      session.execute("ALTER TABLE types ADD " + column + " " + v.cql());
      PreparedStatement insert = session.prepare("INSERT INTO types (k, " + column + ") VALUES (?, ?)");
      PreparedStatement select = session.prepare("SELECT " + column + " FROM types WHERE k = ?");
      session.execute(insert.bind(1, v.value()));
      session.execute("INSERT INTO types (k, " + column + ") VALUES (2, " + v.spelled() + ")");
      session.execute(insert.bind(3, null));
      equal(session.execute(select.bind(1)).one().getObject(0), v.value(), v.cql());
      equal(session.execute("SELECT " + column + " FROM types WHERE k = 2").one().getObject(0), v.value(), v.spelled());
      equal(session.execute(select.bind(3)).one().isNull(0), true, v.cql());
    }
  }

  private void paging() throws Exception {
    session.execute("CREATE TABLE rows (k int, c int, v text, PRIMARY KEY (k, c))");
    PreparedStatement insert = session.prepare("INSERT INTO rows (k, c, v) VALUES (?, ?, ?)");
    for (int start = 0; start < 10000; start += 500) {
      BatchStatement batch = BatchStatement.newInstance(BatchType.UNLOGGED);
      for (int c = start; c < start + 500; c++) {
        batch = batch.add(insert.bind(c % 2, c, "row"));
      }
      session.execute(batch);
    }
    SimpleStatement select = SimpleStatement.newInstance("SELECT c FROM rows").setPageSize(777);
    AsyncResultSet page = session.executeAsync(select).toCompletableFuture().get();
    equal(page.remaining(), 777, "the first page");
    Set<Integer> seen = new HashSet<>();
    for (Row row : session.execute(select)) {
      seen.add(row.getInt(0));
    }
    equal(seen.size(), 10000, "rows");
  }

  private void batches() {
    session.execute("CREATE TABLE batches (k int PRIMARY KEY, v text)");
    PreparedStatement insert = session.prepare("INSERT INTO batches (k, v) VALUES (?, ?)");
    session.execute(
        BatchStatement.newInstance(DefaultBatchType.LOGGED)
            .add(SimpleStatement.newInstance("INSERT INTO batches (k, v) VALUES (1, 'one')"))
            .add(insert.bind(2, "two"))
            .setQueryTimestamp(1234));
    for (Row row : session.execute("SELECT k, v, writetime(v) AS w FROM batches")) {
      equal(row.getString("v"), row.getInt("k") == 1 ? "one" : "two", "v");
      equal(row.getLong("w"), 1234L, "timestamp");
    }
    equal(session.execute("SELECT count(*) FROM batches").one().getLong(0), 2L, "rows");
  }

  private void errors() {
    try {
      session.execute("SELECT * FROM nothing");
      throw new AssertionError("no error");
    } catch (InvalidQueryException e) {
      equal(e.getMessage().contains("nothing"), true, e.getMessage());
    }
    try {
      session.execute("CREATE TABLE types (k int PRIMARY KEY)");
      throw new AssertionError("no error");
    } catch (AlreadyExistsException e) {
      equal(e.getMessage().contains("types"), true, e.getMessage());
    }
  }

  private void events() throws Exception {
    try (CqlSession other = connect(keyspace)) {
      Callable<TableMetadata> table = () -> other.getMetadata().getKeyspace(keyspace).get().getTable("heard").orElse(null);
      session.execute("CREATE TABLE heard (k int PRIMARY KEY)");
      eventually(table);
      session.execute("ALTER TABLE heard ADD added text");
      eventually(() -> Optional.ofNullable(table.call()).flatMap(t -> t.getColumn("added")).orElse(null));
      session.execute("DROP TABLE heard");
      eventually(() -> table.call() == null ? true : null);
    }
  }

  private void tracing() throws Exception {
    session.execute("CREATE TABLE traced (k int PRIMARY KEY)");
    for (String text : new String[] {"INSERT INTO traced (k) VALUES (1)", "SELECT * FROM traced WHERE k = 1"}) {
      QueryTrace trace = session.execute(SimpleStatement.newInstance(text).setTracing(true)).getExecutionInfo().getQueryTrace();
      equal(trace.getCoordinatorAddress().getAddress().getHostAddress(), "127.0.0.1", "coordinator");
      equal(trace.getEvents().isEmpty(), false, "events are missing");
    }
  }

  private void restart() throws Exception {
    session.execute("CREATE TABLE restarted (k int PRIMARY KEY)");
    PreparedStatement insert = session.prepare("INSERT INTO restarted (k) VALUES (?)");
    session.execute(insert.bind(1));
    program.restart();
    eventually(() -> session.execute(insert.bind(2)));
    equal(session.execute("SELECT count(*) FROM restarted").one().getLong(0), 2L, "rows");
  }
}
