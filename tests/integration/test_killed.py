"""A killed keeper: the next one serves waiting clients, and otherwise the container sleeps."""

import contextlib
import os
import signal
import threading
import time

import cells
import fake_engine
import harness
import test_keeper

ANY_RELEASE = True
PORT = test_keeper.PORT
CLIENTS = 20
LINES_A_SECOND = 10  # in the journal, the manager's own included
# Before and after the next keeper begins. In the moment between, when systemd has ended one service and not begun the
# other, `systemctl stop` runs nothing of ours (docs/architecture.md); `sockwake sleep` and `remove` look themselves.
DELAYS = (0, 0.1, 0.3, 2)
MOMENT = (0.7, 0.8, 0.85, 0.9)


class KilledCase(test_keeper.KeeperCase):
    timeout = 120

    def keeper(self):
        return int(self.scope.property("server.service", "MainPID"))

    def kill_keeper(self):
        pid = harness.eventually(self.keeper)
        os.kill(pid, signal.SIGKILL)
        return pid

    def wake(self):
        self.assert_served()
        harness.eventually(lambda: self.scope.state("server.service") == "active")

    def assert_nothing_runs(self):
        self.assertIn(self.scope.container_state("server"), ("exited", "created"))
        for program in ("keeper", "activator", "nshelper", "proxy"):
            self.assertEqual(self.processes(program), [], program)

    def starts(self, since):
        return [line for line in self.scope.unit_journal("server", since=since) if line.startswith("Starting ")]


class Stopping(KilledCase):
    """While a service stops, systemd passes its sockets to no process: clients must not wait for the container's
    end."""

    waits = True
    LIMIT = 3  # --startup-timeout
    APART = "sockwake-sleep:server.service"

    def stubborn(self, stop_timeout="--stop-timeout=30"):
        command = ("sh", "-c", "trap '' INT TERM; serve redis & wait")
        self.scope.container("server", *command, options=("--network=none", stop_timeout))
        self.scope.instance("server", PORT, 6379, f"--startup-timeout={self.LIMIT}s", "--idle-timeout=2s")

    def stop(self):
        return self.scope.spawn("systemctl", *([] if self.scope.is_system else ["--user"]), "stop", "server.service")

    def assert_refused_and_asleep(self):
        harness.eventually(lambda: self.processes("proxy") == [])  # it would still accept until it is killed
        self.assertLess(harness.refusal(PORT), self.LIMIT + 2)
        self.assertEqual(self.scope.state(self.APART), "active")
        self.assertIn(self.scope.container_state("server"), ("running", "stopping"))
        self.scope.engine_run("kill", "server")
        harness.eventually(lambda: self.scope.state(self.APART) == "inactive")
        # The refused client has woken it: it runs for a moment.
        harness.eventually(lambda: self.scope.state("server.service") == "active")
        self.scope.engine_run("kill", "server")
        harness.eventually(lambda: self.scope.state("server.service") in ("inactive", "failed"))
        self.assert_nothing_runs()

    def test_killed_while_it_stops(self):
        self.stubborn()
        self.wake()
        stop = self.stop()
        harness.eventually(lambda: self.scope.state("server.service") == "deactivating")
        self.kill_keeper()
        self.assert_refused_and_asleep()
        self.assertEqual(stop.wait(40), 0)

    def test_killed_as_clients_were_given_time(self):
        self.stubborn()
        with harness.connect(PORT):
            harness.eventually(lambda: self.scope.state("server.service") == "active")
            stop = self.stop()
            harness.eventually(lambda: self.scope.state("server.service") == "deactivating")
            self.assertNotEqual(self.scope.process("server", "proxy"), 0)
            self.kill_keeper()
            self.assert_refused_and_asleep()
        self.assertEqual(stop.wait(40), 0)

    def test_killed_and_then_stopped(self):
        self.stubborn()
        self.wake()
        self.kill_keeper()
        stop = self.stop()
        self.assert_refused_and_asleep()
        self.assertEqual(stop.wait(40), 0)

    def test_killed_and_stopped_again(self):
        """While the first one's container is still being stopped."""
        self.stubborn()
        self.wake()
        self.kill_keeper()
        self.scope.systemctl("stop", "server.service")
        with harness.connect(PORT):  # the next keeper serves this client
            first = self.kill_keeper()
            stop = self.stop()
            self.assert_refused_and_asleep()
            self.assertNotEqual(self.keeper(), first)
        self.assertEqual(stop.wait(40), 0)

    def test_the_one_that_goes_on_is_killed_too(self):
        """Before the engine gets the request."""
        self.scope.container("server", "redis", options=("--network=none",))
        engine = self.enterContext(fake_engine.FakeEngine(cells.engine_socket(self.scope)))
        self.scope.instance("server", PORT, 6379, "--idle-timeout=1h", f"--engine-socket={engine.path}", f"--backend={self.scope.engine}")
        self.addCleanup(self.scope.sockwake, "remove", "server", check=False)
        self.wake()
        never = fake_engine.HoldingBack(b"/stop")
        engine.behave(never)
        self.kill_keeper()
        self.scope.systemctl("stop", "server.service")
        harness.eventually(lambda: never.asked)
        engine.behaviour = fake_engine.faithful
        os.kill(int(self.scope.property(self.APART, "MainPID")), signal.SIGKILL)
        harness.eventually(lambda: self.scope.container_state("server") == "exited", timeout=20)
        harness.eventually(lambda: self.scope.state(self.APART) == "inactive")
        self.assert_nothing_runs()

    def test_removed_meanwhile(self):
        """The removal waits until it sleeps."""
        self.stubborn()
        self.wake()
        self.kill_keeper()
        self.scope.systemctl("stop", "server.service")
        self.assertEqual(self.scope.state(self.APART), "active")
        remove = self.scope.spawn("sockwake", "remove", "server")
        harness.eventually(lambda: self.scope.state("server.socket") == "inactive")
        self.scope.engine_run("kill", "server")
        self.assertEqual(remove.wait(40), 0)
        self.assert_nothing_runs()


