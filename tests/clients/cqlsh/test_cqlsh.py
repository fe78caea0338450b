"""Drives the running program with the original cqlsh: by scripts, and at a terminal."""
import csv
import os
import subprocess
import tempfile
import unittest

import pexpect

from program import Program

REPLICATION = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
ENVIRONMENT = {**os.environ, "TERM": "dumb", "LC_ALL": "C.UTF-8"}


class Cqlsh(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = Program()
        cls.addClassCleanup(cls.program.close)
        cls.home = cls.enterClassContext(tempfile.TemporaryDirectory())  # no settings and no history of the user
        cls.run_cql(f"""
            CREATE KEYSPACE app WITH replication = {REPLICATION};
            CREATE TYPE app.address (street text, lines frozen<list<text>>);
            CREATE TABLE app.people (id int, name text, home address, tags set<text>, PRIMARY KEY (id, name)) WITH comment = 'who';
            INSERT INTO app.people (id, name, home, tags) VALUES (1, 'Ada', {{street: 'Main', lines: ['a']}}, {{'x', 'y'}});
            CREATE TABLE app.rows (k int, c int, v text, d decimal, t timestamp, PRIMARY KEY (k, c));
            CREATE TABLE app.copy (k int, c int, v text, d decimal, t timestamp, PRIMARY KEY (k, c));
        """)

    @classmethod
    def cqlsh(cls, *arguments):
        return ["cqlsh", "127.0.0.1", str(cls.program.port), "--request-timeout=30", *arguments]

    @classmethod
    def run_cql(cls, text, *arguments):
        """Returns what -e prints."""
        done = subprocess.run(cls.cqlsh("-e", text.strip(), *arguments), capture_output=True, text=True, timeout=120, cwd=cls.home,
                              env={**ENVIRONMENT, "HOME": cls.home})
        if done.returncode != 0:
            raise AssertionError(f"{text}: {done.stdout}{done.stderr}")
        return done.stdout

    def path(self, name):
        return os.path.join(self.home, name)

    def test_values(self):
        out = self.run_cql("SELECT * FROM app.people")
        self.assertIn("{street: 'Main', lines: ['a']}", out)
        self.assertIn("{'x', 'y'}", out)
        self.assertIn("(1 rows)", out)

    def test_error(self):
        with self.assertRaisesRegex(AssertionError, "table nothing does not exist"):
            self.run_cql("SELECT * FROM app.nothing")

    def test_file(self):
        with open(self.path("script.cql"), "w") as f:
            f.write("USE app;\n-- a comment\nSELECT name\n  FROM people;\n")
        out = subprocess.run(self.cqlsh("-f", f.name), capture_output=True, text=True, timeout=60, env={**ENVIRONMENT, "HOME": self.home})
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("Ada", out.stdout)

    def test_describe(self):
        for what, wanted in {
            "KEYSPACES": ["app", "system_schema"],
            "KEYSPACE app": ["CREATE KEYSPACE app", "CREATE TYPE app.address", "CREATE TABLE app.people"],
            "TABLE app.people": ["CREATE TABLE app.people", "PRIMARY KEY (id, name)", "comment = 'who'"],
            "TYPE app.address": ["CREATE TYPE app.address", "lines frozen<list<text>>"],
            "TABLES": ["Keyspace app", "people"],
            "TYPES": ["address"],
            "CLUSTER": ["Cluster: Test Cluster", "Partitioner: Murmur3Partitioner"],
            "SCHEMA": ["CREATE KEYSPACE app", "CREATE TABLE app.people"],
            "FULL SCHEMA": ["CREATE TABLE app.people", "system_schema"],
        }.items():
            out = self.run_cql("DESCRIBE " + what)
            for text in wanted:
                self.assertIn(text, out, what)

    def test_describe_can_be_run(self):
        created = self.run_cql("DESCRIBE KEYSPACE app")
        created = created[created.index("CREATE KEYSPACE"):]  # behind a warning that the server is newer
        created = created.replace("app.", "again.").replace("KEYSPACE app", "KEYSPACE again")
        self.run_cql(created)
        self.assertIn("comment = 'who'", self.run_cql("DESCRIBE TABLE again.people"))

    def test_copy(self):
        """10,000 rows come in from a file, go out, come into another table, and go out again."""
        rows = [[str(i % 10), str(i), f'text "{i}", grün', f"{i}.50", "2026-11-24 01:02:03.004+0000"] for i in range(10000)]
        with open(self.path("in.csv"), "w", newline="") as f:
            csv.writer(f, escapechar="\\", doublequote=False).writerows(rows)
        columns = "(k, c, v, d, t)"
        out = self.run_cql(f"COPY app.rows {columns} FROM '{self.path('in.csv')}'")
        self.assertIn("10000 rows imported", out)
        out = self.run_cql(f"COPY app.rows {columns} TO '{self.path('out.csv')}' WITH PAGESIZE = 500")
        self.assertIn("10000 rows exported", out)
        self.run_cql(f"COPY app.copy {columns} FROM '{self.path('out.csv')}'")
        self.run_cql(f"COPY app.copy {columns} TO '{self.path('again.csv')}'")
        with open(self.path("again.csv"), newline="") as f:
            got = list(csv.reader(f, escapechar="\\", doublequote=False))
        self.assertEqual(sorted(r[:4] for r in got), sorted(r[:4] for r in rows))
        self.assertEqual({r[4] for r in got}, {"2026-11-24 01:02:03.004+0000"})

    def test_tracing(self):
        out = self.run_cql("TRACING ON; SELECT * FROM app.people WHERE id = 1")
        self.assertIn("Tracing session:", out)
        self.assertIn("Request complete", out)

    def terminal(self):
        t = pexpect.spawn(self.cqlsh()[0], self.cqlsh("--no-color")[1:], encoding="utf-8", timeout=30, dimensions=(24, 200),
                          env={**ENVIRONMENT, "HOME": self.home})
        self.addCleanup(t.close)
        t.expect("cqlsh> ")
        return t

    def test_paging(self):
        t = self.terminal()
        t.sendline("PAGING 3")
        t.expect("cqlsh> ")
        t.sendline("SELECT keyspace_name FROM system_schema.columns WHERE keyspace_name = 'app';")
        for _ in range(2):
            t.expect("---MORE---")
            self.assertEqual(t.before.count(" app"), 3, t.before)
            t.send("\r")
        t.expect("---MORE---")
        t.sendintr()
        t.expect("cqlsh> ")

    def test_completion(self):
        t = self.terminal()
        t.send("SELECT * FROM system_sch\t")
        t.expect(r"SELECT \* FROM system_schema\.")
        t.send("keysp\t")
        t.expect("keyspaces")
        t.sendline(" WHERE keyspace_name = 'app';")
        t.expect("SimpleStrategy")
        t.expect("cqlsh> ")
        t.sendline("USE app;")
        t.expect("cqlsh:app> ")
        t.send("INSERT INTO peop\t")
        t.expect("people")

    def test_login(self):
        secured = Program("authenticator=PasswordAuthenticator", password="a password")
        self.addCleanup(secured.close)

        def ask(*arguments):
            return subprocess.run(["cqlsh", "127.0.0.1", str(secured.port), "-e", "SHOW HOST", *arguments], capture_output=True, text=True,
                                  timeout=60, env={**ENVIRONMENT, "HOME": self.home})

        self.assertIn("Connected to Test Cluster", ask("-u", "cassandra", "-p", "a password").stdout)
        for wrong in (("-u", "cassandra", "-p", "cassandra"), ()):
            refused = ask(*wrong)
            self.assertNotEqual(refused.returncode, 0)
            self.assertRegex(refused.stderr, "(?i)authentication|credentials|requires")
