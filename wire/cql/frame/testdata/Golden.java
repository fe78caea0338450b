import io.netty.buffer.*;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.*;
import java.util.function.Function;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.cql3.*;
import org.apache.cassandra.cql3.functions.FunctionName;
import org.apache.cassandra.cql3.statements.BatchStatement;
import org.apache.cassandra.db.*;
import org.apache.cassandra.db.marshal.*;
import org.apache.cassandra.exceptions.*;
import org.apache.cassandra.locator.InetAddressAndPort;
import org.apache.cassandra.service.pager.PagingState;
import org.apache.cassandra.transport.*;
import org.apache.cassandra.transport.messages.*;
import org.apache.cassandra.utils.*;

/**
 * Golden prints frames, types and segments as Cassandra's own classes encode them: the origin of frames.txt, types.txt and
 * segments.txt. It needs the jars of Cassandra 5.0 in the class path, and is not run by the tests:
 *
 *   java --add-exports java.base/jdk.internal.misc=ALL-UNNAMED --add-opens java.base/jdk.internal.misc=ALL-UNNAMED \
 *     --add-exports java.base/jdk.internal.ref=ALL-UNNAMED --add-exports java.base/sun.nio.ch=ALL-UNNAMED \
 *     --add-opens java.base/java.nio=ALL-UNNAMED --add-opens java.base/sun.nio.ch=ALL-UNNAMED \
 *     -cp 'lib/*' Golden.java frames | grep -v INFO
 */
public class Golden {
    static final ProtocolVersion[] VERSIONS = {ProtocolVersion.V3, ProtocolVersion.V4, ProtocolVersion.V5};
    static final long NONE = Long.MIN_VALUE;

    public static void main(String[] args) throws Exception {
        DatabaseDescriptor.clientInitialization();
        switch (args[0]) {
            case "frames" -> { handshake(); requests(); results(); errors(); }
            case "types" -> types();
            case "segments" -> segments();
        }
        System.exit(0);
    }

    // print encodes what make returns for each version; null means there is nothing to print.
    static void print(String name, Function<ProtocolVersion, Message> make) {
        for (ProtocolVersion v : VERSIONS) {
            Message m = make.apply(v);
            if (m == null) continue;
            m.setStreamId(258);
            Envelope e = m.encode(v);
            System.out.println(name + " " + v.asInt() + " " + hex(e.encodeHeader()) + hex(e.body));
        }
    }

    static String hex(ByteBuf b) { return ByteBufUtil.hexDump(b); }
    static ByteBuffer bytes(String s) { return ByteBuffer.wrap(s.getBytes()); }

    static MD5Digest id(int first) {
        byte[] b = new byte[16];
        for (int i = 0; i < 16; i++) b[i] = (byte) (first + i);
        return MD5Digest.wrap(b);
    }

    static InetAddressAndPort node(String address, int port) {
        try { return InetAddressAndPort.getByAddressOverrideDefaults(InetAddress.getByName(address), port); }
        catch (Exception e) { throw new RuntimeException(e); }
    }

    static void handshake() {
        print("OPTIONS", v -> new OptionsMessage());
        print("STARTUP", v -> new StartupMessage(new TreeMap<>(Map.of("CQL_VERSION", "3.0.0", "COMPRESSION", "lz4"))));
        print("READY", v -> new ReadyMessage());
        print("AUTHENTICATE", v -> new AuthenticateMessage("org.apache.cassandra.auth.PasswordAuthenticator"));
        print("AUTH_RESPONSE", v -> new AuthResponse("\0cassandra\0secret".getBytes()));
        print("AUTH_CHALLENGE", v -> new AuthChallenge("more".getBytes()));
        print("AUTH_SUCCESS", v -> new AuthSuccess(null));
        print("AUTH_SUCCESS_empty", v -> new AuthSuccess(new byte[0]));
        print("REGISTER", v -> new RegisterMessage(List.of(Event.Type.TOPOLOGY_CHANGE, Event.Type.STATUS_CHANGE, Event.Type.SCHEMA_CHANGE)));
        Map<String, List<String>> options = new TreeMap<>();
        options.put("CQL_VERSION", List.of("3.4.7"));
        options.put("COMPRESSION", List.of("snappy", "lz4"));
        print("SUPPORTED", v -> new SupportedMessage(options));
    }

    static QueryOptions plain(ProtocolVersion v, ByteBuffer... values) {
        return QueryOptions.create(ConsistencyLevel.ONE, Arrays.asList(values), false, -1, null, ConsistencyLevel.SERIAL, v, null, NONE, NONE);
    }

