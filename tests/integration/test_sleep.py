"""An unused instance sleeps, and wakes for each new client, also at the worst moment."""

import os
import random
import signal
import threading
import time

import harness
import servers

PORT = 7300
SHARING = 4  # instances of one container
ROUNDS = 20 if harness.THOROUGH else 5


def our_processes():
    """All processes of our directory of programs."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            program = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        if "/sockwake" in program:
            found.append(program)
    return found


class Idle(harness.Case):
    """--idle-timeout and --idle-action."""

    def busybox(self, command, *options):
        self.scope.container("server", "sh", "-c", command, image=harness.BUSYBOX, options=options)

    def assert_asleep(self, state="exited", timeout=15):
        harness.eventually(lambda: self.scope.container_state("server") == state, timeout)
        self.scope.fall_asleep("server")
        self.assertEqual(self.scope.state("server.service"), "inactive")
        self.assertEqual(our_processes(), [])

    def test_stopped_when_idle_and_nothing_of_ours_runs(self):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, "--idle-timeout=1s")
        self.assertEqual(our_processes(), [])
        for _ in range(2):
            self.assertEqual(harness.redis(PORT, "ping"), "PONG")
            self.assert_asleep()

    def test_awake_while_a_connection_is_open(self):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, "--idle-timeout=200ms")
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            # No other client would wake the server: if it stopped, the silent connection would end.
            connection.settimeout(2)
            with self.assertRaises(TimeoutError):
                connection.recv(1)
            self.assertEqual(self.scope.container_state("server"), "running")
        self.assert_asleep()

    def test_paused(self):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, "--idle-timeout=1s", "--idle-action=pause")
        self.assertEqual(harness.redis(PORT, "set", "here", "still"), "OK")
        pid = self.scope.container_pid("server")
        for _ in range(2):
            self.assert_asleep("paused")
            self.assertEqual(harness.redis(PORT, "get", "here"), "still")
            self.assertEqual(self.scope.container_pid("server"), pid)

    def test_own_stop_signal(self):
        self.busybox("trap 'echo heard; exit 0' USR1; nc -ll -p 9000 -e echo hello & wait", "--stop-signal=USR1")
        self.scope.instance("server", PORT, 9000, "--idle-timeout=200ms")
        self.assertEqual(harness.exchange(PORT, b""), b"hello\n")
        self.assert_asleep(timeout=5)
        self.assertEqual(self.scope.engine_run("logs", "server").stdout, "heard\n")

    def test_own_stop_timeout(self):
        self.busybox("trap '' TERM; nc -ll -p 9000 -e echo hello", "--stop-timeout=2")
        self.scope.instance("server", PORT, 9000, "--idle-timeout=200ms")
        self.assertEqual(harness.exchange(PORT, b""), b"hello\n")
        harness.eventually(lambda: self.scope.state("server.service") == "deactivating")
        began = time.monotonic()
        self.assert_asleep(timeout=8)
        self.assertGreater(time.monotonic() - began, 1)
        argv = ("inspect", "--format={{.State.ExitCode}}", "server")
        self.assertEqual(self.scope.engine_run(*argv).stdout, "137\n")


class FallingAsleep(harness.Case):
    """Connections that come while the container is being stopped."""

    any_release = True

    def setUp(self):
        super().setUp()
        stops_slowly = "trap 'sleep 1; exit 0' INT; serve redis & while :; do wait; done"
        self.scope.container("server", "sh", "-c", stops_slowly)
        self.scope.instance("server", PORT, 6379, "--idle-timeout=200ms")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        harness.eventually(lambda: self.scope.state("server.service") == "deactivating")

    def tearDown(self):
        self.assertEqual(self.scope.complaints("server", self.started), [])

    def test_are_served_by_the_next_wake(self):
        container = self.scope.container_pid("server")
        for _ in range(3):
            self.assertEqual(harness.redis(PORT, "ping"), "PONG")
            previous, container = container, self.scope.container_pid("server")
            self.assertNotEqual(container, previous)
            harness.eventually(lambda: self.scope.state("server.service") == "deactivating")

    def test_crowd_is_served_by_the_next_wake(self):
        self.assertEqual(harness.crowd(PORT, 50), [b"+PONG\r\n"] * 50)


class ByHand(harness.Case):
    """systemctl(1) on the service, and the engine's own commands."""

    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis")

    def test_start_warms_up_and_stop_puts_to_sleep(self):
        self.scope.instance("server", PORT, 6379)
        self.scope.systemctl("start", "server.service")
        self.assertEqual(self.scope.container_state("server"), "running")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.scope.systemctl("stop", "server.service")
        self.assertEqual(self.scope.container_state("server"), "exited")
        self.assertEqual(our_processes(), [])
        self.assertEqual(self.scope.state("server.socket"), "active")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def test_stop_ends_open_connections(self):
        self.scope.instance("server", PORT, 6379, "--drain-timeout=1s")
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.scope.systemctl("stop", "server.service", timeout=15)
            with self.subTest("the client learns of it"):
                try:
                    self.assertEqual(connection.recv(64), b"")
                except ConnectionResetError:
                    pass
        self.assertEqual(self.scope.container_state("server"), "exited")

    def test_wake_and_sleep_commands(self):
        self.scope.instance("server", PORT, 6379)
        self.scope.sockwake("wake", "server")
        self.assertEqual(self.scope.container_state("server"), "running")
        self.scope.sockwake("sleep", "server")
        self.assertEqual(self.scope.container_state("server"), "exited")

    def test_container_stopped_by_hand_is_woken_again(self):
        self.scope.instance("server", PORT, 6379)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.scope.engine_run("stop", "server")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def test_container_started_by_hand_is_used(self):
        self.scope.engine_run("start", "server")
        pid = self.scope.container_pid("server")
        self.scope.instance("server", PORT, 6379, "--idle-timeout=200ms")
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.assertEqual(self.scope.container_pid("server"), pid)
        harness.eventually(lambda: self.scope.container_state("server") == "exited")

    def test_container_started_by_hand_is_left_running(self):
        self.scope.engine_run("start", "server")
        pid = self.scope.container_pid("server")
        self.scope.instance("server", PORT, 6379, "--idle-timeout=200ms", "--keep-running")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.scope.fall_asleep("server")
        self.assertEqual(self.scope.container_pid("server"), pid)
        # It puts to sleep what it has woken itself.
        self.scope.engine_run("stop", "server")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        harness.eventually(lambda: self.scope.container_state("server") == "exited")


