"""What the bench measures: ways to have a sleeping PostgreSQL answer, and their floor: the engine and systemd alone.

Every subject has a container of its own and is brought back to sleep after each measurement, so that all of them can
take turns. A measurement is a dictionary; "seconds" is in each."""

import contextlib
import glob
import json
import os
import time

import clients
import harness
import phases

POSTGRES = 5432  # inside the containers
ASLEEP = {"stop": ("created", "exited", "configured", "stopped"), "pause": ("paused",)}


class Engine:
    """An engine's API. `options` are those every container of the bench is created with."""

    def __init__(self, scope, socket, containers, ping, options, service=None):
        self.scope = scope
        self.socket = socket
        self.containers = containers
        self.ping = ping
        self.options = options
        self.service = service  # what runs on demand only

    def post(self, container, action):
        clients.request(self.socket, "POST", f"{self.containers}/{container}/{action}")

    def inspect(self, container):
        return json.loads(clients.request(self.socket, "GET", f"{self.containers}/{container}/json"))["State"]

    def be_warm(self):
        clients.request(self.socket, "GET", self.ping)

    def be_cold(self):
        self.scope.systemctl("stop", self.service)


DOCKER = Engine(harness.SYSTEM_DOCKER, "/run/docker.sock", "/containers", "/_ping", ("--network=bridge",))
PODMAN = Engine(
    harness.USER_PODMAN,
    f"{harness.USER_PODMAN.runtime_directory}/podman/podman.sock",
    "/v4.0.0/libpod/containers",
    "/v4.0.0/libpod/_ping",
    ("--network=none",),
    "podman.service",
)


class Subject:
    name = None  # unique; also that of its container and units
    title = None  # for people

    def set_up(self):
        """Once, before the first round; leaves it asleep."""
        raise NotImplementedError

    def prepare(self):
        """What must be so when the clock starts."""

    def measure(self):
        """From sleep to the first answer."""
        raise NotImplementedError

    def sleep(self):
        """Back to sleep; returns when nothing of it goes on."""


# --- the floor


class Activation(Subject):
    """A service that does nothing but answer one byte, started by its socket."""

    def __init__(self, scope, port):
        self.scope = scope
        self.port = port
        self.name = f"bench-activation-{scope.user}"
        self.title = f"systemd alone, {'system' if scope.is_system else 'user'} manager"

    def set_up(self):
        program = "/usr/local/bin/bench-answer"
        harness.run("cc", "-O2", "-o", program, f"{os.path.dirname(__file__)}/answer.c")
        install(self.scope, f"{self.name}.service", f"[Service]\nExecStart={program}\n")
        install(self.scope, f"{self.name}.socket", f"[Socket]\nListenStream={self.port}\nNoDelay=yes\n")
        start_socket(self.scope, f"{self.name}.socket")

    def measure(self):
        began = time.monotonic()
        clients.first_byte(self.port)
        return {"seconds": time.monotonic() - began}

    def sleep(self):
        wait_for_inactive(self.scope, f"{self.name}.service")


class EngineAlone(Subject):
    """The engine's own time: from the request to start (or unpause) until a client inside the network namespace is
    answered. That client is there from the moment on in which the engine has answered."""

    def __init__(self, engine, action="stop", cold=False):
        self.engine = engine
        self.action = action
        self.cold = cold
        self.name = f"bench-alone-{engine.scope.engine}-{action}{'-cold' if cold else ''}"
        self.title = f"{engine.scope.engine.title()} alone, {described(action, cold)}"

    def set_up(self):
        create_container(self.engine, self.name, self.action)

    def prepare(self):
        self.engine.be_cold() if self.cold else self.engine.be_warm()

    def measure(self):
        began = time.monotonic()
        self.engine.post(self.name, "start" if self.action == "stop" else "unpause")
        requested = time.monotonic()
        with clients.network_of(self.engine.inspect(self.name)["Pid"]):
            session, _ = clients.until_answered(POSTGRES)
        answered = time.monotonic()
        session.close()
        return {"seconds": answered - began, "request": requested - began}

    def sleep(self):
        self.engine.post(self.name, self.action)