    static QueryOptions full(ProtocolVersion v, List<ByteBuffer> values, boolean skip, int page, PagingState state, boolean modern) {
        return QueryOptions.create(ConsistencyLevel.LOCAL_QUORUM, values, skip, page, state, ConsistencyLevel.LOCAL_SERIAL, v,
                                   modern ? "ks" : null, 1234567890123456L, modern ? 1700000000L : NONE);
    }

    static void requests() {
        List<ByteBuffer> values = Arrays.asList(bytes("abc"), null, bytes(""));
        PagingState state = new PagingState(bytes("pk"), null, 10, 20);
        print("QUERY", v -> new QueryMessage("SELECT \u00e9", plain(v)));
        print("QUERY_full", v -> new QueryMessage("SELECT 1", full(v, values, true, 100, state, v == ProtocolVersion.V5)));
        print("EXECUTE", v -> new ExecuteMessage(id(1), id(0x80), full(v, values, true, 5000, null, false)));
        print("BATCH_plain", v -> new BatchMessage(BatchStatement.Type.LOGGED, List.of(), List.of(), plain(v)));
        print("BATCH", v -> new BatchMessage(BatchStatement.Type.UNLOGGED, List.of("INSERT", id(1)),
                                             List.of(List.of(), Arrays.asList(bytes("v"), null)),
                                             full(v, List.of(), false, -1, null, v == ProtocolVersion.V5)));
        print("PREPARE", v -> new PrepareMessage("SELECT ?", null));
        print("PREPARE_keyspace", v -> v == ProtocolVersion.V5 ? new PrepareMessage("SELECT ?", "ks") : null);
        print("PREPARE_payload", v -> {
            if (v == ProtocolVersion.V3) return null;
            Message m = new PrepareMessage("q", null);
            m.setCustomPayload(new TreeMap<>(Map.of("k", bytes("v"))));
            return m;
        });
    }

    static ColumnSpecification column(String table, String name, AbstractType<?> type) {
        return new ColumnSpecification("ks", table, new ColumnIdentifier(name, true), type);
    }

    static Message rows(ResultSet.ResultMetadata metadata, ByteBuffer... values) {
        ResultSet set = new ResultSet(metadata, new ArrayList<>());
        for (int i = 0; i < values.length; i += 2) set.addRow(Arrays.asList(values[i], values[i + 1]));
        return new ResultMessage.Rows(set);
    }

    static void results() {
        List<ColumnSpecification> same = List.of(column("t", "k", Int32Type.instance), column("t", "v", UTF8Type.instance));
        List<ColumnSpecification> mixed = List.of(column("t", "k", Int32Type.instance), column("u", "v", UTF8Type.instance));
        ByteBuffer one = ByteBufferUtil.bytes(1), two = ByteBufferUtil.bytes(2), x = bytes("x");
        print("VOID", v -> new ResultMessage.Void());
        print("SET_KEYSPACE", v -> new ResultMessage.SetKeyspace("ks"));
        print("ROWS", v -> rows(new ResultSet.ResultMetadata(same), one, x, two, null));
        print("ROWS_mixed", v -> rows(new ResultSet.ResultMetadata(mixed)));
        print("ROWS_skip", v -> { var m = new ResultSet.ResultMetadata(same); m.setSkipMetadata(); return rows(m, one, x); });
        print("ROWS_changed", v -> {
            if (v != ProtocolVersion.V5) return null;
            var m = new ResultSet.ResultMetadata(id(0x40), same);
            m.setMetadataChanged();
            return rows(m);
        });
        print("ROWS_paged", v -> {
            var m = new ResultSet.ResultMetadata(same);
            m.setHasMorePages(new PagingState(bytes("pk"), null, 10, 20));
            return rows(m);
        });
        print("PREPARED", v -> new ResultMessage.Prepared(id(1), id(0x80), new ResultSet.PreparedMetadata(same, new short[]{1, 0}), new ResultSet.ResultMetadata(mixed)));
        print("PREPARED_empty", v -> new ResultMessage.Prepared(id(1), id(0x80), new ResultSet.PreparedMetadata(List.of(), null), ResultSet.ResultMetadata.EMPTY));

        var created = Event.SchemaChange.Change.CREATED;
        print("SCHEMA_CHANGE_keyspace", v -> new ResultMessage.SchemaChange(new Event.SchemaChange(created, "ks")));
        print("SCHEMA_CHANGE_table", v -> new ResultMessage.SchemaChange(new Event.SchemaChange(Event.SchemaChange.Change.UPDATED, Event.SchemaChange.Target.TABLE, "ks", "t")));
        print("SCHEMA_CHANGE_function", v -> new ResultMessage.SchemaChange(new Event.SchemaChange(Event.SchemaChange.Change.DROPPED, Event.SchemaChange.Target.FUNCTION, "ks", "f", List.of("int", "text"))));
        print("EVENT_schema", v -> new EventMessage(new Event.SchemaChange(created, Event.SchemaChange.Target.TYPE, "ks", "u")));
        print("EVENT_topology", v -> new EventMessage(Event.TopologyChange.newNode(node("127.0.0.1", 9042))));
        print("EVENT_status", v -> new EventMessage(Event.StatusChange.nodeDown(node("2001:db8::1", 9042))));
    }

