"""Many instances at once, each in a different situation, so that one disturbance tests them all. A cell is a way to
sleep (MODES) with an echo server."""

import collections
import contextlib
import os
import shlex
import signal
import threading
import time

import harness
import servers

HAS_QUADLET = os.path.exists("/usr/lib/systemd/system-generators/podman-system-generator")
LIBEXEC = "/usr/libexec/sockwake"
SERVER_PORT = 9000
ECHO = ("nc", "-ll", "-p", str(SERVER_PORT), "-e", "cat")

MODES = {
    "stop": (),
    "pause": ("--idle-action=pause",),
    "keep": ("--keep-running",),  # for containers that ran before; these did not
    "unit": (),
    "with": (),
}


def modes(scope):
    """Rootless `podman run` of Podman 4.3 leaves its unit's control group, and does not work in a unit."""
    return [mode for mode in MODES if mode != "unit" or scope.is_system or HAS_QUADLET]


class Client(threading.Thread):
    """Sends a word and waits for it, or for a reset. `took`: seconds, None while it waits."""

    def __init__(self, port, timeout=45):
        super().__init__(daemon=True)
        self.port = port
        self.timeout = timeout
        self.outcome = self.took = None
        self.start()

    def run(self):
        began = time.monotonic()
        try:
            self.outcome = harness.exchange(self.port, b"hello\n", timeout=self.timeout)
        except OSError as error:
            self.outcome = type(error)
        self.took = time.monotonic() - began

    def result(self):
        self.join(self.timeout + 5)
        return self.outcome


SERVED = b"hello\n"
RESET = ConnectionResetError


class Cell:
    """The containers and the sleeping instance NAME. `definition`: further lines of its unit, in mode `unit`."""

    def __init__(self, fleet, name, mode, port, options, command):
        self.fleet, self.scope = fleet, fleet.scope
        self.name, self.mode, self.port = name, mode, port
        self.options = (f"--idle-timeout={fleet.idle_timeout}", *MODES[mode], *options)
        self.command = command
        self.unit = f"{name}-unit.service"

    def __repr__(self):
        return self.name

    def define(self):
        """Makes what the instance needs."""
        if self.mode == "unit":
            return self.fleet.write_unit(self)
        if self.mode == "with":
            self.busybox(f"{self.name}-dep", "sleep", "1000")
        self.busybox(self.name, *self.command)

    def busybox(self, name, *command):
        options = ("--network=none", *servers.STOP_AT_ONCE)
        self.scope.container(name, *command, image=harness.BUSYBOX, options=options)

    def create(self):
        publish = ("-p", f"{self.port}:{SERVER_PORT}", "--name", self.name, "--backend", self.scope.engine)
        where = ("--container-name", self.name)
        if self.mode == "unit":
            where = (*where, "--unit", self.unit)
        if self.mode == "with":
            where = (*where, "--with", f"{self.name}-dep")
        self.scope.sockwake("create", *publish, *where, *self.options)

    def connect(self):
        """A served connection, which keeps the cell awake."""
        connection = harness.connect(self.port)
        connection.sendall(b"x")
        assert connection.recv(1) == b"x", self
        return connection

    def pids(self, program, *words):
        """Our processes of this cell: keeper, proxy, or activator with --wake or --sleep."""
        found = []
        for pid in self.group():
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    argv = file.read().decode(errors="replace").split("\0")
                if os.path.basename(argv[0]) == program and all(word in argv for word in words):
                    found.append(pid)
        return found

    def group(self):
        path = self.scope.property(f"{self.name}.service", "ControlGroup")
        with contextlib.suppress(OSError), open(f"/sys/fs/cgroup{path}/cgroup.procs") as file:
            return [int(pid) for pid in file.read().split()] if path else []
        return []

    def pid(self, program, *words):
        [pid] = harness.eventually(lambda: self.pids(program, *words))
        return pid


