"""Runs the real program for tests in Python."""
import os
import random
import re
import signal
import subprocess
import tempfile
import time

PATIENCE = 30


class Program:
    """The program on a free port, with a data directory of its own."""

    def __init__(self, *settings, password=None):
        self.directory = tempfile.TemporaryDirectory()
        self.settings = settings
        self.environment = {**os.environ, **({"ILIUM_SUPERUSER_PASSWORD": password} if password else {})}
        self.port = 0
        self.start()

    def start(self):
        command = [os.environ["ILIUM"], "start"]
        for s in (f"native_transport_port={self.port}", f"data_directory={self.directory.name}", *self.settings):
            command += ["--set", s]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=self.directory.name, env=self.environment)
        line = self.process.stdout.readline()
        ready = re.search(r"ready in \d+ ms at [^ ]*:(\d+)", line)
        if not ready:
            raise RuntimeError(f"the program did not start: {line}")
        self.port = int(ready[1])

    def stop(self):
        """Stops the program as an administrator would."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        if code != 0:
            raise RuntimeError(f"the program ended with {code}")

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        self.stop()
        self.directory.cleanup()


class Ring:
    """A cluster of programs at loopback addresses of their own, all of which Linux answers at."""
    port = 19042

    def __init__(self, nodes):
        network = f"127.{random.randint(1, 250)}.{random.randint(0, 250)}."
        self.addresses = [f"{network}{i + 1}" for i in range(nodes)]
        self.directories = [tempfile.TemporaryDirectory() for _ in range(nodes)]
        self.processes = [None] * nodes
        for i in range(nodes):
            self.start(i)

    def start(self, i):
        command = [os.environ["ILIUM"], "start"]
        address = self.addresses[i]
        for s in ("cluster_name=clients", "memory=128MiB", f"data_directory={self.directories[i].name}", f"listen_address={address}",
                  f"rpc_address={address}", f"native_transport_port={self.port}", "storage_port=17000", f"seeds={self.addresses[0]}:17000"):
            command += ["--set", s]
        self.processes[i] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=self.directories[i].name)
        if "ready" not in self.processes[i].stdout.readline():
            raise RuntimeError(f"node {address} did not start")

    def kill(self, i):
        self.processes[i].kill()
        self.processes[i].wait(PATIENCE)
        self.processes[i].stdout.close()

    def close(self):
        for p in self.processes:
            p.terminate()
        for p, d in zip(self.processes, self.directories):
            p.wait(PATIENCE)
            p.stdout.close()
            d.cleanup()


def eventually(attempt):
    """Tries until it works."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return attempt()
        except Exception:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
