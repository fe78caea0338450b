"""Drives the running program with the Python driver, in each version of the protocol with each compression."""
import collections
import datetime
import decimal
import ipaddress
import unittest
import uuid

from cassandra import AlreadyExists, AuthenticationFailed, ConsistencyLevel, InvalidRequest
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import ConstantReconnectionPolicy, RoundRobinPolicy
from cassandra.query import BatchStatement, BatchType, SimpleStatement
from cassandra.util import Date, Duration, OrderedMapSerializedKey, SortedSet, Time

from program import Program, eventually

REPLICATION = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
Address = collections.namedtuple("Address", "street lines number")

VALUES = [  # a type, a value, and how a statement spells it
    ("ascii", "abc", "'abc'"), ("bigint", 1 << 40, "1099511627776"), ("blob", b"\1\2", "0x0102"), ("blob", b"", "0x"),
    ("boolean", True, "true"), ("date", Date("2026-11-24"), "'2026-11-24'"), ("decimal", decimal.Decimal("123.45"), "123.45"),
    ("decimal", decimal.Decimal("-5E+3"), "-5e3"), ("double", 1.5, "1.5"), ("duration", Duration(1, 2, 3), "1mo2d3ns"),
    ("float", 2.5, "2.5"), ("inet", "10.1.2.3", "'10.1.2.3'"), ("inet", "2001:db8::1", "'2001:db8::1'"), ("int", -7, "-7"),
    ("smallint", -3, "-3"), ("text", "grün", "'grün'"), ("text", "", "''"), ("time", Time("03:04:05.000000006"), "'03:04:05.000000006'"),
    ("timestamp", datetime.datetime(2023, 11, 14, 22, 13, 20, 123000), "'2023-11-14T22:13:20.123Z'"),
    ("timeuuid", uuid.UUID("8e9a5e70-ca3f-11f0-8de9-0242ac120002"), "8e9a5e70-ca3f-11f0-8de9-0242ac120002"), ("tinyint", -1, "-1"),
    ("uuid", uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"), ("varchar", "v", "'v'"), ("varint", -(1 << 200), str(-(1 << 200))),
    ("list<int>", [3, 1, 2], "[3, 1, 2]"), ("set<text>", SortedSet(["a", "b"]), "{'a', 'b'}"), ("map<text, int>", {"x": 1}, "{'x': 1}"),
    ("frozen<list<int>>", [3, 1], "[3, 1]"), ("frozen<list<int>>", [], "[]"), ("frozen<set<int>>", SortedSet([1]), "{1}"),
    ("frozen<map<int, text>>", {1: ""}, "{1: ''}"), ("list<frozen<map<int, text>>>", [{1: "one"}], "[{1: 'one'}]"),
    ("map<text, frozen<list<frozen<set<int>>>>>", {"x": [SortedSet([1, 2]), SortedSet([3])]}, "{'x': [{1, 2}, {3}]}"),
    ("tuple<int, text, float>", (1, "two", 3.0), "(1, 'two', 3.0)"), ("tuple<int, text>", (1, None), "(1, null)"),
    ("vector<float, 3>", [1.0, 2.0, 3.0], "[1, 2, 3]"), ("address", Address("Main", ["a", ""], 7), "{street: 'Main', lines: ['a', ''], number: 7}"),
    ("frozen<address>", Address("x", None, None), "{street: 'x'}"),
    ("list<frozen<address>>", [Address("x", [""], 1)], "[{street: 'x', lines: [''], number: 1}]"),
]


def open_session(test, port, version, compression=False, keyspace=None):
    """Returns a session, of a cluster that ends with the test."""
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=30)
    cluster = Cluster(["127.0.0.1"], port=port, protocol_version=version, compression=compression, connect_timeout=30,
                      execution_profiles={EXEC_PROFILE_DEFAULT: profile}, reconnection_policy=ConstantReconnectionPolicy(0.1, None))
    test.addCleanup(cluster.shutdown)
    return cluster.connect(keyspace)


def plain(value):
    """Makes maps comparable, which the driver returns in a class of its own."""
    if isinstance(value, OrderedMapSerializedKey):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


