"""Drives a cluster of three processes with the Python driver: what a driver must see of it, and when."""
import threading
import time
import unittest

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.metadata import Murmur3Token
from cassandra.policies import ConstantReconnectionPolicy, HostStateListener, RoundRobinPolicy, TokenAwarePolicy
from cassandra.query import SimpleStatement

from program import Ring, eventually

KEYSPACE = "CREATE KEYSPACE {} WITH replication = {{'class': 'NetworkTopologyStrategy', 'datacenter1': {}}}"


class Listener(HostStateListener):
    """Notes what the driver is told."""

    def __init__(self):
        self.told = []

    def on_add(self, host):
        self.told.append(("add", host.address))

    def on_up(self, host):
        self.told.append(("up", host.address))

    def on_down(self, host):
        self.told.append(("down", host.address))

    def on_remove(self, host):
        self.told.append(("remove", host.address))


class ClusterOfThree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = Ring(3)
        cls.addClassCleanup(cls.ring.close)

    def connect(self, *contacts, **options):
        profile = ExecutionProfile(TokenAwarePolicy(RoundRobinPolicy()), request_timeout=30, consistency_level=ConsistencyLevel.QUORUM)
        cluster = Cluster(list(contacts) or [self.ring.addresses[0]], port=self.ring.port, protocol_version=5, connect_timeout=30,
                          execution_profiles={EXEC_PROFILE_DEFAULT: profile}, reconnection_policy=ConstantReconnectionPolicy(0.5, None), **options)
        self.addCleanup(cluster.shutdown)
        return cluster.connect()

    def replicas(self, session, keyspace, partition):
        """What Cassandra's rule says: the owners of the next tokens, clockwise, each node once; all are in one rack."""
        ring = []
        for address in self.ring.addresses:
            own = self.only(address).execute("SELECT tokens FROM system.local").one()
            ring += [(int(t), address) for t in own.tokens]
        ring.sort()
        token = Murmur3Token.from_key(partition).value
        owners = []
        for _, address in [e for e in ring if e[0] >= token] + ring:
            if address not in owners:
                owners.append(address)
        return owners

    def only(self, address):
        """A session that asks one node alone."""
        if not hasattr(self, "alone"):
            self.alone = {}
        if address not in self.alone:
            from cassandra.policies import WhiteListRoundRobinPolicy
            profile = ExecutionProfile(WhiteListRoundRobinPolicy([address]), request_timeout=30)
            cluster = Cluster([address], port=self.ring.port, protocol_version=5, execution_profiles={EXEC_PROFILE_DEFAULT: profile})
            self.addCleanup(cluster.shutdown)
            self.alone[address] = cluster.connect()
        return self.alone[address]

    def test_hosts(self):
        for address in self.ring.addresses:
            with self.subTest(contact=address):
                hosts = self.connect(address).cluster.metadata.all_hosts()
                self.assertEqual(sorted(h.address for h in hosts), self.ring.addresses)
                self.assertEqual({(h.datacenter, h.rack, h.release_version) for h in hosts}, {("datacenter1", "rack1", "5.0.6")})
                self.assertEqual(len({h.host_id for h in hosts}), 3)
                for h in hosts:
                    own = self.only(h.address).execute("SELECT host_id, broadcast_address, rpc_address FROM system.local").one()
                    self.assertEqual((own.host_id, own.broadcast_address, own.rpc_address), (h.host_id, h.broadcast_address, h.broadcast_rpc_address))

    def test_token_map(self):
        s = self.connect()
        s.execute(KEYSPACE.format("tokens", 2))
        metadata = s.cluster.metadata
        eventually(lambda: self.assertEqual(len(metadata.token_map.ring), 3 * 16))
        for i in range(50):
            key = b"key %d" % i
            found = [h.address for h in metadata.get_replicas("tokens", key)]
            self.assertEqual(found, self.replicas(s, "tokens", key)[:2])

    def test_routing(self):
        """The coordinator that the driver chooses is a replica, and reads there at ONE ask nobody else."""
        s = self.connect()
        s.execute(KEYSPACE.format("routed", 1))
        s.execute("CREATE TABLE routed.t (k text PRIMARY KEY, v int)")
        insert = s.prepare("INSERT INTO routed.t (k, v) VALUES (?, ?)")
        select = s.prepare("SELECT v FROM routed.t WHERE k = ?")
        select.consistency_level = ConsistencyLevel.ONE
        eventually(lambda: s.cluster.metadata.keyspaces["routed"])
        for i in range(30):
            key = f"key {i}"
            s.execute(insert, (key, i))
            result = s.execute(select, (key,), trace=True)
            self.assertEqual(result.one().v, i)
            trace = result.get_query_trace(max_wait_sec=10)
            owner = self.replicas(s, "routed", key.encode())[0]
            self.assertEqual(str(trace.coordinator), owner, key)

    def test_agreement(self):
        """After a change of the schema all nodes say at once that they have it, and have it."""
        s = self.connect(max_schema_agreement_wait=0)  # the test looks itself, before the driver would
        s.execute(KEYSPACE.format("agreed", 3))
        versions = lambda address: {r.schema_version for r in self.only(address).execute("SELECT schema_version FROM system.peers")} | {
            self.only(address).execute("SELECT schema_version FROM system.local").one().schema_version}
        for address in self.ring.addresses:
            versions(address)
        waits = []
        for i in range(10):
            s.execute(f"CREATE TABLE agreed.t{i} (k int PRIMARY KEY)")
            for address in self.ring.addresses:
                began = time.monotonic()
                self.assertEqual(len(versions(address)), 1, f"table {i}, asked {address}")
                waits.append(time.monotonic() - began)
                self.only(address).execute(f"INSERT INTO agreed.t{i} (k) VALUES (1)")
        print(f"versions were read in {1000 * max(waits):.1f} ms at most")

    def test_schema_from_two_connections(self):
        sessions = [self.connect(a) for a in self.ring.addresses[:2]]
        sessions[0].execute(KEYSPACE.format("twice", 3))
        errors = []

        def create(n, s):
            try:
                for i in range(10):
                    s.execute(f"CREATE TABLE twice.t{n}_{i} (k int PRIMARY KEY)")
                    s.execute(f"CREATE TABLE IF NOT EXISTS twice.both{i} (k int PRIMARY KEY)")
            except Exception as e:
                errors.append(e)

        threads = [threading.Thread(target=create, args=(n, s)) for n, s in enumerate(sessions)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(errors, [])
        for address in self.ring.addresses:
            rows = self.only(address).execute("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'twice'")
            self.assertEqual(len(list(rows)), 30, address)
        for s in sessions:
            eventually(lambda: self.assertEqual(len(s.cluster.metadata.keyspaces["twice"].tables), 30))

    def test_zz_kill(self):
        """A node that is killed is down for the driver, up again when it takes clients, and never gone."""
        s = self.connect(self.ring.addresses[0])
        s.execute(KEYSPACE.format("killed", 3))
        s.execute("CREATE TABLE killed.t (k int PRIMARY KEY, v int)")
        listener = Listener()
        s.cluster.register_listener(listener)
        victim = self.ring.addresses[2]
        host = next(h for h in s.cluster.metadata.all_hosts() if h.address == victim)
        self.ring.kill(2)
        eventually(lambda: self.assertFalse(host.is_up))
        insert = s.prepare("INSERT INTO killed.t (k, v) VALUES (?, ?)")
        for k in range(100):
            s.execute(insert, (k, k))
        row = lambda: [r for r in self.only(self.ring.addresses[0]).execute("SELECT * FROM system_views.ilium_failure_detector") if not r.up]
        eventually(lambda: self.assertEqual([r.address for r in row()], [victim]))
        peers = {r.peer: r.rpc_address for r in self.only(self.ring.addresses[1]).execute("SELECT peer, rpc_address FROM system.peers")}
        self.assertEqual(peers.get(victim), victim)
        self.ring.start(2)
        eventually(lambda: self.assertTrue(host.is_up))
        self.assertNotIn(("remove", victim), listener.told)
        alone = self.only(victim)
        count = SimpleStatement("SELECT count(*) FROM killed.t", consistency_level=ConsistencyLevel.LOCAL_ONE)
        eventually(lambda: self.assertEqual(alone.execute(count).one()[0], 100))

    def test_zzz_restart_of_the_others(self):
        """A node that has restarted while another one was down still tells drivers of it."""
        self.ring.kill(2)
        self.ring.kill(1)
        self.ring.start(1)
        eventually(lambda: self.assertEqual(
            {r.peer: r.rpc_address for r in self.only(self.ring.addresses[1]).execute("SELECT peer, rpc_address FROM system.peers")},
            {a: a for a in (self.ring.addresses[0], self.ring.addresses[2])}))
        hosts = self.connect(self.ring.addresses[1]).cluster.metadata.all_hosts()
        self.assertEqual(sorted(h.address for h in hosts), self.ring.addresses)
        self.ring.start(2)
