"""Whatever is killed, slow or away: unused instances sleep, and the next client is served.

One disturbance serves all cells (cells.py), which are in all situations at the same time."""

import contextlib
import os
import signal
import time

import cells
import fake_engine
import harness

ANY_RELEASE = True
PORT = 7400
FREEZE = 40  # seconds
LIMIT = 30  # --startup-timeout of the frozen ones


class Frozen(harness.Case):
    """An engine that is stopped for 40 s, at idle and at a start. For cells that meet it later it is 10 s or 1 s. Both
    scopes share the wait."""

    waits = True
    scopes = (harness.SYSTEM_DOCKER,)
    timeout = 240

    def test_engine(self):
        fleets = [self.fleet(scope, PORT + 100 * n) for n, scope in enumerate(harness.BOTH)]
        every = [cell for fleet in fleets for cell in fleet.cells]
        connections, clients = {}, {}
        cells.together(lambda cell: connections.__setitem__(cell, cell.connect()), self.of(every, "idle"))
        with contextlib.ExitStack() as stack:
            for fleet in fleets:
                stack.enter_context(cells.FrozenEngine(fleet.scope))
            thaw = time.monotonic() + FREEZE
            for seconds in (40, 10, 1):
                self.wait_until(thaw - seconds)
                for cell in self.of(every, f"idle{seconds}-"):
                    connections[cell].close()
                clients |= {cell: cells.Client(cell.port) for cell in self.of(every, f"wake{seconds}-")}
            self.wait_until(thaw)
        for cell, client in clients.items():
            with self.subTest(cell, scope=cell.scope):
                self.check(cell, client)
        for fleet in fleets:
            fleet.assert_well()

    def fleet(self, scope, port):
        self.addCleanup(scope.clean)
        fleet = cells.Fleet(self, port, scope)
        for situation in ("idle", "wake"):
            for seconds in (40, 10, 1):
                for mode in cells.modes(scope):
                    fleet.add(f"{situation}{seconds}-{mode}", mode)
        fleet.create()
        return fleet

    @staticmethod
    def of(every, beginning):
        return [cell for cell in every if cell.name.startswith(beginning)]

    @staticmethod
    def wait_until(when):
        time.sleep(max(0, when - time.monotonic()))

    def check(self, cell, client):
        outcome = client.result()
        self.assertLess(client.took, LIMIT + 2)
        # The manager starts a unit without the engine, whose word on it is needed only afterwards.
        if not cell.name.startswith("wake40"):
            self.assertEqual(outcome, cells.SERVED)
        elif outcome != cells.SERVED:
            self.assertEqual(outcome, cells.RESET)
            self.assertGreater(client.took, LIMIT - 2)


class EngineCase(harness.Case):
    """With a word to say about what the engine does."""

    timeout = 120

    def setUp(self):
        super().setUp()
        self.engine = fake_engine.FakeEngine(cells.engine_socket(self.scope))
        self.engine.__enter__()
        self.addCleanup(self.engine.__exit__)
        options = (f"--engine-socket={self.engine.path}",)
        self.fleet = cells.Fleet(self, PORT, idle_timeout="300ms", backend_options=options)
        # The fleet is taken away through the same socket.
        self.addCleanup(setattr, self.engine, "behaviour", fake_engine.faithful)

    def create(self, *situations, command=cells.ECHO, options=()):
        for situation in situations:
            for mode in cells.modes(self.scope):
                self.fleet.add(f"{situation}-{mode}", mode, *options, command=command)
        self.fleet.create()

    def of(self, situation):
        return [cell for cell in self.fleet.cells if cell.name.startswith(f"{situation}-")]

    def kill(self, situation, program, *words):
        for cell in self.of(situation):
            os.kill(cell.pid(program, *words), signal.SIGKILL)

    def assert_results(self, clients, expected):
        self.assertEqual({cell: client.result() for cell, client in clients.items()}, dict.fromkeys(clients, expected))


