"""Runs the real program for tests in Python."""
import os
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
