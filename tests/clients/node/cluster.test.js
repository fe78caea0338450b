// Drives a cluster of three processes with the Node.js driver.
'use strict';
const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { Client, policies, types } = require('cassandra-driver');
const { Ring, eventually } = require('./program.js');

describe('a cluster of three', () => {
  let ring, client;
  const connect = async options => {
    const c = new Client({
      contactPoints: [ring.addresses[0]], localDataCenter: 'datacenter1', protocolOptions: { port: ring.port },
      socketOptions: { readTimeout: 30000 }, refreshSchemaDelay: 50,
      queryOptions: { consistency: types.consistencies.quorum, prepare: true },
      policies: {
        loadBalancing: new policies.loadBalancing.TokenAwarePolicy(new policies.loadBalancing.DCAwareRoundRobinPolicy('datacenter1')),
        reconnection: new policies.reconnection.ConstantReconnectionPolicy(100),
      },
      ...options,
    });
    await c.connect();
    return c;
  };
  const host = address => client.hosts.values().find(h => h.address.startsWith(address + ':'));

  before(async () => {
    ring = new Ring(3);
    for (let i = 0; i < 3; i++) await ring.start(i);
    client = await connect();
    await client.execute("CREATE KEYSPACE app WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}");
    await client.execute("CREATE KEYSPACE one WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}");
  });
  after(async () => {
    await client?.shutdown();
    await ring.close();
  });

  it('has three nodes', async () => { // the first one is told of a new one by gossip, and then tells the driver
    await eventually(async () => assert.deepEqual(client.hosts.values().map(h => h.address).sort(), ring.addresses.map(a => `${a}:${ring.port}`)));
    for (const h of client.hosts.values()) {
      assert.equal(h.datacenter, 'datacenter1');
      assert.equal(h.tokens.length, 16);
      assert.equal(h.cassandraVersion, '5.0.6');
    }
  });

  it('is asked where the data are', async () => {
    await client.execute('CREATE TABLE one.t (k text PRIMARY KEY, v int)');
    for (let i = 0; i < 30; i++) {
      const key = `key ${i}`;
      const replicas = client.getReplicas('one', Buffer.from(key)).map(h => h.address);
      assert.equal(replicas.length, 1);
      const result = await client.execute('INSERT INTO one.t (k, v) VALUES (?, ?)', [key, i], { traceQuery: true });
      assert.equal(result.info.queriedHost, replicas[0], key);
      const trace = await client.metadata.getTrace(result.info.traceId, types.consistencies.localOne);
      assert.ok(!trace.events.some(e => /Sending/.test(e.activity)), key);
    }
  });

  it('agrees on its schema', async () => {
    for (let i = 0; i < 5; i++) {
      const result = await client.execute(`CREATE TABLE app.agreed${i} (k int PRIMARY KEY)`);
      assert.equal(result.info.isSchemaInAgreement, true);
      await Promise.all(Array.from({ length: 10 }, (_, k) => client.execute(`INSERT INTO app.agreed${i} (k) VALUES (?)`, [k])));
    }
    const second = await connect({ contactPoints: [ring.addresses[1]] });
    try {
      await Promise.all([client, second].map(async (c, n) => {
        for (let i = 0; i < 10; i++) await c.execute(`CREATE TABLE app.both${n}_${i} (k int PRIMARY KEY)`);
      }));
      await eventually(async () => assert.ok(await second.metadata.getTable('app', 'both0_9')));
    } finally {
      await second.shutdown();
    }
  });

  it('loses a node and gets it back', async () => {
    await client.execute('CREATE TABLE app.t (k int PRIMARY KEY, v int)');
    const removed = [];
    client.on('hostRemove', h => removed.push(h.address));
    await ring.kill(2);
    await eventually(async () => assert.equal(host(ring.addresses[2]).isUp(), false));
    for (let k = 0; k < 100; k++) await client.execute('INSERT INTO app.t (k, v) VALUES (?, ?)', [k, k], { isIdempotent: true });
    await ring.start(2);
    await eventually(async () => assert.equal(host(ring.addresses[2]).isUp(), true));
    const result = await client.execute('SELECT count(*) AS n FROM app.t');
    assert.equal(Number(result.first().n), 100);
    assert.deepEqual(removed, []);
  });
});
