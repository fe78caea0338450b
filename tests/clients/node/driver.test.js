// Drives the running program with the Node.js driver, in each version of the protocol that it has.
'use strict';
const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { Client, types, policies } = require('cassandra-driver');
const { Program, eventually } = require('./program.js');

const replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
const uuid = types.Uuid.fromString('00000000-0000-4000-8000-000000000005');

const values = [ // a type, a value, and how a statement spells it
  ['ascii', 'abc', "'abc'"], ['bigint', types.Long.fromString('1099511627776'), '1099511627776'], ['blob', Buffer.from([1, 2]), '0x0102'],
  ['blob', Buffer.alloc(0), '0x'], ['boolean', true, 'true'], ['date', types.LocalDate.fromString('2026-11-24'), "'2026-11-24'"],
  ['decimal', types.BigDecimal.fromString('123.45'), '123.45'], ['double', 1.5, '1.5'], ['duration', new types.Duration(1, 2, 3), '1mo2d3ns'],
  ['float', 2.5, '2.5'], ['inet', types.InetAddress.fromString('10.1.2.3'), "'10.1.2.3'"],
  ['inet', types.InetAddress.fromString('2001:db8::1'), "'2001:db8::1'"], ['int', -7, '-7'], ['smallint', -3, '-3'], ['text', 'grün', "'grün'"],
  ['text', '', "''"], ['time', types.LocalTime.fromString('03:04:05.000000006'), "'03:04:05.000000006'"],
  ['timestamp', new Date(1700000000123), '1700000000123'], ['timeuuid', types.TimeUuid.fromString('8e9a5e70-ca3f-11f0-8de9-0242ac120002'),
    '8e9a5e70-ca3f-11f0-8de9-0242ac120002'], ['tinyint', -1, '-1'], ['uuid', uuid, uuid.toString()], ['varchar', 'v', "'v'"],
  ['varint', types.Integer.fromString('-1606938044258990275541962092341162602522202993782792835301376'),
    '-1606938044258990275541962092341162602522202993782792835301376'],
  ['list<int>', [3, 1, 2], '[3, 1, 2]'], ['set<text>', ['a', 'b'], "{'a', 'b'}"], ['map<text, int>', { x: 1 }, "{'x': 1}"],
  ['frozen<list<int>>', [3, 1], '[3, 1]'], ['frozen<list<int>>', [], '[]'], ['frozen<set<int>>', [1], '{1}'],
  ['frozen<map<text, text>>', { x: '' }, "{'x': ''}"], ['list<frozen<map<text, text>>>', [{ x: 'one' }], "[{'x': 'one'}]"],
  ['map<text, frozen<list<frozen<set<int>>>>>', { x: [[1, 2], [3]] }, "{'x': [{1, 2}, {3}]}"],
  ['tuple<int, text, float>', new types.Tuple(1, 'two', 3), "(1, 'two', 3.0)"], ['tuple<int, text>', new types.Tuple(1, null), '(1, null)'],
  ['vector<float, 3>', new Float32Array([1, 2, 3]), '[1, 2, 3]'],
  ['address', { street: 'Main', lines: ['a', ''], number: 7 }, "{street: 'Main', lines: ['a', ''], number: 7}"],
  ['frozen<address>', { street: 'x', lines: null, number: null }, "{street: 'x'}"],
  ['list<frozen<address>>', [{ street: 'x', lines: [''], number: 1 }], "[{street: 'x', lines: [''], number: 1}]"],
];

// bindsFrom4 are types that version 3 has no numbers for; the driver cannot bind them there.
const bindsFrom4 = /^(date|duration|smallint|time|tinyint|vector<.*)$/;

// plain makes values comparable that the driver returns in classes of its own.
function plain(value) {
  if (value instanceof types.Tuple) return plain(value.values());
  if (value instanceof Float32Array || value?.constructor?.name === 'Vector') return Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value?.constructor === Object) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value === null || value === undefined || typeof value !== 'object' ? value ?? null : value.toString() || value;
}