class QuadletAlone(Subject):
    """A Quadlet's own time: from the moment on in which systemd starts its unit until a client inside the network namespace
    is answered. That client is there as soon as the container's first process is."""

    name = "bench-alone-quadlet"
    title = "a Quadlet's unit alone, rootless Podman"
    scope = harness.USER_PODMAN
    service = f"{name}.service"

    def set_up(self):
        install_quadlet(self.scope, self.name)
        self.measure()
        self.sleep()

    def measure(self):
        self.scope.systemctl("start", "--no-block", self.service)
        with clients.network_of(harness.eventually(self.first_process, interval=0.0005)):
            session, _ = clients.until_answered(POSTGRES)
        answered = time.monotonic()
        session.close()
        return {"seconds": answered - int(self.scope.property(self.service, "InactiveExitTimestampMonotonic")) / 1e6}

    def first_process(self):
        app = f"user.slice/user-{self.scope.uid}.slice/user@{self.scope.uid}.service/app.slice"
        payload = glob.glob(f"/sys/fs/cgroup/{app}/{self.service}/libpod-payload-*/cgroup.procs")
        with open(payload[0] if payload else os.devnull) as procs:
            return next((int(line) for line in procs if is_server(int(line))), None)

    def sleep(self):
        self.scope.systemctl("stop", self.service)
        wait_for_inactive(self.scope, self.service)


# --- the recipes of others


class Wake(Subject):
    """A wake: from a client's connect() until it is answered. A client that is turned away tries again, as part of the
    same measurement; how often is "lost"."""

    scope = None
    port = None
    services = ()  # units to stop, in that order

    def measure(self):
        began = time.monotonic()
        session, lost = clients.until_answered(self.port)
        answered = time.monotonic()
        with contextlib.closing(session):
            return {"seconds": answered - began, "lost": lost, **self.observe(began, answered)}

    def observe(self, _began, _answered):
        """Looks at what is awake, its first client still connected."""
        return {}

    def sleep(self):
        for service in self.services:
            self.scope.systemctl("stop", service)
            wait_for_inactive(self.scope, service)


class OriginalWithDocker(Wake):
    """The three units that the original tool's README describes, with what its author's tool puts where the README is
    silent: `nc -z` on the published port every 0.1 s. Desktop notifications are off."""

    name = "bench-original"
    title = "the original's recipe, Docker"
    scope = harness.SYSTEM_DOCKER
    services = (f"{name}-proxy.service", f"{name}.service")

    def __init__(self, port, published_port):
        self.port = port
        self.published_port = published_port

    def set_up(self):
        publish = f"--publish=127.0.0.1:{self.published_port}:{POSTGRES}"
        self.scope.container(self.name, "postgres", options=(*DOCKER.options, publish))
        check = f"until nc -z 127.0.0.1 {self.published_port} 2>/dev/null; do sleep 0.1; done"
        command = f"docker start -a {self.name} & {check}; systemd-notify --ready; wait"
        install(self.scope, f"{self.name}.socket", f"""
[Socket]
ListenStream={self.port}
Service={self.name}-proxy.service
""")
        install(self.scope, f"{self.name}-proxy.service", f"""
[Unit]
Requires={self.name}.service
After={self.name}.service
[Service]
ExecStart=/usr/lib/systemd/systemd-socket-proxyd --exit-idle-time=15min 127.0.0.1:{self.published_port}
""")
        install(self.scope, f"{self.name}.service", f"""
[Unit]
StopWhenUnneeded=true
[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/bin/bash -c '{command}'
ExecStop=/usr/bin/docker stop {self.name}
TimeoutStartSec=30s
""")
        start_socket(self.scope, f"{self.name}.socket")