class Fleet:
    """The cells of a test. It removes them itself, all at once."""

    def __init__(self, test, port, scope=None, idle_timeout="200ms", backend_options=()):
        self.test, self.scope = test, scope or test.scope
        self.port = port
        self.idle_timeout = idle_timeout
        self.options = tuple(backend_options)
        self.cells = []
        self.units = []
        self.unit_text = ""  # further lines in [Service] of every unit
        test.addCleanup(self.remove)

    def add(self, name, mode, *options, command=ECHO):
        cell = Cell(self, name, mode, self.port + len(self.cells), (*self.options, *options), command)
        self.cells.append(cell)
        return cell

    def of_engine(self):
        return [cell for cell in self.cells if cell.mode != "unit"]

    def of_manager(self):
        """Those that somebody else than the engine starts and stops."""
        return [cell for cell in self.cells if cell.mode == "unit"]

    def create(self):
        if self.scope.engine == "podman":
            self.scope.systemctl("start", "podman.socket")
        together(Cell.define, self.cells)
        if self.units:
            self.scope.systemctl("daemon-reload")
        together(Cell.create, self.cells)

    def write_unit(self, cell):
        if self.scope.engine == "podman":
            directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
            path = f"{directory}/{cell.name}-unit.container"
            text = f"""
[Unit]
DefaultDependencies=no
[Container]
Image={harness.BUSYBOX}
Pull=never
ContainerName={cell.name}
Network=none
StopSignal=KILL
Exec={shlex.join(cell.command)}
[Service]
{self.unit_text}
"""
        else:
            path = f"{self.scope.unit_directory}/{cell.name}-unit.service"
            run = f"docker run --rm --network none --pull=never --stop-signal KILL --name {cell.name}"
            text = f"""
[Service]
ExecStartPre=-docker rm --force {cell.name}
ExecStart={run} {harness.BUSYBOX} {shlex.join(cell.command)}
ExecStop=docker stop {cell.name}
{self.unit_text}
"""
        self.units.append((path, cell.unit))
        self.scope.run("mkdir", "-p", os.path.dirname(path))
        self.scope.run("tee", path, input=text)

    def remove(self):
        self.scope.sockwake("remove", "--all", check=False, timeout=120)
        if not self.units:
            return
        self.scope.systemctl("stop", *(unit for _, unit in self.units), check=False, timeout=120)
        self.scope.run("rm", "-f", *(path for path, _ in self.units))
        self.scope.systemctl("daemon-reload")

    # --- what must hold

    def running(self):
        """The running containers, without paused ones."""
        return set(self.scope.engine_run("ps", "--filter=status=running", "--format={{.Names}}").stdout.split())

    def assert_nothing_runs(self, timeout=60):
        """Neither a container nor a process of ours runs."""

        def asleep():
            self.test.assertEqual(self.running(), set())
            self.test.assertEqual(self.awake(), {})
            return True

        try:
            harness.eventually(asleep, timeout, interval=0.2)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; {self.stories(self.running() | set(self.awake()))}") from failure

    def awake(self):
        """The state of each instance that does not sleep."""
        names = [cell.name for cell in self.cells]
        states = self.scope.systemctl("is-active", *(f"{name}.service" for name in names), check=False).stdout.split()
        return {name: state for name, state in zip(names, states) if state not in ("inactive", "failed")}

    def stories(self, names, lines=12):
        """The end of the journal of each."""
        return {name: self.scope.unit_journal(name)[-lines:] for name in names}

    def assert_served(self, within=30):
        """All are served, at the first try."""
        clients = {cell.name: Client(cell.port) for cell in self.cells}
        self.test.assertEqual({name: client.result() for name, client in clients.items()}, dict.fromkeys(clients, SERVED))
        self.test.assertLess(max(client.took for client in clients.values()), within)

    def assert_well(self):
        """Nothing is left running, the next clients are served, and it sleeps again."""
        self.assert_nothing_runs()
        self.assert_served()
        self.assert_nothing_runs()


def together(call, arguments, at_once=4):
    """Calls it for each argument, some at a time, and raises the first exception."""
    arguments = collections.deque(arguments)
    failures = []

    def work():
        while not failures:
            try:
                argument = arguments.popleft()
            except IndexError:
                return
            try:
                call(argument)
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class FrozenEngine:
    """Stops the engine's process until the end, or until thaw(); its containers run."""

    def __init__(self, scope):
        self.scope = scope

    def __enter__(self):
        if self.scope.engine == "podman":  # Podman starts at the first request
            url = ("--unix-socket", engine_socket(self.scope), "http://d/_ping")
            self.scope.run("curl", "--silent", "--show-error", *url)
        self.pid = int(self.scope.property(f"{self.scope.engine}.service", "MainPID"))
        assert self.pid > 0
        harness.freeze(self.pid)
        return self

    def thaw(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)

    def __exit__(self, *_):
        self.thaw()


def engine_socket(scope):
    return "/run/docker.sock" if scope.engine == "docker" else f"{scope.runtime_directory}/podman/podman.sock"