class Next(KilledCase):
    """The work of the next keeper."""

    waits = True

    def test_serves_who_waits(self):
        """Without affecting the container."""
        self.redis("--idle-timeout=10s")
        self.wake()
        container = self.scope.container_pid("server")
        answers = []
        for _ in range(3):
            harness.freeze(self.process("proxy"))
            crowd = threading.Thread(target=lambda: answers.extend(harness.crowd(PORT, CLIENTS)))
            crowd.start()
            time.sleep(0.5)
            self.kill_keeper()
            crowd.join()
            harness.eventually(lambda: self.scope.state("server.service") == "active")
        self.assertEqual(answers, [b"+PONG\r\n"] * 3 * CLIENTS)
        self.assertEqual(self.scope.container_pid("server"), container)
        self.scope.sockwake("sleep", "server")
        self.assert_nothing_runs()

    def test_puts_to_sleep_with_nobody_there(self):
        """Once, and then it is done."""
        self.redis("--idle-timeout=1h")
        for _ in range(3):
            self.wake()
            since = time.time()
            self.kill_keeper()
            harness.eventually(lambda: self.scope.state("server.service") == "inactive")
            self.assert_nothing_runs()
            self.assertLess(time.time() - since, 5)
            time.sleep(1)
            self.assertEqual(self.scope.property("server.service", "NRestarts"), "1")
            self.assertEqual(len(self.starts(since)), 1)
            self.assertEqual(self.scope.property("server.service", "Result"), "success")
            self.assertEqual(self.scope.complaints("server", since), [])

    def test_goes_on_while_it_is_held(self):
        self.redis("--idle-timeout=500ms")
        self.scope.sockwake("wake", "--for", "1h", "server")
        container = self.scope.container_pid("server")
        for _ in range(2):
            killed = self.kill_keeper()
            harness.eventually(lambda killed=killed: self.keeper() not in (0, killed))
            harness.eventually(lambda: self.scope.state("server.service") == "active")
        time.sleep(2)
        self.assertEqual(self.scope.state("server.service"), "active")
        self.assertEqual(self.scope.container_pid("server"), container)
        self.scope.sockwake("sleep", "server")
        self.assert_nothing_runs()
        # That ended it.
        self.wake()
        self.assert_asleep()


class Stopped(KilledCase):
    """`sockwake sleep` at about the time when the next keeper should begin."""

    waits = True

    def rounds(self, command, delays=(*DELAYS, *MOMENT), patience=0):
        for delay in delays:
            with self.subTest(delay=delay):
                self.wake()
                self.kill_keeper()
                time.sleep(delay)
                command()
                harness.eventually(lambda: self.assert_nothing_runs() is None, timeout=patience)
                time.sleep(1)
                self.assert_nothing_runs()
                self.assertIn(self.scope.state("server.service"), ("inactive", "failed"))

    def test_by_systemctl(self):
        self.redis("--idle-timeout=1h")
        # Which does not wait for what is done apart.
        self.rounds(lambda: self.scope.systemctl("stop", "server.service"), DELAYS, patience=20)

    def test_by_sleep(self):
        self.redis("--idle-timeout=1h")
        self.rounds(lambda: self.scope.sockwake("sleep", "server"))

    def test_by_remove(self):
        self.redis("--idle-timeout=1h")

        def remove():
            self.scope.sockwake("remove", "server")
            self.assert_nothing_runs()
            self.scope.instance("server", PORT, 6379, "--idle-timeout=1h")

        self.rounds(remove)


class Storm(KilledCase):
    """Keepers are killed as soon as they start, while clients keep connecting."""

    SECONDS = 6

    def come_again(self, over):
        while not over.is_set():
            with contextlib.suppress(OSError):
                harness.exchange(PORT, b"PING\r\n")
            time.sleep(0.02)

    def test_makes_no_flood(self):
        self.redis("--idle-timeout=1h")
        self.wake()
        over = threading.Event()
        for _ in range(3):
            client = threading.Thread(target=self.come_again, args=(over,), daemon=True)
            self.addCleanup(client.join, 30)
            client.start()
        self.addCleanup(over.set)
        since, kills = time.time(), 0
        while time.time() - since < self.SECONDS:
            pid = self.keeper()
            with contextlib.suppress(ProcessLookupError):
                if pid > 0:
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
        took = time.time() - since
        lines = self.scope.unit_journal("server", since=since)
        self.assertGreater(kills, self.SECONDS / 2, "it begins again within the pause between two starts")
        self.assertLess(len(lines), LINES_A_SECOND * took, lines)
        self.assertEqual(self.scope.complaints("server", since), [])
        over.set()
        self.assertLess(self.assert_served(), test_keeper.PROMPT)
        self.assertEqual(self.scope.state("server.socket"), "active")
        self.scope.sockwake("sleep", "server")
        self.assert_nothing_runs()
