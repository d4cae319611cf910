"""No client waits longer than --startup-timeout and two seconds, whatever the state of the instance: by then it is
answered or reset; a datagram is answered or dropped. With `infinity` all wait."""

import os
import signal
import socket
import time

import cells
import harness
import servers

ANY_RELEASE = True
PORT = 7600
LIMIT = 3  # --startup-timeout, in seconds
LONG = 12  # how long an instance is busy: long enough for clients to connect, be reset, and reconnect
FOREVER = "--startup-timeout=infinity"


class WaitingCase(harness.Case):
    timeout = 120

    def fleet(self, *options):
        return cells.Fleet(self, PORT, backend_options=(f"--startup-timeout={LIMIT}", *options))

    def assert_reset_in_time(self, clients):
        for client in clients:
            self.assertEqual(client.result(), cells.RESET, client)
            self.assertLess(client.took, LIMIT + 2, client)

    def assert_served(self, clients):
        self.assertEqual([client.result() for client in clients], [cells.SERVED] * len(clients))

    def check_busy(self, patient, others, over):
        """Clients of all these cells connect, wait and are reset, except those of `patient`. Then the same with
        clients that connect at different times. `over` ends the cause of the wait, or waits for its end: clients that
        still wait are served."""
        forever = [cells.Client(cell.port) for cell in patient]
        older = [cells.Client(cell.port) for cell in others]
        time.sleep(LIMIT / 2)
        younger = [cells.Client(cell.port) for cell in others]
        self.assert_reset_in_time(older)
        self.assertEqual([client.outcome for client in younger], [None] * len(younger), "they have time left")
        self.assert_reset_in_time(younger)
        waiting = [cells.Client(cell.port) for cell in others]
        over()
        self.assert_served(waiting + forever)


class Engine(WaitingCase):
    """The engine is stopped."""

    waits = True

    def create(self):
        fleet = self.fleet()
        others = [fleet.add(f"limit-{mode}", mode) for mode in cells.modes(self.scope) if mode != "unit"]
        patient = [fleet.add("forever", "stop", FOREVER)]
        fleet.create()
        return fleet, others, patient

    def test_at_sleep(self):
        fleet, others, patient = self.create()
        connections = [cell.connect() for cell in fleet.cells]
        with cells.FrozenEngine(self.scope) as engine:
            for connection in connections:
                connection.close()
            for cell in fleet.cells:
                cell.pid("activator", "--sleep")
            self.check_busy(patient, others, engine.thaw)
        fleet.assert_well()

    def test_at_a_wake(self):
        fleet, others, patient = self.create()
        with cells.FrozenEngine(self.scope) as engine:
            self.check_busy(patient, others, engine.thaw)
        fleet.assert_well()

    def test_at_sleep_without_a_keeper(self):
        fleet, others, patient = self.create()
        connections = [cell.connect() for cell in fleet.cells]
        with cells.FrozenEngine(self.scope) as engine:
            for cell in fleet.cells:
                os.kill(cell.pid("keeper"), signal.SIGKILL)
            for cell in fleet.cells:  # a client that a proxy still accepts is cut off with it
                harness.eventually(lambda cell=cell: not cell.pids("proxy"))
            for connection in connections:
                connection.close()
            self.check_busy(patient, others, engine.thaw)
        fleet.assert_well()


class Container(WaitingCase):
    """The container takes its time."""

    waits = True

    def test_slow_to_stop(self):
        """One ignores the signal until the engine kills it; one obeys it slowly."""
        ignores = ("sh", "-c", f"trap '' TERM; {' '.join(cells.ECHO)}")
        heeds = ("sh", "-c", f"trap 'sleep {LONG}; exit' TERM; {' '.join(cells.ECHO)} & while :; do wait; done")
        self.scope.container("ignores", *ignores, image=harness.BUSYBOX, options=(f"--stop-timeout={LONG}",))
        self.scope.container("heeds", *heeds, image=harness.BUSYBOX, options=(f"--stop-timeout={10 * LONG}",))
        self.scope.container("patient", *heeds, image=harness.BUSYBOX, options=(f"--stop-timeout={10 * LONG}",))
        ports = {name: PORT + n for n, name in enumerate(("ignores", "heeds", "patient"))}
        for name, port in ports.items():
            limit = FOREVER if name == "patient" else f"--startup-timeout={LIMIT}"
            self.scope.instance(name, port, cells.SERVER_PORT, "--idle-timeout=200ms", limit)
        self.assert_served([cells.Client(port) for port in ports.values()])
        for name in ports:
            harness.eventually(lambda name=name: self.scope.state(f"{name}.service") == "deactivating")
        began = time.monotonic()
        forever = cells.Client(ports.pop("patient"))
        first = [cells.Client(port) for port in ports.values()]
        self.assert_reset_in_time(first)
        while time.monotonic() - began < LONG - 2 * LIMIT:
            self.assert_reset_in_time([cells.Client(port) for port in ports.values()])
        # The container runs again in time for a client that connects shortly before it has ended.
        time.sleep(max(0, began + LONG - 0.3 - time.monotonic()))
        self.assert_served([*(cells.Client(port) for port in ports.values()), forever])
        for name in ("ignores", "heeds", "patient"):
            self.scope.engine_run("kill", name)

    def test_full_backlog(self):
        """A server that does not accept: a connection to it is neither made nor refused."""
        options = ("--network=none", *servers.PYTHON)
        self.scope.container("full", *servers.full(cells.SERVER_PORT), image=harness.BUSYBOX, options=options)
        # Readiness is that of the first port. A client that comes before the backlog is full waits in it for ever.
        ports = ("-p", f"{PORT + 1}:{cells.SERVER_PORT + 1}", "-p", f"{PORT}:{cells.SERVER_PORT}")
        self.scope.sockwake("create", "full", *ports, f"--startup-timeout={LIMIT}")
        for _ in range(2):
            self.assert_reset_in_time([cells.Client(PORT) for _ in range(3)])

    def test_backlog_that_is_full_later(self):
        options = ("--network=none", *servers.PYTHON)
        command = servers.full(cells.SERVER_PORT, first=1)
        self.scope.container("full", *command, image=harness.BUSYBOX, options=options)
        self.scope.instance("full", PORT, cells.SERVER_PORT, f"--startup-timeout={LIMIT}")
        with harness.connect(PORT) as connection:
            self.assertEqual(connection.recv(64), b"welcome\n")
            self.assert_reset_in_time([cells.Client(PORT) for _ in range(3)])
            connection.sendall(b"x")
            self.assertEqual(connection.recv(64), b"x")


