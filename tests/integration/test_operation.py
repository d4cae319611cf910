"""Instances in operation: status texts, figures, journal entries, stopping under load."""

import contextlib
import hashlib
import json
import os
import re
import threading
import time

import harness
import servers

PORT = 8000
WOKEN = "8500f14f1ae745629162ae27994edddc"  # MESSAGE_ID (activator/journal.h)
SLEPT = "97a666e0af7644a892284cf85f5e8ae1"
SIZES = (1, 1000, 3 * 1024 * 1024 + 17)  # bytes, one connection each


class EchoCase(harness.Case):
    def create(self, *options):
        container = ("--network=none", *servers.PYTHON)
        self.scope.container("echo", *servers.echo(7), image=harness.BUSYBOX, options=container)
        self.scope.sockwake("create", "echo", "-p", f"{PORT}:7", *options)

    def statistics(self):
        status = json.loads(self.scope.sockwake("status", "--json", "echo").stdout)
        return status["connections"], status["statistics"]

    def entries(self, message_id):
        """The structured entries of this test, with all their fields."""
        scope = [] if self.scope.is_system else ["--user"]
        argv = ("journalctl", *scope, "--output=json", "--no-pager", f"--since=@{self.started}", f"MESSAGE_ID={message_id}")
        lines = self.scope.run(*argv).stdout.splitlines()
        return [entry for entry in map(json.loads, lines) if entry["SOCKWAKE_INSTANCE"] == "echo"]

    def process(self):
        return self.scope.property("echo.service", "MainPID")


class Figures(EchoCase):
    any_release = True

    def transfer(self):
        """Moves so many bytes each way."""
        for size in SIZES:
            sent = os.urandom(size)
            with harness.connect(PORT) as connection:
                sender = threading.Thread(target=connection.sendall, args=(sent,))
                sender.start()
                received = b""
                while len(received) < size:
                    received += connection.recv(65536)
                sender.join()
            self.assertEqual(received, sent)

    def test_status_text_while_connections_are_open(self):
        self.create()
        with harness.connect(PORT) as one, harness.connect(PORT):
            one.sendall(b"x" * 2048)
            text = 'Status: "2 connections (2 in all); 2.0 KiB in, 2.0 KiB out; up '
            harness.eventually(lambda: text in self.scope.systemctl("status", "--no-pager", "echo.service").stdout)
        harness.eventually(lambda: "0 connections (2 in all)" in self.scope.property("echo.service", "StatusText"))

    def test_figures_are_those_of_the_transfer(self):
        self.create("--idle-timeout=1s")
        self.transfer()
        with harness.connect(PORT) as connection:
            connection.sendall(b"x")
            self.assertEqual(connection.recv(1), b"x")
            harness.eventually(lambda: self.statistics()[0] == 1)
            container = self.scope.container_pid("echo")
        total = sum(SIZES) + 1
        harness.eventually(lambda: self.statistics()[0] == 0)
        found = self.statistics()[1]
        self.assertEqual(found["connections_total"], len(SIZES) + 1)
        self.assertEqual((found["bytes_to_container"], found["bytes_from_container"]), (total, total))
        self.assertEqual((found["wakes"], found["connections_failed"], found["flows_total"]), (1, 0, 0))
        self.assertFalse(found["found_running"])
        parts = found["last_wake_ms"]
        self.assertAlmostEqual(sum(value for part, value in parts.items() if part != "total"), parts["total"], places=3)
        self.check_journal(container, total)

    def check_journal(self, container, total):
        harness.eventually(lambda: self.entries(SLEPT))
        self.scope.fall_asleep("echo")
        [slept] = self.entries(SLEPT)
        [woken] = self.entries(WOKEN)
        for entry in (woken, slept):
            self.assertEqual(entry["SOCKWAKE_CONTAINER"], "echo")
            self.assertEqual(entry["PRIORITY"], "6")
            self.assertIn("echo", entry["MESSAGE"])
        self.assertEqual(int(woken["SOCKWAKE_CONTAINER_PID"]), container)
        self.assertEqual(woken["SOCKWAKE_FOUND_RUNNING"], "0")
        begins, ends = (int(entry["__REALTIME_TIMESTAMP"]) for entry in (woken, slept))
        for key in ("LOAD", "START", "INSPECT"):
            self.assertLess(int(woken[f"SOCKWAKE_{key}_USEC"]), 10_000_000)
        self.assertEqual(int(slept["SOCKWAKE_CONNECTIONS"]), len(SIZES) + 1)
        self.assertEqual(int(slept["SOCKWAKE_CONNECTIONS_FAILED"]), 0)
        self.assertEqual(int(slept["SOCKWAKE_BYTES_TO_CONTAINER"]), total)
        self.assertEqual(int(slept["SOCKWAKE_BYTES_FROM_CONTAINER"]), total)
        # From the beginning of the wake to the beginning of the sleep; each entry is written later than that.
        self.assertAlmostEqual(int(slept["SOCKWAKE_AWAKE_USEC"]) / 1e6, (ends - begins) / 1e6, delta=2)
        self.assertGreater(int(slept["SOCKWAKE_AWAKE_USEC"]), 1_000_000)