class SlowStart(EngineCase):
    """A start that outlasts --startup-timeout cannot be called off."""

    LIMIT = 4
    SECONDS = 9
    timeout = 240  # engines write to disks that may be busy

    def test_outlasts_the_time_limit(self):
        slow = f"{self.scope.runtime_directory}/slow-start"
        self.scope.run("touch", slow)
        self.addCleanup(self.scope.run, "rm", "-f", slow)
        self.fleet.unit_text = f"ExecStartPre=sh -c '[ ! -e {slow} ] || sleep {self.SECONDS}'"
        self.create("slow", options=(f"--startup-timeout={self.LIMIT}",))
        slowly = fake_engine.HoldingBack(b"/start", seconds=self.SECONDS)
        self.engine.behave(slowly)
        clients = {cell: cells.Client(cell.port) for cell in self.fleet.cells}
        for cell, client in clients.items():
            with self.subTest(cell):
                self.assertEqual(client.result(), cells.RESET)
                self.assertLess(client.took, self.LIMIT + 2)
        self.scope.run("rm", slow)
        self.engine.behaviour = fake_engine.faithful  # for those who come from now on
        self.assertGreaterEqual(slowly.asked, len(self.fleet.of_engine()))
        # What `with` has to start first comes first.
        harness.eventually(lambda: slowly.answered >= len(self.fleet.of_engine()), timeout=3 * self.SECONDS)
        for cell in self.fleet.of_manager():
            harness.eventually(lambda cell=cell: self.scope.state(cell.unit) != "activating")
        self.fleet.assert_well()


class Killed(EngineCase):
    """kill -9 of each of our processes, at each point of its life."""

    HOLD = 3  # seconds for which the engine, or the manager, does not do what it was asked for

    def test_while_it_wakes(self):
        """The engine has not yet carried out a start request; it will, whichever process has died meanwhile."""
        self.fleet.unit_text = f"ExecStartPre=sleep {self.HOLD}"
        self.create("keeper", "activator")
        slowly = fake_engine.HoldingBack(b"/start", seconds=self.HOLD)
        self.engine.behave(slowly)
        clients = {cell: cells.Client(cell.port) for cell in self.fleet.cells}
        self.when_asked(slowly, "activating")
        self.kill("keeper", "keeper")
        self.kill("activator", "activator", "--wake")
        # When a keeper dies, waiting clients depend on the manager, which starts the next one.
        self.assert_results({cell: clients[cell] for cell in self.of("keeper")}, cells.SERVED)
        self.assert_results({cell: clients[cell] for cell in self.of("activator")}, cells.RESET)
        self.fleet.assert_well()

    def when_asked(self, behaviour, state):
        harness.eventually(lambda: behaviour.asked >= len(self.fleet.of_engine()))
        for cell in self.fleet.of_manager():
            harness.eventually(lambda cell=cell: self.scope.state(cell.unit) == state)

    def test_while_the_server_starts_and_while_it_is_awake(self):
        self.create("keeper", "proxy", command=("sh", "-c", f"sleep 6; exec {' '.join(cells.ECHO)}"))
        clients = {cell: cells.Client(cell.port) for cell in self.fleet.cells}
        for cell in self.fleet.cells:
            cell.pid("proxy")
        self.kill("keeper", "keeper")
        self.kill("proxy", "proxy")
        self.assert_results(clients, cells.SERVED)
        with contextlib.ExitStack() as stack:
            for cell in self.fleet.cells:
                stack.enter_context(cell.connect())
            self.kill("keeper", "keeper")
            self.kill("proxy", "proxy")
            self.fleet.assert_served()
        self.fleet.assert_well()

    def test_while_it_falls_asleep(self):
        """The engine never gets their requests."""
        self.fleet.unit_text = f"ExecStop=sleep {self.HOLD}"
        self.create("keeper", "activator")
        never = fake_engine.HoldingBack(b"/stop", b"/pause")
        with contextlib.ExitStack() as stack:
            for cell in self.fleet.cells:
                stack.enter_context(cell.connect())
            self.engine.behave(never)
        self.when_asked(never, "deactivating")
        self.engine.behaviour = fake_engine.faithful
        self.kill("keeper", "keeper")
        self.kill("activator", "activator", "--sleep")
        self.fleet.assert_well()


class KilledAndThen(EngineCase):
    """The proxy is killed, and at once somebody says that it shall sleep. It does when they have their answer."""

    def test_told_to_sleep(self):
        commands = {
            "stop": lambda cell: self.scope.systemctl("stop", f"{cell.name}.service"),
            "sleep": lambda cell: self.scope.sockwake("sleep", cell.name),
            "remove": lambda cell: self.scope.sockwake("remove", cell.name),
        }
        self.create(*commands)
        connections = [cell.connect() for cell in self.fleet.cells]

        def kill_and_command(cell):
            os.kill(cell.pid("proxy"), signal.SIGKILL)
            commands[cell.name.partition("-")[0]](cell)

        cells.together(kill_and_command, self.fleet.cells)
        self.assertEqual(self.fleet.running(), set())
        for connection in connections:
            connection.close()
        self.fleet.cells = self.of("stop") + self.of("sleep")
        self.fleet.assert_well()