class Told(harness.Case):
    """After `sleep` and `remove` the container does not run, or a note says why it does."""

    any_release = True

    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis", options=servers.STOP_AT_ONCE)

    def asleep(self, state="exited"):
        """Puts it to sleep; returns the notes."""
        notes = self.scope.sockwake("sleep", "server").stderr
        self.assertEqual(self.scope.container_state("server"), state)
        self.assertEqual(our_processes(), [])
        return notes

    def kill_ours(self):
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        os.kill(int(self.scope.property("server.service", "MainPID")), signal.SIGKILL)

    def test_started_by_hand(self):
        self.scope.instance("server", PORT, 6379)
        self.scope.engine_run("start", "server")
        self.assertIn("'sockwake sleep server' stops it", self.scope.sockwake("status", "server").stdout)
        self.assertEqual(self.asleep(), "")
        self.assertEqual(self.asleep(), "")

    def test_started_by_hand_and_paused(self):
        self.scope.instance("server", PORT, 6379, "--idle-action=pause")
        self.scope.engine_run("start", "server")
        self.assertEqual(self.asleep("paused"), "")

    def test_killed(self):
        self.scope.instance("server", PORT, 6379)
        for _ in range(3):
            self.kill_ours()
            self.assertEqual(self.asleep(), "")
            time.sleep(0.7)  # time for anything that would start it again
            self.assertEqual(self.scope.container_state("server"), "exited")

    def test_killed_and_removed(self):
        self.scope.instance("server", PORT, 6379)
        self.kill_ours()
        self.scope.sockwake("remove", "server")
        self.assertEqual(self.scope.container_state("server"), "exited")

    def test_started_by_hand_and_removed(self):
        self.scope.instance("server", PORT, 6379)
        self.scope.engine_run("start", "server")
        self.scope.sockwake("remove", "server")
        self.assertEqual(self.scope.container_state("server"), "exited")

    def test_used_by_another(self):
        self.scope.instance("server", PORT, 6379)
        self.scope.instance("door", PORT + 1, 6379, container="server")
        with harness.connect(PORT + 1) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            for command in ("sleep", "remove"):
                notes = self.scope.sockwake(command, "server").stderr
                self.assertIn("the container 'server' still runs: another instance uses it", notes)
            self.scope.instance("server", PORT, 6379)
            self.scope.instance("side", PORT + 2, 6379, container="server")
            notes = self.scope.sockwake("sleep", "server", "side").stderr
            self.assertEqual(notes.count("another instance uses it"), 1, notes)
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")

    def test_somebody_elses(self):
        self.scope.instance("server", PORT, 6379, "--keep-running")
        self.scope.engine_run("start", "server")
        self.assertIn("--keep-running", self.asleep("running"))
        self.scope.engine_run("stop", "server")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertEqual(self.asleep(), "")
        self.scope.engine_run("start", "server")
        self.assertIn("stays up (--keep-running)", self.scope.sockwake("status", "server").stdout)
        self.assertIn("--keep-running", self.scope.sockwake("remove", "server").stderr)
        self.assertEqual(self.scope.container_state("server"), "running")

    def test_containers_that_come_first(self):
        self.scope.container("db", "redis", options=servers.STOP_AT_ONCE)
        with_db = "--with=db:6379" if self.scope.is_system else "--with=db"
        self.scope.instance("server", PORT, 6379, with_db)
        self.kill_ours()
        self.assertEqual(self.scope.container_state("db"), "running")
        self.asleep()
        self.assertEqual(self.scope.container_state("db"), "exited")

    def test_the_container_of_what_is_replaced(self):
        self.scope.instance("server", PORT, 6379)
        self.kill_ours()
        self.scope.container("other", "redis")
        self.scope.instance("server", PORT, 6379, "--force", container="other")
        self.assertEqual(self.scope.container_state("server"), "exited")
        # somebody else has started it, so it stays
        self.scope.engine_run("start", "other")
        self.scope.instance("server", PORT, 6379, "--force")
        self.assertEqual(self.scope.container_state("other"), "running")

    def test_without_the_engine(self):
        self.scope.instance("server", PORT, 6379)
        units = [f"{self.scope.engine}.{kind}" for kind in ("socket", "service")]
        self.addCleanup(self.scope.systemctl, "start", units[0])
        self.scope.systemctl("stop", *units)
        result = self.scope.sockwake("sleep", "server", check=False)
        self.assertEqual(result.returncode, 1)
        for word in ("cannot be told whether the container 'server' runs", "systemctl", "'sockwake sleep server'"):
            self.assertIn(word, result.stderr)
        result = self.scope.sockwake("remove", "server")
        self.assertIn("Removed", result.stdout)
        self.assertIn(f"'{self.scope.engine} stop server' stops it", result.stderr)


