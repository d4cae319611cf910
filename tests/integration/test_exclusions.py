"""--no-wake-from, --no-hold-from, --ignore-from and --hold: clients that do not wake the instance, or do not keep it
awake."""

import contextlib
import json
import socket
import time

import fake_engine
import harness
import servers

ANY_RELEASE = True
PORT = 7950
SCANNER = "127.0.0.9"
ROUNDS = 5


def connect(source, host="127.0.0.1"):
    return socket.create_connection((host, PORT), 20, source_address=(source, 0))


def ping(connection):
    connection.sendall(b"PING\r\n")
    return connection.recv(64)


class ExclusionCase(harness.Case):
    def create(self, *options):
        self.scope.container("server", "redis", options=("--network=none",))
        self.scope.instance("server", PORT, 6379, *options)

    def engine_socket(self):
        if self.scope.engine == "docker":
            return "/run/docker.sock"
        return f"{self.scope.runtime_directory}/podman/podman.sock"

    def is_asleep(self):
        return self.scope.container_state("server") in ("created", "exited", "configured")

    def assert_reset(self, connection):
        with connection, self.assertRaises(ConnectionResetError):
            connection.recv(1)

    def assert_refused(self, source):
        """Reset, perhaps before connect(2) has returned."""
        with self.assertRaises(ConnectionResetError), connect(source) as connection:
            connection.recv(1)


