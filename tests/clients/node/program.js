// Runs the real program for tests.
'use strict';
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { setTimeout: pause } = require('node:timers/promises');

const patience = 30000;

// A Program listens on a free port and has a data directory of its own.
class Program {
  constructor() {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ilium-node-'));
    this.port = 0;
  }

  async start() {
    const settings = [`native_transport_port=${this.port}`, `data_directory=${this.directory}`];
    this.child = spawn(process.env.ILIUM, ['start', ...settings.flatMap(s => ['--set', s])],
      { cwd: this.directory, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(readline.createInterface({ input: this.child.stdout }), 'line');
    this.port = Number(/ready in \d+ ms at \S*:(\d+)/.exec(line)[1]);
    return this;
  }

  // stop ends the program as an administrator would.
  async stop() {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const [code] = await ended;
    if (code !== 0) throw new Error(`the program ended with ${code}`);
  }

  async close() {
    await this.stop();
    fs.rmSync(this.directory, { recursive: true });
  }
}

// A Ring is a cluster of programs at loopback addresses of their own, all of which Linux answers at.
class Ring {
  constructor(nodes) {
    const network = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}.`;
    this.port = 19042;
    this.addresses = Array.from({ length: nodes }, (_, i) => `${network}${i + 1}`);
    this.directories = this.addresses.map(() => fs.mkdtempSync(path.join(os.tmpdir(), 'ilium-node-')));
    this.children = [];
  }

  async start(i) {
    const address = this.addresses[i];
    const settings = ['cluster_name=clients', 'memory=128MiB', `data_directory=${this.directories[i]}`, `listen_address=${address}`,
      `rpc_address=${address}`, `native_transport_port=${this.port}`, 'storage_port=17000', `seeds=${this.addresses[0]}:17000`];
    const child = spawn(process.env.ILIUM, ['start', ...settings.flatMap(s => ['--set', s])],
      { cwd: this.directories[i], stdio: ['ignore', 'pipe', 'ignore'] });
    this.children[i] = child;
    const [line] = await once(readline.createInterface({ input: child.stdout }), 'line');
    if (!/ready/.test(line)) throw new Error(`node ${address} did not start`);
  }

  async kill(i, signal = 'SIGKILL') {
    const ended = once(this.children[i], 'exit');
    this.children[i].kill(signal);
    await ended;
  }

  async close() {
    await Promise.all(this.children.map((_, i) => this.kill(i, 'SIGTERM')));
    for (const d of this.directories) fs.rmSync(d, { recursive: true });
  }
}

// eventually tries until it works.
async function eventually(attempt) {
  for (const deadline = Date.now() + patience; ;) {
    try {
      return await attempt();
    } catch (e) {
      if (Date.now() > deadline) throw e;
    }
    await pause(50);
  }
}

module.exports = { Program, Ring, eventually };
