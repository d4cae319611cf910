"""Many connections and much data, through an instance that they wake: without an error or a lost byte."""

import contextlib
import hashlib
import json
import os
import re
import resource

import harness

ANY_RELEASE = True
PORT = 8100
CLIENTS = 50
IDLE = 1000  # connections
MEGABYTES = 64


class Postgres(harness.Case):
    timeout = 120

    def setUp(self):
        super().setUp()
        self.scope.container("pg", "postgres", "-c", "fsync=off", options=("--network=none",))
        self.scope.sockwake("create", "pg", "-p", f"{PORT}:5432", "--idle-timeout=2s")

    @contextlib.contextmanager
    def psql(self, command, **options):
        """The client as a process, which has to end well."""
        argv = ("psql", "--no-psqlrc", "-q", "-h", "127.0.0.1", "-p", str(PORT), "-U", "postgres", "-c", command)
        with harness.spawn(*argv, **options) as process:
            yield process
        self.assertEqual(process.returncode, 0)

    def test_copy_both_ways(self):
        harness.psql(PORT, "create table t (line text)")
        sent = hashlib.sha256()
        self.scope.systemctl("stop", "pg.service")
        with self.psql("copy t from stdin", stdin=harness.subprocess.PIPE) as process:
            for _ in range(MEGABYTES):
                block = os.urandom(1 << 19).hex()
                lines = "".join(f"{block[n:n + 127]}\n" for n in range(0, len(block), 127))
                sent.update(lines.encode())
                process.stdin.write(lines)
            process.stdin.close()
        self.scope.systemctl("stop", "pg.service")
        received = hashlib.sha256()
        with self.psql("copy t to stdout", stdout=harness.subprocess.PIPE) as process:
            while block := process.stdout.buffer.read(1 << 20):
                received.update(block)
        self.assertEqual(received.hexdigest(), sent.hexdigest())
        harness.eventually(lambda: self.statistics()["bytes_from_container"] > MEGABYTES << 20)
        self.assertEqual(self.scope.complaints("pg", self.started), [])

    def statistics(self):
        return json.loads(self.scope.sockwake("status", "--json", "pg").stdout)["statistics"]

    def pgbench(self, *options):
        """The image's own, in a container beside: the lab has none."""
        beside = ("run", "--rm", "--pull=never", "--network=host", harness.SERVERS)
        target = ("-h", "127.0.0.1", "-p", str(PORT), "-U", "postgres", "postgres")
        return self.scope.engine_run(*beside, "/usr/lib/postgresql/current/bin/pgbench", *options, *target)

    def test_pgbench(self):
        self.pgbench("--initialize", "--quiet")
        self.scope.systemctl("stop", "pg.service")
        for kind in ((), ("--select-only", "--connect")):
            load = ("--no-vacuum", "--client", str(CLIENTS), "--jobs", "2", "--transactions", "10", *kind)
            found = self.pgbench(*load)
            self.assertIn(f"transactions actually processed: {10 * CLIENTS}/{10 * CLIENTS}", found.stdout)
            self.assertIn("number of failed transactions: 0 ", found.stdout)
            self.assertNotIn("error", found.stderr)


class Redis(harness.Case):
    def setUp(self):
        super().setUp()
        self.scope.container("cache", "redis", options=("--network=none",))
        self.scope.instance("cache", PORT, 6379)

    def benchmark(self):
        argv = ("-p", str(PORT), "-c", str(CLIENTS), "-n", "20000", "-t", "get,set", "--csv")
        found = harness.run("redis-benchmark", *argv)
        self.assertNotIn("rror", found.stdout + found.stderr)
        rates = dict(re.findall(r'^"(GET|SET)","([0-9.]+)"', found.stdout, re.MULTILINE))
        self.assertEqual(sorted(rates), ["GET", "SET"])
        return rates

    def test_benchmark(self):
        print(f"     {self.benchmark()}")

    def test_many_idle_connections_beside_working_ones(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with contextlib.ExitStack() as stack:
            idle = [stack.enter_context(harness.connect(PORT)) for _ in range(IDLE)]
            self.all_answer(idle)
            self.benchmark()
            harness.eventually(lambda: self.status()["connections"] == IDLE)  # it has seen the others close
            self.assertFalse(self.status()["statistics"]["full"])
            self.all_answer(idle)
        self.assertEqual(self.scope.complaints("cache", self.started), [])

    def status(self):
        return json.loads(self.scope.sockwake("status", "--json", "cache").stdout)

    def all_answer(self, connections):
        for connection in connections:
            connection.sendall(b"PING\r\n")
        self.assertEqual({connection.recv(64) for connection in connections}, {b"+PONG\r\n"})