    static void errors() {
        Map<InetAddressAndPort, RequestFailureReason> failures = new LinkedHashMap<>();
        failures.put(node("127.0.0.1", 7000), RequestFailureReason.TIMEOUT);
        failures.put(node("2001:db8::1", 7000), RequestFailureReason.READ_TOO_MANY_TOMBSTONES);
        Map<String, Exception> errors = new LinkedHashMap<>();
        errors.put("SERVER", new ServerError("boom"));
        errors.put("PROTOCOL", new ProtocolException("bad"));
        errors.put("CREDENTIALS", new AuthenticationException("no"));
        errors.put("UNAVAILABLE", UnavailableException.create(ConsistencyLevel.QUORUM, 2, 1));
        errors.put("OVERLOADED", new OverloadedException("busy"));
        errors.put("BOOTSTRAPPING", new IsBootstrappingException());
        errors.put("TRUNCATE", new TruncateException("t"));
        errors.put("WRITE_TIMEOUT", new WriteTimeoutException(WriteType.SIMPLE, ConsistencyLevel.ONE, 0, 1));
        errors.put("WRITE_TIMEOUT_CAS", new CasWriteTimeoutException(WriteType.CAS, ConsistencyLevel.SERIAL, 1, 2, 7));
        errors.put("READ_TIMEOUT", new ReadTimeoutException(ConsistencyLevel.ONE, 0, 1, true));
        errors.put("READ_FAILURE", new ReadFailureException(ConsistencyLevel.ALL, 1, 3, true, failures));
        errors.put("WRITE_FAILURE", new WriteFailureException(ConsistencyLevel.ALL, 1, 3, WriteType.BATCH_LOG, failures));
        errors.put("FUNCTION", new FunctionExecutionException(new FunctionName("ks", "f"), List.of("int", "text"), "detail"));
        errors.put("CDC", new CDCWriteException("full"));
        errors.put("CAS_UNKNOWN", new CasWriteUnknownResultException(ConsistencyLevel.SERIAL, 1, 2));
        errors.put("SYNTAX", new SyntaxException("s"));
        errors.put("UNAUTHORIZED", new UnauthorizedException("u"));
        errors.put("INVALID", new InvalidRequestException("i"));
        errors.put("CONFIG", new ConfigurationException("c"));
        errors.put("EXISTS_keyspace", new AlreadyExistsException("ks"));
        errors.put("EXISTS_table", new AlreadyExistsException("ks", "t"));
        errors.put("UNPREPARED", new PreparedQueryNotFoundException(id(1)));
        errors.forEach((name, e) -> print("ERROR_" + name, v -> ErrorMessage.fromException(e)));
        print("ERROR_prologue", v -> v == ProtocolVersion.V3 ? null : withPrologue(ErrorMessage.fromException(new InvalidRequestException("i"))));
    }

    static Message withPrologue(Message.Response m) {
        m.setWarnings(List.of("w1", "w2"));
        Map<String, ByteBuffer> payload = new TreeMap<>();
        payload.put("k", bytes("v"));
        payload.put("n", null);
        m.setCustomPayload(payload);
        try {
            Method set = Message.Response.class.getDeclaredMethod("setTracingId", TimeUUID.class);
            set.setAccessible(true);
            set.invoke(m, TimeUUID.fromString("00112233-4455-1677-8899-aabbccddeeff"));
        } catch (ReflectiveOperationException e) { throw new RuntimeException(e); }
        return m;
    }

    static UserType udt(boolean multiCell) {
        return new UserType("ks", bytes("my Type"), List.of(FieldIdentifier.forUnquoted("a"), FieldIdentifier.forQuoted("B c")),
                            List.of(Int32Type.instance, ListType.getInstance(ShortType.instance, false)), multiCell);
    }