class LabWithPodman(Wake):
    """The networking lab's units: a Quadlet, and an activator that asks `podman inspect` for the PID, waits with
    pg_isready through `podman unshare nsenter` and execs systemd-socket-proxyd inside the namespace.

    Word for word but for: its bro-helper, which is not available (our own nshelper does that step); the image; no volume
    and no keep-id, both for the other image's sake; `Network=none`, as in all other rootless containers here; ss for
    netstat; and without PrivateTmp, ProtectHome, ProtectSystem, with which a user manager gives the unit a user namespace
    of its own, where podman fails."""

    name = "bench-lab"
    title = "the lab's recipe, rootless Podman"
    scope = harness.USER_PODMAN
    container_service = f"{name}.service"
    services = (f"{name}-activator.service", container_service)

    def __init__(self, port):
        self.port = port

    def set_up(self):
        quadlet = f"{self.scope.home}/.config/containers/systemd/{self.name}.container"
        write(self.scope, quadlet, f"""
[Container]
Image={harness.SERVERS}
ContainerName={self.name}
Network=none
[Service]
Restart=always
TimeoutStartSec=300
RestartSec=10s
""")
        activator = f"{self.name}-activator"
        helper = '/usr/libexec/sockwake/nshelper --pid'
        install(self.scope, f"{activator}.service", rf"""
[Unit]
Requires={activator}.socket
Requires={self.container_service}
After={activator}.socket {self.container_service}
[Service]
Type=simple
ExecStartPre=/usr/bin/env sh -c "/usr/bin/podman inspect -f 'TARGET_PID={{{{.State.Pid}}}}' {self.name} > %t/postgresql-proxyd.env"
EnvironmentFile=-%t/postgresql-proxyd.env
ExecStartPre=/usr/bin/env sh -c "{helper} ${{TARGET_PID}} -- ip -o addr"
ExecStartPre=/usr/bin/env sh -c "{helper} ${{TARGET_PID}} -- ss -tlpn"
ExecStartPre=/usr/bin/env sh -c "i=0; while [ $i -lt 20 ]; do \
  /usr/bin/podman unshare nsenter -t \"$TARGET_PID\" -n pg_isready -h 127.0.0.1 -p {POSTGRES} && exit 0; \
  i=$((i+1)); sleep 1; \
done; exit 1"
ExecStart=/usr/bin/env sh -c 'exec {helper} "${{TARGET_PID}}" -- /lib/systemd/systemd-socket-proxyd 127.0.0.1:{POSTGRES}'
NoNewPrivileges=no
Restart=on-failure
RestartSec=5s
""")
        install(self.scope, f"{activator}.socket", f"""
[Socket]
ListenStream={self.port}
NoDelay=true
ReusePort=true
Backlog=128
""")
        start_socket(self.scope, f"{activator}.socket")


# --- sockwake


class Sockwake(Wake):
    def __init__(self, engine, port, action="stop", cold=False):
        self.engine = engine
        self.scope = engine.scope
        self.port = port
        self.action = action
        self.cold = cold
        self.name = f"bench-sockwake-{engine.scope.engine}-{action}{'-cold' if cold else ''}"
        self.title = f"sockwake, {engine.scope.engine.title()}, {described(action, cold)}"
        self.services = (f"{self.name}.service",)

    def set_up(self):
        create_container(self.engine, self.name, self.action)
        publish = f"127.0.0.1:{self.port}:{POSTGRES}"
        self.scope.sockwake(
            *("create", self.name, "--publish", publish, "--container-name", self.name),
            *("--idle-timeout", "1h", "--idle-action", self.action, "--no-notifications"),
        )

    def prepare(self):
        self.engine.be_cold() if self.cold else self.engine.be_warm()

    def observe(self, began, answered):
        unit = self.unit()
        processes = settled_processes_of(unit["ControlGroup"])
        forked = int(unit["ExecMainStartTimestampMonotonic"]) / 1e6
        return {
            "phases": phases.divide(began, forked, self.statistics()["last_wake_ends"], answered),
            "processes": len(processes),
            "private_bytes": sum(map(private_memory, processes)),
        }

    def asleep(self):
        """What there is of sockwake while nobody is connected: to be called while it sleeps."""
        processes = processes_of(self.unit()["ControlGroup"])
        return {"processes": len(processes), "statistics_bytes": os.path.getsize(self.file())}

    def file(self):
        return f"{self.scope.runtime_directory}/sockwake/{self.name}.stats"

    def statistics(self):
        """Asked for, not read from the file: its layout is nobody's business but sockwake's."""
        return json.loads(self.scope.sockwake("status", "--json", self.name).stdout)["statistics"]

    def unit(self):
        properties = "ControlGroup,ExecMainStartTimestampMonotonic"
        lines = self.scope.systemctl("show", f"--property={properties}", self.services[0]).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)