class Application:
    """The tests of one version and compression; a class below has both."""
    version, compression = 0, False

    @classmethod
    def setUpClass(cls):
        cls.program = Program()
        cls.addClassCleanup(cls.program.close)

    def setUp(self):
        s = open_session(self, self.program.port, self.version, self.compression)
        s.execute("DROP KEYSPACE IF EXISTS app")
        s.execute(f"CREATE KEYSPACE app WITH replication = {REPLICATION}")
        s.set_keyspace("app")
        self.assertEqual(s.cluster.protocol_version, self.version)
        self.session = s

    def test_types(self):
        s = self.session
        s.execute("CREATE TYPE address (street text, lines frozen<list<text>>, number int)")
        s.cluster.register_user_type("app", "address", Address)
        s.execute("CREATE TABLE types (k int PRIMARY KEY)")
        for i, (cql, value, spelled) in enumerate(VALUES):
            with self.subTest(cql=cql, value=value):
                s.execute(f"ALTER TABLE types ADD v{i} {cql}")
                insert = s.prepare(f"INSERT INTO types (k, v{i}) VALUES (?, ?)")
                select = s.prepare(f"SELECT v{i} FROM types WHERE k = ?")
                s.execute(insert, (1, value))
                s.execute(f"INSERT INTO types (k, v{i}) VALUES (2, {spelled})")
                s.execute(insert, (3, None))
                self.assertEqual(plain(s.execute(select, (1,)).one()[0]), value)
                self.assertEqual(plain(s.execute(f"SELECT v{i} FROM types WHERE k = 2").one()[0]), value)
                self.assertIsNone(s.execute(select, (3,)).one()[0])

    def test_unset(self):
        s = self.session
        s.execute("CREATE TABLE unset (k int PRIMARY KEY, v int)")
        s.execute("INSERT INTO unset (k, v) VALUES (1, 2)")
        if self.version >= 4:
            s.execute(s.prepare("INSERT INTO unset (k, v) VALUES (?, ?)"), (1,))
        self.assertEqual(s.execute("SELECT v FROM unset WHERE k = %s", (1,)).one().v, 2)

    def test_paging(self):
        s = self.session
        s.execute("CREATE TABLE rows (k int, c int, v text, PRIMARY KEY (k, c))")
        insert = s.prepare("INSERT INTO rows (k, c, v) VALUES (?, ?, ?)")
        for start in range(0, 10000, 500):
            batch = BatchStatement(BatchType.UNLOGGED)
            for c in range(start, start + 500):
                batch.add(insert, (c % 2, c, "row"))
            s.execute(batch)
        rows = s.execute(SimpleStatement("SELECT c FROM rows", fetch_size=777))
        self.assertEqual(len(rows.current_rows), 777)
        state = rows.paging_state
        self.assertEqual(sorted(r.c for r in rows), list(range(10000)))
        rest = s.execute(SimpleStatement("SELECT c FROM rows", fetch_size=5000), paging_state=state)
        self.assertEqual(len(list(rest)), 10000 - 777)

    def test_batch(self):
        s = self.session
        s.execute("CREATE TABLE batches (k int PRIMARY KEY, v text)")
        batch = BatchStatement(BatchType.LOGGED, consistency_level=ConsistencyLevel.QUORUM)
        batch.add("INSERT INTO batches (k, v) VALUES (1, 'one')")
        batch.add(s.prepare("INSERT INTO batches (k, v) VALUES (?, ?)"), (2, "two"))
        s.execute(batch)
        rows = s.execute("SELECT k, v, writetime(v) AS w FROM batches WHERE k IN (1, 2)").all()
        self.assertEqual([(r.k, r.v) for r in rows], [(1, "one"), (2, "two")])
        self.assertEqual(rows[0].w, rows[1].w)

    def test_errors(self):
        s = self.session
        with self.assertRaises(InvalidRequest):
            s.execute("SELECT * FROM nothing")
        with self.assertRaises(AlreadyExists):
            s.execute("CREATE KEYSPACE app WITH replication = " + REPLICATION)

    def test_metadata(self):
        s = self.session
        s.execute("CREATE TABLE described (k int, c text, v list<int>, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)")
        table = s.cluster.metadata.keyspaces["app"].tables["described"]
        self.assertEqual([c.name for c in table.primary_key], ["k", "c"])
        self.assertTrue(table.clustering_key[0].is_reversed)
        created = table.export_as_string().replace("described", "again")
        s.execute(created)
        self.assertIn("again", s.cluster.metadata.keyspaces["app"].tables)

    def test_events(self):
        """What a session changes, another cluster hears."""
        other = open_session(self, self.program.port, self.version, self.compression)
        tables = lambda: other.cluster.metadata.keyspaces["app"].tables
        self.session.execute("CREATE TABLE heard (k int PRIMARY KEY)")
        eventually(lambda: tables()["heard"])
        self.session.execute("ALTER TABLE heard ADD added text")
        eventually(lambda: tables()["heard"].columns["added"])
        self.session.execute("DROP TABLE heard")
        eventually(lambda: self.assertNotIn("heard", tables()))

    def test_tracing(self):
        s = self.session
        s.execute("CREATE TABLE traced (k int PRIMARY KEY)")
        for text in ("INSERT INTO traced (k) VALUES (1)", "SELECT * FROM traced WHERE k = 1"):
            trace = s.execute(text, trace=True).get_query_trace(max_wait_sec=10)
            self.assertGreater(len(trace.events), 0, text)
            self.assertEqual(ipaddress.ip_address(trace.coordinator), ipaddress.ip_address("127.0.0.1"))

    def test_restart(self):
        """The session works again, with the statement that it had prepared."""
        s = self.session
        s.execute("CREATE TABLE restarted (k int PRIMARY KEY)")
        insert = s.prepare("INSERT INTO restarted (k) VALUES (?)")
        s.execute(insert, (1,))
        self.program.restart()
        eventually(lambda: s.execute(insert, (2,)))
        self.assertEqual(s.execute("SELECT count(*) FROM restarted").one()[0], 2)


class Login(unittest.TestCase):
    def test_login(self):
        program = Program("authenticator=PasswordAuthenticator", password="a password")
        self.addCleanup(program.close)
        for version in (3, 4, 5):
            for password in ("a password", "cassandra"):
                with self.subTest(version=version, password=password):
                    provider = PlainTextAuthProvider("cassandra", password)
                    cluster = Cluster(["127.0.0.1"], port=program.port, protocol_version=version, auth_provider=provider)
                    self.addCleanup(cluster.shutdown)
                    if password == "a password":
                        cluster.connect().execute("SELECT * FROM system.local").one()
                        continue
                    with self.assertRaises(NoHostAvailable) as refused:
                        cluster.connect()
                    self.assertIsInstance(list(refused.exception.errors.values())[0], AuthenticationFailed)


class Version3(Application, unittest.TestCase):
    version = 3


class Version3Snappy(Application, unittest.TestCase):
    version, compression = 3, "snappy"


class Version4(Application, unittest.TestCase):
    version = 4


class Version4LZ4(Application, unittest.TestCase):
    version, compression = 4, "lz4"


class Version5(Application, unittest.TestCase):
    version = 5


class Version5LZ4(Application, unittest.TestCase):
    version, compression = 5, "lz4"