    static void types() {
        Map<String, AbstractType<?>> types = new LinkedHashMap<>();
        for (CQL3Type.Native n : CQL3Type.Native.values())
            if (n != CQL3Type.Native.EMPTY) types.put(n.toString(), n.getType());
        AbstractType<?> ints = ListType.getInstance(Int32Type.instance, false);
        types.put("list<int>", ListType.getInstance(Int32Type.instance, true));
        types.put("frozen<list<int>>", ints);
        types.put("set<date>", SetType.getInstance(SimpleDateType.instance, true));
        types.put("map<text, duration>", MapType.getInstance(UTF8Type.instance, DurationType.instance, true));
        types.put("list<frozen<list<int>>>", ListType.getInstance(ints, true));
        types.put("frozen<list<frozen<list<int>>>>", ListType.getInstance(ints, false));
        types.put("frozen<tuple<int, tinyint>>", new TupleType(List.of(Int32Type.instance, ByteType.instance)));
        types.put("frozen<tuple<int, frozen<list<int>>>>", new TupleType(List.of(Int32Type.instance, ints)));
        types.put("u", udt(true));
        types.put("frozen<u>", udt(false));
        types.put("map<int, frozen<u>>", MapType.getInstance(Int32Type.instance, udt(false), true));
        types.put("vector<float, 3>", VectorType.getInstance(FloatType.instance, 3));
        types.put("vector<text, 1>", VectorType.getInstance(UTF8Type.instance, 1));
        types.put("vector<frozen<list<int>>, 2>", VectorType.getInstance(ints, 2));
        types.put("vector<list<int>, 2>", VectorType.getInstance(ListType.getInstance(Int32Type.instance, true), 2));
        types.put("vector<frozen<set<time>>, 2>", VectorType.getInstance(SetType.getInstance(TimeType.instance, false), 2));
        types.put("vector<frozen<map<int, text>>, 2>", VectorType.getInstance(MapType.getInstance(Int32Type.instance, UTF8Type.instance, false), 2));
        types.put("vector<frozen<tuple<int, text>>, 2>", VectorType.getInstance(new TupleType(List.of(Int32Type.instance, UTF8Type.instance)), 2));
        types.put("vector<frozen<u>, 2>", VectorType.getInstance(udt(false), 2));
        types.put("vector<vector<float, 2>, 2>", VectorType.getInstance(VectorType.getInstance(FloatType.instance, 2), 2));
        types.put("frozen<tuple<vector<frozen<list<int>>, 2>>>", new TupleType(List.of(VectorType.getInstance(ints, 2))));
        types.put("list<vector<float, 2>>", ListType.getInstance(VectorType.getInstance(FloatType.instance, 2), true));
        types.forEach((name, type) -> {
            for (ProtocolVersion v : VERSIONS) {
                ByteBuf out = Unpooled.buffer();
                DataType.codec.writeOne(DataType.fromType(type, v), out, v);
                System.out.println(name + "|" + v.asInt() + "|" + hex(out) + "|" + type);
            }
        });
    }

    static ByteBuffer direct(int before, byte[] content, int behind) {
        ByteBuffer b = ByteBuffer.allocateDirect(before + content.length + behind);
        for (int i = 0; i < content.length; i++) b.put(before + i, content[i]);
        return b;
    }

    static ByteBuf encode(String encoder, String instance, boolean selfContained, ByteBuffer in) throws Exception {
        Class<?> c = Class.forName("org.apache.cassandra.net." + encoder);
        Method m = c.getDeclaredMethod("encode", boolean.class, ByteBuffer.class);
        m.setAccessible(true);
        return (ByteBuf) m.invoke(c.getField(instance).get(null), selfContained, in);
    }

    static void segments() throws Exception {
        byte[] hello = "hello".getBytes(), many = "hello".repeat(40).getBytes();
        System.out.println("plain self-contained hello " + hex(encode("FrameEncoderCrc", "instance", true, direct(6, hello, 4))));
        System.out.println("plain part hello*40 " + hex(encode("FrameEncoderCrc", "instance", false, direct(6, many, 4))));
        System.out.println("lz4 self-contained hello " + hex(encode("FrameEncoderLZ4", "fastInstance", true, direct(0, hello, 0))));
        System.out.println("lz4 part hello*40 " + hex(encode("FrameEncoderLZ4", "fastInstance", false, direct(0, many, 0))));
        for (String name : new String[]{"LZ4", "Snappy"}) {
            Object compressor = Class.forName("org.apache.cassandra.transport.Compressor$" + name + "Compressor").getField("instance").get(null);
            Message q = new QueryMessage("SELECT " + "a".repeat(200), plain(ProtocolVersion.V4));
            Envelope e = ((Compressor) compressor).compress(q.encode(ProtocolVersion.V4));
            System.out.println("body " + name.toLowerCase() + " QUERY " + hex(e.encodeHeader()) + hex(e.body));
        }
    }
}