class SockwakeQuadlet(Sockwake):
    """A Quadlet that sockwake starts and stops through its unit."""

    container_service = "bench-quadlet.service"

    def __init__(self, port):
        super().__init__(PODMAN, port)
        self.name = "bench-sockwake-quadlet"
        self.title = "sockwake, a Quadlet"
        self.services = (f"{self.name}.service", self.container_service)

    def set_up(self):
        install_quadlet(self.scope, "bench-quadlet")
        self.scope.sockwake(
            *("create", self.name, "--publish", f"127.0.0.1:{self.port}:{POSTGRES}", "--unit", self.container_service),
            *("--idle-timeout", "1h", "--no-notifications"),
        )

    def prepare(self):
        self.engine.be_cold()  # as it is for who comes once in a while: a Quadlet's wake does not need it


def processes_of(control_group):
    """The PIDs in a unit's control group."""
    try:
        with open(f"/sys/fs/cgroup{control_group}/cgroup.procs") as procs:
            return procs.read().split() if control_group else []
    except FileNotFoundError:
        return []  # systemd removes the group of a unit that does not run


def settled_processes_of(control_group):
    """Those that stay: without the activator, which ends when it has noted what it found."""

    def settled():
        processes = processes_of(control_group)
        return processes if processes and "activator" not in map(command_of, processes) else None

    return harness.eventually(settled)


def command_of(pid):
    with open(f"/proc/{pid}/comm") as comm:
        return comm.read().rstrip("\n")


def private_memory(pid):
    """Bytes that no other process shares (proc(5), smaps_rollup)."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Private_"))


# --- what they share


def described(action, cold=False):
    return ("from stopped" if action == "stop" else "from paused") + (", API service down" if cold else "")


def create_container(engine, name, action):
    """A container with PostgreSQL that has served once and sleeps now."""
    engine.scope.container(name, "postgres", options=engine.options)
    engine.post(name, "start")
    with clients.network_of(engine.inspect(name)["Pid"]):
        clients.until_answered(POSTGRES)[0].close()
    engine.post(name, action)
    harness.eventually(lambda: engine.inspect(name)["Status"] in ASLEEP[action])


def install_quadlet(scope, name):
    write(scope, f"{scope.home}/.config/containers/systemd/{name}.container", f"""
[Container]
Image={harness.SERVERS}
Exec=postgres
ContainerName={name}
Network=none
[Service]
Restart=always
""")
    scope.systemctl("daemon-reload")


def is_server(pid):
    """Has the container's process become the server? Before that it may be the runtime's."""
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith("/postgres")
    except OSError:
        return False


def write(scope, path, text):
    scope.run("mkdir", "-p", os.path.dirname(path))
    scope.run("tee", path, input=text)


def install(scope, unit, text):
    write(scope, f"{scope.unit_directory}/{unit}", text)


def start_socket(scope, unit):
    scope.systemctl("daemon-reload")
    scope.systemctl("start", unit)


def wait_for_inactive(scope, unit):
    """Waits, and has systemd forget how often the unit was started: its limit on starts is not what is measured."""
    harness.eventually(lambda: scope.state(unit) in ("inactive", "failed"), timeout=30)
    scope.systemctl("reset-failed", unit, check=False)