class Debug(harness.Case):
    """SOCKWAKE_LOG=debug, as the manual says: each step of a wake and of the sleep, and none without it."""

    any_release = True

    STEPS = (
        ("keeper", "somebody waits there"),
        ("keeper", "has started 'activator --wake'"),
        ("activator", "wakes the container 'cache'"),
        ("activator", "has the lock '"),
        ("activator", "/containers/cache/start: status 204 after "),
        ("activator", "the container 'cache' is running, its PID "),
        ("activator", "has its pidfd"),
        ("activator", "tells the keeper"),
        ("keeper", "has the pidfd of its first process"),
        ("keeper", "has started nshelper"),
        ("nshelper", "has entered the network namespace of process "),
        ("nshelper", "has dropped all privileges"),
        ("proxy", "the server on port 6379 is ready"),
        ("proxy", "confines itself"),
        ("keeper", "says READY=1"),
        ("keeper", "the first client is served"),
        ("keeper", "the proxy accepts nobody any more"),
        ("keeper", "is idle: nobody has used the container for "),
        ("keeper", "has started 'activator --sleep'"),
        ("activator", "puts the container 'cache' to sleep (idle)"),
        ("activator", "(exclusive) after "),
        ("activator", "the container 'cache' goes to sleep"),
        ("activator", "/stop?t="),
        ("keeper", "the container sleeps"),
    )
    SECRET = "c2VjcmV0"

    def setUp(self):
        super().setUp()
        self.directory = f"{self.scope.unit_directory}/cache.service.d"
        self.scope.container("cache", "redis", options=("--network=none", "--env", f"PASSWORD={self.SECRET}"))
        self.scope.instance("cache", 6379, 6379, "--health-check=redis", "--idle-timeout=1s", "--no-notifications")

    def set_level(self, level):
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(self.scope.run, "rm", "-rf", self.directory)
        self.scope.run("mkdir", "-p", self.directory)
        self.scope.run("tee", f"{self.directory}/log.conf", input=f"[Service]\nEnvironment=SOCKWAKE_LOG={level}\n")
        self.scope.systemctl("daemon-reload")

    def wake_and_sleep(self):
        self.assertEqual(harness.redis(6379, "ping"), "PONG")
        self.scope.fall_asleep("cache")

    def steps(self):
        """(program, milliseconds, sentence) of each line of the debug level."""
        found = [re.fullmatch(r"(\w+) \+([0-9.]+) ms: (.*)", line) for line in self.debug_lines()]
        return [(step[1], float(step[2]), step[3]) for step in found]

    def debug_lines(self):
        return self.scope.unit_journal("cache", "--priority=debug..debug", "--identifier=sockwake", since=self.started)

    def check_steps(self):
        steps = self.steps()
        rest = iter(steps)
        for program, sentence in self.STEPS:
            if not any(step[0] == program and sentence in step[2] for step in rest):
                self.fail(f"no {(program, sentence)}, or not in this order, among {steps}")
        times = [time for _, time, _ in steps]
        self.assertLess(times[0], 1000)
        self.assertLess(max(later - earlier for earlier, later in zip(times[1:], times)), 50)  # of several processes
        return True

    def test_each_step_of_a_wake_and_a_sleep(self):
        self.set_level("debug")
        self.wake_and_sleep()
        harness.eventually(self.check_steps)
        self.assertNotIn(self.SECRET, "\n".join(self.lines()))

    def test_nothing_without_it(self):
        self.wake_and_sleep()
        harness.eventually(lambda: any("; 1 connection was served" in line for line in self.lines()))
        self.assertEqual(self.debug_lines(), [])

    def lines(self):
        return self.scope.unit_journal("cache", since=self.started)

    def test_another_value_is_ignored_with_one_warning(self):
        self.set_level("verbose")
        self.wake_and_sleep()
        warning = "SOCKWAKE_LOG is ignored: 'debug' is the only value that it may have"
        harness.eventually(lambda: warning in self.lines())
        self.assertEqual(self.lines().count(warning), 1)
        self.assertEqual(self.debug_lines(), [])

    def test_what_sockwake_itself_asks(self):
        argv = ("env", "SOCKWAKE_LOG=debug", "sockwake", "status", "cache")
        told = self.scope.run(*argv)
        self.assertRegex(told.stderr, r"sockwake \+[0-9.]+ ms: \w+: GET /\S*containers/\S+: status 200 after [0-9.]+ ms\n")
        self.assertRegex(told.stderr, r"sockwake \+[0-9.]+ ms: service manager: ListUnitsByNames ")
        self.assertNotIn("ms: ", told.stdout)
        self.assertEqual(self.scope.sockwake("status", "cache").stderr, "")