class NoWake(ExclusionCase):
    def test_reset_without_a_word_to_the_engine(self):
        asked = []

        def recording(client, real):
            asked.append(time.time())
            fake_engine.faithful(client, real)

        with fake_engine.FakeEngine(self.engine_socket()) as engine:
            self.create(f"--engine-socket={engine.path}", f"--no-wake-from={SCANNER}")
            engine.behave(recording)
            for _ in range(ROUNDS):
                self.assert_refused(SCANNER)
                self.scope.fall_asleep("server")
            self.assertEqual(asked, [])
            self.assertTrue(self.is_asleep())
            self.assertEqual(self.scope.state("server.socket"), "active")
            self.assertEqual(self.scope.complaints("server", self.started), [])
            self.assertEqual(harness.redis(PORT, "ping"), "PONG")
            self.assertNotEqual(asked, [])
            self.scope.systemctl("stop", "server.service")

    def test_a_wake_is_more_than_the_start_that_it_joins(self):
        """That of a keeper which only turns a client away ends well, too."""
        self.create(f"--no-wake-from={SCANNER}")
        for _ in range(ROUNDS):
            self.assert_refused(SCANNER)
            self.scope.sockwake("wake", "server")
            self.assertEqual(self.scope.container_state("server"), "running")
            self.scope.sockwake("sleep", "server")

    def test_whoever_else_waits_is_served(self):
        self.create(f"--no-wake-from={SCANNER}")
        for _ in range(ROUNDS):
            with contextlib.ExitStack() as stack:
                scanners, clients = [], []
                for client in ("127.0.0.1", "127.0.0.2"):
                    with contextlib.suppress(ConnectionResetError):  # before connect(2) has returned
                        scanners.append(stack.enter_context(connect(SCANNER)))
                    clients.append(stack.enter_context(connect(client)))
                for connection in clients:
                    self.assertEqual(ping(connection), b"+PONG\r\n")
                # The first came before anybody ran who could have served it. Who comes to a waking container is served.
                if len(scanners) == 2:
                    self.assert_reset(scanners[0])
            self.scope.systemctl("stop", "server.service")

    def test_not_woken_again_when_others_stop_it(self):
        """Also while the keeper looks for a new run of the container."""
        self.create(f"--no-wake-from={SCANNER}")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.scope.engine_run("stop", "--time=1", "server")
        self.assert_refused(SCANNER)
        self.scope.fall_asleep("server")
        self.assertTrue(self.is_asleep())

    def test_networks_of_both_families(self):
        self.create("--no-wake-from=198.51.100.0/24", "--no-wake-from=2001:db8::/32")
        for host in harness.INSIDE:
            found = harness.outside("redis-cli", "-h", host, "-p", str(PORT), "ping", check=False)
            self.assertNotIn("PONG", found.stdout)
            self.assertIn("reset by peer", found.stdout + found.stderr)
            self.scope.fall_asleep("server")
            self.assertTrue(self.is_asleep())
        self.assertEqual(harness.redis(PORT, "ping", host="::1"), "PONG")
        # Only the wake is denied.
        found = harness.outside("redis-cli", "-h", harness.INSIDE[0], "-p", str(PORT), "ping")
        self.assertEqual(found.stdout, "PONG\n")

    def test_datagrams(self):
        options = ("--network=none", *servers.PYTHON)
        self.scope.container("server", *servers.echo(53), image=harness.BUSYBOX, options=options)
        self.scope.sockwake("create", "server", "-p", f"{PORT}:53/udp", f"--no-wake-from={SCANNER}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as scanner:
            scanner.bind((SCANNER, 0))
            for _ in range(ROUNDS):
                before = self.scope.property("server.service", "InvocationID")
                scanner.sendto(b"anybody there?", ("127.0.0.1", PORT))
                harness.eventually(lambda: self.scope.property("server.service", "InvocationID") != before)
                self.scope.fall_asleep("server")
                self.assertTrue(self.is_asleep())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(20)
            client.sendto(b"hello", ("127.0.0.1", PORT))
            self.assertEqual(client.recv(64).split()[1], b"hello")


class NoHold(ExclusionCase):
    IDLE = 1  # seconds

    def test_served_until_nobody_else_is_there(self):
        self.create(f"--no-hold-from={SCANNER}", f"--idle-timeout={self.IDLE}s")
        began = time.monotonic()
        with connect(SCANNER) as monitor:
            monitor.settimeout(20)
            self.assertEqual(ping(monitor), b"+PONG\r\n")
            # It never stops asking.
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                while ping(monitor) == b"+PONG\r\n":
                    self.assertLess(time.monotonic() - began, 20)
        self.assertGreater(time.monotonic() - began, self.IDLE)
        harness.eventually(self.is_asleep)
        self.scope.fall_asleep("server")
        self.assertEqual(self.scope.complaints("server", self.started), [])

    def test_somebody_else_holds(self):
        self.create(f"--no-hold-from={SCANNER}", f"--idle-timeout={self.IDLE}s")
        with connect(SCANNER) as monitor, connect("127.0.0.1") as client:
            for connection in (monitor, client):
                connection.settimeout(20)
                self.assertEqual(ping(connection), b"+PONG\r\n")
            client.settimeout(2 * self.IDLE)
            with self.assertRaises(TimeoutError):
                client.recv(1)
            self.assertEqual(ping(monitor), b"+PONG\r\n")
        harness.eventually(self.is_asleep)

    def test_datagrams(self):
        options = ("--network=none", *servers.PYTHON)
        self.scope.container("server", *servers.echo(53), image=harness.BUSYBOX, options=options)
        hold = (f"--no-hold-from={SCANNER}", f"--idle-timeout={self.IDLE}s")
        self.scope.sockwake("create", "server", "-p", f"{PORT}:53/udp", *hold)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as monitor:
            monitor.bind((SCANNER, 0))
            monitor.settimeout(20)
            monitor.sendto(b"x", ("127.0.0.1", PORT))
            first = monitor.recv(64)
            monitor.settimeout(1)
            container = self.scope.container_pid("server")
            # It asks on, and so wakes the next container as soon as this one sleeps.
            began = time.monotonic()
            while self.scope.container_pid("server") in (container, 0):
                self.assertLess(time.monotonic() - began, 20)
                monitor.sendto(b"x", ("127.0.0.1", PORT))
                with contextlib.suppress(TimeoutError):  # one that reached a container as it stopped
                    self.assertEqual(monitor.recv(64).split()[1], b"x")
            self.assertEqual(first.split()[1], b"x")
        self.assertGreater(time.monotonic() - began, self.IDLE / 2)


class Monitors(ExclusionCase):
    IDLE = 1  # seconds

    def figures(self):
        statistics = json.loads(self.scope.sockwake("status", "server", "--json").stdout)["statistics"]
        return {key: statistics[key] for key in ("wakes", "last_wake", "last_wake_ms", "connections_total")}

    def asked(self):
        """A monitor that stays connected is served as long as somebody else is there, and then until it sleeps."""
        began = time.monotonic()
        with connect(SCANNER) as monitor, contextlib.suppress(ConnectionResetError, BrokenPipeError):
            monitor.settimeout(20)
            while ping(monitor) == b"+PONG\r\n":
                self.assertLess(time.monotonic() - began, 20)
        return time.monotonic() - began

    def test_ignored(self):
        self.create(f"--ignore-from={SCANNER}", f"--idle-timeout={self.IDLE}s")
        self.assert_refused(SCANNER)
        self.scope.fall_asleep("server")
        with connect("127.0.0.1") as client:
            client.settimeout(20)
            self.assertEqual(ping(client), b"+PONG\r\n")
        self.assertGreater(self.asked(), self.IDLE / 2)
        self.scope.fall_asleep("server")
        self.assertTrue(self.is_asleep())
        before, since = self.figures(), time.time()
        for _ in range(3):
            self.assert_refused(SCANNER)
            self.scope.fall_asleep("server")
        self.assertEqual(self.figures(), before)
        self.assertEqual(self.scope.unit_journal("server", "--identifier=sockwake", since=since), [])

    def test_checks_without_data(self):
        """From the client's own address."""
        self.create("--hold=data", f"--idle-timeout={self.IDLE}s")
        with connect("127.0.0.1") as client:
            client.settimeout(20)
            self.assertEqual(ping(client), b"+PONG\r\n")
        container = self.scope.container_pid("server")
        began = time.monotonic()
        while self.scope.container_pid("server") == container:
            self.assertLess(time.monotonic() - began, 15)
            connect("127.0.0.1").close()