class Unit(WaitingCase):
    """A foreign unit makes them wait."""

    waits = True
    scopes = tuple(scope for scope in harness.BOTH if "unit" in cells.modes(scope))

    def create(self, text):
        fleet = self.fleet()
        fleet.unit_text = text
        others = [fleet.add("limit", "unit")]
        patient = [fleet.add("forever", "unit", FOREVER)]
        fleet.create()
        return fleet, others, patient

    def test_fails(self):
        fleet, others, _ = self.create("ExecStartPre=false\nRestart=always\nRestartSec=100ms")
        for _ in range(3):
            self.assert_reset_in_time([cells.Client(cell.port) for cell in others * 2])
        fleet.assert_nothing_runs()

    def test_fails_and_takes_its_time(self):
        fleet, others, _ = self.create(f"ExecStartPre=false\nExecStopPost=sleep {LONG}")
        for _ in range(2):
            self.assert_reset_in_time([cells.Client(cell.port) for cell in others * 2])
        fleet.assert_nothing_runs()

    def test_stops_slowly(self):
        fleet, others, patient = self.create(f"ExecStopPost=sleep {LONG}")
        self.assert_served([cells.Client(cell.port) for cell in fleet.cells])
        for cell in fleet.cells:
            harness.eventually(lambda cell=cell: self.scope.state(cell.unit) == "deactivating")
        forever = [cells.Client(cell.port) for cell in patient]
        self.assert_reset_in_time([cells.Client(cell.port) for cell in others])
        self.assert_reset_in_time([cells.Client(cell.port) for cell in others])
        self.assert_served(forever)

    def test_starts_slowly(self):
        fleet, others, patient = self.create(f"ExecStartPre=sleep {LONG}")
        forever = [cells.Client(cell.port) for cell in patient]
        self.assert_reset_in_time([cells.Client(cell.port) for cell in others])
        self.assert_reset_in_time([cells.Client(cell.port) for cell in others])
        self.assert_served(forever)
        fleet.assert_nothing_runs()


class Datagrams(WaitingCase):
    """No client can be told that its datagram has waited too long."""

    waits = True

    def setUp(self):
        super().setUp()
        options = ("--network=none", *servers.PYTHON)
        self.scope.container("server", *servers.echo(7), image=harness.BUSYBOX, options=options)
        limit = (f"--startup-timeout={LIMIT}", "--idle-timeout=500ms")
        self.scope.sockwake("create", "server", "-p", f"{PORT}:7/udp", "-p", f"{PORT}:7", *limit)

    def client(self):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        sock.settimeout(0.5)
        return sock

    def ask(self, sock, data):
        sock.sendto(data, ("127.0.0.1", PORT))
        return sock.recv(64).partition(b" ")[2] == data

    def test_older_ones_wake_nobody(self):
        with cells.FrozenEngine(self.scope) as engine:
            old = self.client()
            old.sendto(b"old", ("127.0.0.1", PORT))
            # The TCP clients show when the time of earlier ones is over.
            self.assert_reset_in_time([cells.Client(PORT)])
            engine.thaw()
            self.scope.fall_asleep("server")
        self.assertEqual(self.scope.state("server.socket"), "active")
        with self.assertRaises(TimeoutError):
            old.recv(64)
        self.assertTrue(harness.eventually(lambda: self.ask(self.client(), b"new")))

    def test_answered_or_dropped_at_sleep(self):
        self.assertTrue(harness.eventually(lambda: self.ask(self.client(), b"first")))
        with harness.connect(PORT) as connection, cells.FrozenEngine(self.scope) as engine:
            connection.close()
            harness.eventually(lambda: self.scope.state("server.service") == "deactivating")
            old = self.client()
            old.sendto(b"old", ("127.0.0.1", PORT))
            self.assert_reset_in_time([cells.Client(PORT)])
            engine.thaw()
        self.scope.fall_asleep("server")
        with self.assertRaises(TimeoutError):
            old.recv(64)
        self.assertTrue(harness.eventually(lambda: self.ask(self.client(), b"new")))