for (const version of [3, 4]) { // those that this driver has
  describe(`version ${version}`, () => {
    let program, client;
    const connect = async keyspace => {
      const c = new Client({
        contactPoints: [`127.0.0.1:${program.port}`], localDataCenter: 'datacenter1', keyspace,
        protocolOptions: { maxVersion: version }, socketOptions: { readTimeout: 30000 }, refreshSchemaDelay: 50,
        policies: { reconnection: new policies.reconnection.ConstantReconnectionPolicy(100) },
      });
      await c.connect();
      assert.equal(c.controlConnection.protocolVersion, version);
      return c;
    };
    const run = (text, params, options) => client.execute(text, params, options);
    const prepare = true;

    before(async () => {
      program = await new Program().start();
      client = await connect();
      await run(`CREATE KEYSPACE app WITH replication = ${replication}`);
      await run('USE app');
    });
    after(async () => {
      await client.shutdown();
      await program.close();
    });

    it('keeps values of all types', async () => {
      await run('CREATE TYPE app.address (street text, lines frozen<list<text>>, number int)');
      await run('CREATE TABLE app.types (k int PRIMARY KEY)');
      for (const [i, [cql, value, spelled]] of values.entries()) {
        if (version < 4 && bindsFrom4.test(cql)) continue;
        await run(`ALTER TABLE app.types ADD v${i} ${cql}`);
        const insert = `INSERT INTO app.types (k, v${i}) VALUES (?, ?)`, select = `SELECT v${i} AS v FROM app.types WHERE k = ?`;
        await run(insert, [1, value], { prepare });
        await run(`INSERT INTO app.types (k, v${i}) VALUES (2, ${spelled})`);
        await run(insert, [3, null], { prepare });
        for (const k of value.length === 0 && Array.isArray(value) ? [2] : [1, 2]) { // the driver sends null for an empty list
          const got = (await run(select, [k], { prepare })).first().v;
          assert.deepEqual(plain(got), plain(value), `${cql} ${spelled} of row ${k}`);
        }
        assert.equal((await run(`SELECT v${i} AS v FROM app.types WHERE k = 3`)).first().v, null, cql);
      }
    });

    it('pages', async () => {
      await run('CREATE TABLE app.rows (k int, c int, v text, PRIMARY KEY (k, c))');
      for (let start = 0; start < 10000; start += 500) {
        const queries = Array.from({ length: 500 }, (_, i) =>
          ({ query: 'INSERT INTO app.rows (k, c, v) VALUES (?, ?, ?)', params: [i % 2, start + i, 'row'] }));
        await client.batch(queries, { prepare, logged: false });
      }
      const first = await run('SELECT c FROM app.rows', [], { prepare, fetchSize: 777 });
      assert.equal(first.rows.length, 777);
      const seen = new Set();
      for await (const row of client.stream('SELECT c FROM app.rows', [], { prepare, fetchSize: 777, autoPage: true })) seen.add(row.c);
      assert.equal(seen.size, 10000);
    });

    it('writes batches', async () => {
      await run('CREATE TABLE app.batches (k int PRIMARY KEY, v text)');
      await client.batch(["INSERT INTO app.batches (k, v) VALUES (1, 'one')",
        { query: 'INSERT INTO app.batches (k, v) VALUES (?, ?)', params: [2, 'two'] }], { logged: true, prepare });
      const rows = (await run('SELECT k, v FROM app.batches WHERE k IN (1, 2)')).rows;
      assert.deepEqual(rows.map(r => [r.k, r.v]), [[1, 'one'], [2, 'two']]);
    });

    it('refuses', async () => {
      await assert.rejects(run('SELECT * FROM app.nothing'), { code: types.responseErrorCodes.invalid });
      await assert.rejects(run(`CREATE KEYSPACE app WITH replication = ${replication}`), { code: types.responseErrorCodes.alreadyExists });
    });

    it('hears of changes of the schema', async () => {
      const other = await connect('app');
      try {
        const columns = async () => (await other.metadata.getTable('app', 'heard'))?.columnsByName ?? {};
        await run('CREATE TABLE app.heard (k int PRIMARY KEY)');
        await eventually(async () => assert.ok((await columns()).k));
        await run('ALTER TABLE app.heard ADD added text');
        await eventually(async () => assert.ok((await columns()).added));
      } finally {
        await other.shutdown();
      }
    });

    it('traces', async () => {
      await run('CREATE TABLE app.traced (k int PRIMARY KEY)');
      const result = await run('INSERT INTO app.traced (k) VALUES (1)', [], { traceQuery: true });
      assert.ok(result.info.traceId, 'no trace');
      const trace = await eventually(() => client.metadata.getTrace(result.info.traceId));
      assert.equal(trace.coordinator.toString(), '127.0.0.1');
      assert.ok(trace.events.length > 0);
    });

    it('goes on after a restart', async () => {
      await run('CREATE TABLE app.restarted (k int PRIMARY KEY)');
      const insert = k => run('INSERT INTO app.restarted (k) VALUES (?)', [k], { prepare });
      await insert(1);
      await program.stop();
      await program.start();
      await eventually(() => insert(2));
      assert.equal((await run('SELECT count(*) AS n FROM app.restarted')).first().n.toNumber(), 2);
    });
  });
}