class Shared(harness.Case):
    """A shared container sleeps when the last of its instances is idle."""

    timeout = 60 + 10 * ROUNDS
    any_release = True

    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis")
        for n in range(SHARING):
            self.scope.instance(f"door{n}", PORT + n, 6379, "--idle-timeout=200ms", container="server")

    def test_sleeps_after_the_last(self):
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.assertEqual(harness.redis(PORT + 1, "ping"), "PONG")
            self.scope.fall_asleep("door1")
            self.assertEqual(self.scope.container_state("server"), "running")
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
        harness.eventually(lambda: self.scope.container_state("server") == "exited", timeout=20)

    def test_given_by_its_identifier(self):
        """It is the same container, and the same lock."""
        identifier = self.scope.engine_run("inspect", "--format={{.Id}}", "server").stdout.strip()
        self.scope.instance("other", PORT + SHARING, 6379, "--idle-timeout=1min", container=identifier[:12])
        with harness.connect(PORT + SHARING) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.assertEqual(harness.redis(PORT, "ping"), "PONG")
            self.scope.fall_asleep("door0")
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")

    def test_never_stopped_under_an_open_connection(self):
        """Many connections at random moments, mostly about when another instance falls asleep."""
        failures = []
        threads = [threading.Thread(target=self.visits, args=(n, failures), daemon=True) for n in range(2 * SHARING)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        harness.eventually(lambda: self.scope.container_state("server") == "exited", timeout=20)
        for n in range(SHARING):
            self.assertEqual(self.scope.complaints(f"door{n}", self.started), [])

    def visits(self, visitor, failures):
        chance = random.Random(visitor)
        for n in range(ROUNDS):
            try:
                with harness.connect(PORT + visitor % SHARING) as connection:
                    for _ in range(3):
                        connection.sendall(b"PING\r\n")
                        answer = connection.recv(64)
                        if answer != b"+PONG\r\n":
                            failures.append((visitor, n, answer))
                            return
                        time.sleep(chance.uniform(0, 0.2))
            except OSError as error:
                failures.append((visitor, n, error))
            time.sleep(chance.uniform(0, 0.8))
