import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.data.CqlDuration;
import com.datastax.oss.driver.api.core.data.CqlVector;
import com.datastax.oss.driver.api.core.data.TupleValue;
import com.datastax.oss.driver.api.core.data.UdtValue;
import com.datastax.oss.driver.api.core.type.DataTypes;
import com.datastax.oss.driver.api.core.type.UserDefinedType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** A type, a value, and how a statement spells it. */
record Values(String cql, Object value, String spelled) {
  static List<Values> all(CqlSession s, String keyspace) throws Exception {
    UserDefinedType type = s.getMetadata().getKeyspace(keyspace).get().getUserDefinedType("address").get();
    UdtValue address = type.newValue("Main", List.of("a", ""), 7);
    TupleValue tuple = DataTypes.tupleOf(DataTypes.INT, DataTypes.TEXT, DataTypes.FLOAT).newValue(1, "two", 3f);
    TupleValue partial = DataTypes.tupleOf(DataTypes.INT, DataTypes.TEXT).newValue(1, null);
    BigInteger large = BigInteger.ONE.shiftLeft(200).negate();
    UUID time = UUID.fromString("8e9a5e70-ca3f-11f0-8de9-0242ac120002");
    return Arrays.asList(
        new Values("ascii", "abc", "'abc'"),
        new Values("bigint", 1L << 40, "1099511627776"),
        new Values("blob", ByteBuffer.wrap(new byte[] {1, 2}), "0x0102"),
        new Values("blob", ByteBuffer.allocate(0), "0x"),
        new Values("boolean", true, "true"),
        new Values("date", LocalDate.of(2026, 11, 24), "'2026-11-24'"),
        new Values("decimal", new BigDecimal("123.45"), "123.45"),
        new Values("decimal", new BigDecimal("-5E+3"), "-5e3"),
        new Values("double", 1.5, "1.5"),
        new Values("duration", CqlDuration.newInstance(1, 2, 3), "1mo2d3ns"),
        new Values("float", 2.5f, "2.5"),
        new Values("inet", InetAddress.getByName("10.1.2.3"), "'10.1.2.3'"),
        new Values("inet", InetAddress.getByName("2001:db8::1"), "'2001:db8::1'"),
        new Values("int", -7, "-7"),
        new Values("smallint", (short) -3, "-3"),
        new Values("text", "grün", "'grün'"),
        new Values("text", "", "''"),
        new Values("time", LocalTime.parse("03:04:05.000000006"), "'03:04:05.000000006'"),
        new Values("timestamp", Instant.ofEpochMilli(1700000000123L), "1700000000123"),
        new Values("timeuuid", time, time.toString()),
        new Values("tinyint", (byte) -1, "-1"),
        new Values("uuid", new UUID(0, 5), "00000000-0000-0000-0000-000000000005"),
        new Values("varchar", "v", "'v'"),
        new Values("varint", large, large.toString()),
        new Values("list<int>", List.of(3, 1, 2), "[3, 1, 2]"),
        new Values("set<text>", Set.of("a", "b"), "{'a', 'b'}"),
        new Values("map<text, int>", Map.of("x", 1), "{'x': 1}"),
        new Values("frozen<list<int>>", List.of(3, 1), "[3, 1]"),
        new Values("frozen<list<int>>", List.of(), "[]"),
        new Values("frozen<set<int>>", Set.of(1), "{1}"),
        new Values("frozen<map<int, text>>", Map.of(1, ""), "{1: ''}"),
        new Values("list<frozen<map<int, text>>>", List.of(Map.of(1, "one")), "[{1: 'one'}]"),
        new Values("map<text, frozen<list<frozen<set<int>>>>>", Map.of("x", List.of(Set.of(1, 2), Set.of(3))), "{'x': [{1, 2}, {3}]}"),
        new Values("tuple<int, text, float>", tuple, "(1, 'two', 3.0)"),
        new Values("tuple<int, text>", partial, "(1, null)"),
        new Values("vector<float, 3>", CqlVector.newInstance(1f, 2f, 3f), "[1, 2, 3]"),
        new Values("address", address, "{street: 'Main', lines: ['a', ''], number: 7}"),
        new Values("frozen<address>", type.newValue("x", null, null), "{street: 'x'}"),
        new Values("list<frozen<address>>", List.of(address), "[{street: 'Main', lines: ['a', ''], number: 7}]"));
  }
}