class Stopping(EchoCase):
    """`systemctl stop` while connections are open."""

    any_release = True

    SIZE = 32 << 20

    def stop(self):
        """Returns when the proxy has heard it: from then on it accepts nobody."""
        self.scope.systemctl("stop", "--no-block", "echo.service")
        harness.eventually(lambda: self.scope.property("echo.service", "StatusText").startswith("Stopping: "))
        self.assertEqual(self.scope.state("echo.service"), "deactivating")

    def test_a_transfer_goes_on_and_who_comes_is_served_by_the_next_wake(self):
        self.create("--drain-timeout=30s")
        sent = os.urandom(self.SIZE)
        with harness.connect(PORT) as connection:
            threading.Thread(target=connection.sendall, args=(sent,), daemon=True).start()
            received = connection.recv(65536)
            before = self.process()
            self.stop()
            with harness.connect(PORT) as late:
                late.sendall(b"late")
                # It waits: the old proxy accepts nobody, and there is no other before that one has ended.
                late.settimeout(0.5)
                with self.assertRaises(TimeoutError):
                    late.recv(1)
                self.assertEqual(self.process(), before)
                while len(received) < self.SIZE:
                    received += connection.recv(1 << 20)
                connection.close()
                late.settimeout(20)
                self.assertEqual(late.recv(64), b"late")
        self.assertNotEqual(self.process(), before)
        self.assertEqual(hashlib.sha256(received).digest(), hashlib.sha256(sent).digest())
        self.assertEqual(self.scope.complaints("echo", self.started), [])

    def test_no_longer_than_the_drain_timeout(self):
        self.create("--drain-timeout=2s")
        with harness.connect(PORT) as connection:
            connection.sendall(b"x")
            self.assertEqual(connection.recv(1), b"x")
            began = time.monotonic()
            self.stop()
            while time.monotonic() - began < 1:
                connection.sendall(b"x")
                self.assertEqual(connection.recv(1), b"x")
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(connection.recv(1), b"")
            took = time.monotonic() - began
        self.assertGreater(took, 1.9)
        self.assertLess(took, 10)
        self.scope.fall_asleep("echo")
        self.assertEqual(self.scope.container_state("echo"), "exited")


class Death(EchoCase):
    any_release = True

    def test_of_the_container_ends_the_proxy_at_once_with_the_reason(self):
        self.create("--drain-timeout=1h")
        with harness.connect(PORT) as connection:
            connection.sendall(b"x")
            self.assertEqual(connection.recv(1), b"x")
            container = self.scope.container_pid("echo")
            began = time.monotonic()
            os.kill(container, 9)
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(connection.recv(1), b"")
            self.assertLess(time.monotonic() - began, 2)
        self.scope.fall_asleep("echo")  # somebody might have restarted it
        lines = self.scope.unit_journal("echo", since=self.started)
        self.assertIn("the container has ended; 1 connection was served", lines)
        self.assertEqual(self.scope.property("echo.service", "Result"), "success")
        self.assertEqual(harness.exchange(PORT, b"again"), b"again")
