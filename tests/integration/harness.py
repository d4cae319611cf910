"""The base of integration tests. They run as root inside a lab (tests/integration/lab), one process for all of them.

    import harness

    class Wake(harness.Case):
        def test_a_connection_wakes_the_container(self):
            self.scope.container("db", "postgres")
            self.scope.sockwake("create", "db", "-p", "5432:5432", "--container-name", "db")
            self.assertEqual(harness.psql(5432, "select 1"), "1")

Every class runs once a scope: for root with Docker and for the user `wake` with rootless Podman, unless its `scopes`
say otherwise. After each test the instances and containers of the lab's users are gone; a skipped test is a failed one.
"""

import asyncio
import contextlib
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import struct
import subprocess
import time
import unittest
from http.client import HTTPConnection, HTTPException

SERVERS = "localhost/servers"  # postgres, redis, nginx: the first argument selects one
BUSYBOX = "localhost/busybox"
OUTSIDE = ("198.51.100.2", "2001:db8::2")  # the second machine's addresses: see `outside`
INSIDE = ("198.51.100.1", "2001:db8::1")  # the lab's, seen from there
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


THOROUGH = os.environ.get("SOCKWAKE_TEST_THOROUGH") == "1"  # larger numbers, slower


# --- files


@contextlib.contextmanager
def missing(path):
    """Hides this file for a while."""
    os.rename(path, f"{path}.away")
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}.away", path)


# --- time


class TimedOut(BaseException):
    """A test took longer than its class's `timeout`. No `except Exception` of a test may catch it."""


@contextlib.contextmanager
def time_limit(seconds):
    def expire(_signal, _frame):
        raise TimedOut(f"not done after {seconds} s")

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def eventually(condition, timeout=10, interval=None):
    """Calls `condition` until it returns something true, and returns that. Until then assertions, OSErrors and failing
    commands are ignored; after `timeout` seconds the last one is raised. Without an `interval` the pause grows with
    the time passed and with the duration of a call: most conditions run a command, and others need the processor,
    too."""
    began = time.monotonic()
    deadline = began + timeout
    while True:
        failure = None
        called = time.monotonic()
        try:
            value = condition()
            if value:
                return value
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            failure = error
        now = time.monotonic()
        if now >= deadline:
            raise AssertionError(f"not within {timeout} s: {failure or value!r}") from failure
        pause = max(min(0.02 + (now - began) / 20, 0.2), min(2 * (now - called), 0.3))
        time.sleep(pause if interval is None else interval)


# --- commands


class Failed(AssertionError):
    """A command that a test relies on failed; shows its output."""


def freeze(pid):
    """Sends SIGSTOP, and returns once all threads of the process have stopped."""

    def states():
        for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
            with contextlib.suppress(OSError):  # it has ended
                yield stat.read_text().rpartition(")")[2].split()[0]

    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: set(states()) == {"T"})


def descriptors(pid):
    """What the descriptors of a process are, and with which access (os.O_ACCMODE). Those that it closes meanwhile are left
    out."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            flags = pathlib.Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
            access = int(re.search(r"^flags:\s+(\d+)", flags, re.MULTILINE)[1], 8) & os.O_ACCMODE
            found[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}"), access
    return found


def run(*argv, user="root", check=True, input=None, timeout=60, **options):
    """Runs a command as `user`, in that user's session. Returns its CompletedProcess, with text in stdout, stderr."""
    result = subprocess.run(
        [*become(user), *argv],
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        **session(user),
        **options,
    )
    if check and result.returncode != 0:
        raise Failed(f"{' '.join(argv)}: exit status {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def spawn(*argv, user="root", **options):
    """Starts a command as `user`; the Popen object is the caller's to end."""
    return subprocess.Popen([*become(user), *argv], text=True, **session(user), **options)


def outside(*argv, **options):
    """Runs a command on the second machine, whose packets reach the lab from OUTSIDE and find it at INSIDE."""
    return run("ip", "netns", "exec", "outside", *argv, **options)


def session(user):
    """The arguments of subprocess for a command of `user`, as after a login."""
    account = pwd.getpwnam(user)
    environment = {
        "USER": user,
        "LOGNAME": user,
        "HOME": account.pw_dir,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "PATH": PATH,
        "GOGC": "off",  # an engine's command is too short for garbage collection
        "GOMAXPROCS": "1",  # and for threads
    }
    if account.pw_uid == 0:
        return {"env": environment, "cwd": "/"}
    environment["XDG_RUNTIME_DIR"] = f"/run/user/{account.pw_uid}"
    environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path=/run/user/{account.pw_uid}/bus"
    return {"env": environment, "cwd": account.pw_dir}


def become(user):
    """The words before a command that make it one of `user`, in the right control group: a user manager can only move
    processes in its own part of the tree."""
    account = pwd.getpwnam(user)
    uid, gid = account.pw_uid, account.pw_gid
    if uid == 0:
        return ()
    groups = ",".join(map(str, os.getgrouplist(user, gid)))
    group = f"/sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/app.slice/lab-exec"
    return ("/usr/local/libexec/become", str(uid), str(gid), groups, group)


# --- clients


def connect(port, host="127.0.0.1", timeout=20):
    """A connected TCP socket."""
    return socket.create_connection((host, port), timeout)


def read_all(connection):
    """Returns all data until the peer closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def exchange(port, request, host="127.0.0.1", timeout=20):
    """Sends `request`, closes that half, returns all that comes back."""
    with connect(port, host, timeout) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def refusal(port, host="127.0.0.1", timeout=20):
    """Connects, and waits for a reset without any data. Returns the seconds from connect to reset."""
    began = time.monotonic()
    try:
        with connect(port, host, timeout) as connection:
            answer = connection.recv(1)
    except ConnectionResetError:
        return time.monotonic() - began
    raise AssertionError(f"not reset, but answered {answer!r}")


def crowd(port, clients, request=b"PING\r\n", host="127.0.0.1", timeout=30):
    """Runs many clients at once: each connects, sends `request` and waits for one answer. Returns their answers, bytes
    or the exception."""

    async def one():
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(request)
            return await reader.read(65536)
        finally:
            writer.close()

    async def all_of_them():
        tasks = (asyncio.wait_for(one(), timeout) for _ in range(clients))
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(all_of_them())


def psql(port, sql, host="127.0.0.1", **options):
    return run(
        "psql", "--no-psqlrc", "-tA", "-h", host, "-p", str(port), "-U", "postgres", "-c", sql, **options
    ).stdout.strip()


def redis(port, *command, host="127.0.0.1", **options):
    return run("redis-cli", "-h", host, "-p", str(port), *command, **options).stdout.strip()


def http(port, path="/", host="127.0.0.1", **options):
    return run("curl", "--silent", "--show-error", "--fail", f"http://{host}:{port}{path}", **options).stdout


# --- service managers


def ask_manager(path, target, interface, method, *arguments):
    """Calls a method, whose arguments are strings, of the manager that listens at `path`; returns its reply's body. Tests
    do so thousands of times, and systemctl takes as long as a small test. Raises OSError if there is no such reply."""
    fields = [(b"\1\1o\0", target), (b"\2\1s\0", interface), (b"\3\1s\0", method)]
    header = b""
    for name, value in fields:
        header += bytes(-len(header) % 8) + name + marshalled(value)
    if arguments:
        header += bytes(-len(header) % 8) + b"\x08\1g\0" + bytes([len(arguments)]) + b"s" * len(arguments) + b"\0"
    body = marshalled(*arguments)
    call = b"l\1\0\1" + struct.pack("<III", len(body), 1, len(header)) + header + bytes(-len(header) % 8) + body
    with socket.socket(socket.AF_UNIX) as manager, manager.makefile("rb") as stream:
        manager.settimeout(60)
        manager.connect(path)
        manager.sendall(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n")
        stream.readline()
        manager.sendall(call)
        while True:  # a manager also sends signals
            kind, body_length, header_length = struct.unpack("<xB2xI4xI", exactly(stream, 16))
            message = exactly(stream, header_length + -header_length % 8 + body_length)
            if kind == 3:
                raise OSError(f"{method}{arguments}: an error is the answer")
            if kind == 2:
                return message[len(message) - body_length :]


def active_state(path, unit):
    """Returns what `systemctl is-active` prints."""
    letters = (c if c.isascii() and c.isalnum() and (n or not c.isdigit()) else f"_{ord(c):02x}" for n, c in enumerate(unit))
    target = "/org/freedesktop/systemd1/unit/" + "".join(letters)
    arguments = ("org.freedesktop.systemd1.Unit", "ActiveState")
    body = ask_manager(path, target, "org.freedesktop.DBus.Properties", "Get", *arguments)
    return body[8:-1].decode()  # after a variant's signature and its length


def marshalled(*texts):
    """Strings of D-Bus, one after another."""
    data = b""
    for text in texts:
        data += bytes(-len(data) % 4) + struct.pack("<I", len(text)) + text.encode() + b"\0"
    return data


def exactly(stream, length):
    data = stream.read(length)
    if len(data) != length:
        raise ConnectionResetError("the manager has hung up")
    return data


# --- engines


class EngineConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, timeout):
        super().__init__("engine", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


# --- who acts, and on which engine


class Scope:
    """A user, the service manager and the engine that belong together."""

    def __init__(self, user, engine):
        self.user = user
        self.engine = engine
        self.is_system = user == "root"
        self.uid = pwd.getpwnam(user).pw_uid
        self.home = pwd.getpwnam(user).pw_dir
        self.unit_directory = "/etc/systemd/system" if self.is_system else f"{self.home}/.config/systemd/user"
        self.runtime_directory = "/run" if self.is_system else f"/run/user/{self.uid}"
        self.manager = f"{self.runtime_directory}/systemd/private"
        self.api = f"{self.runtime_directory}/{'podman/podman' if engine == 'podman' else 'docker'}.sock"

    def __str__(self):
        return f"{'system' if self.is_system else 'user'}-{self.engine}"

    def run(self, *argv, **options):
        return run(*argv, user=self.user, **options)

    def spawn(self, *argv, **options):
        return spawn(*argv, user=self.user, **options)

    def sockwake(self, *argv, **options):
        return self.run("sockwake", *argv, **options)

    def systemctl(self, *argv, **options):
        return self.run("systemctl", *([] if self.is_system else ["--user"]), *argv, **options)

    def state(self, unit):
        """active, inactive, failed, activating, deactivating."""
        try:
            return active_state(self.manager, unit)
        except OSError:
            return self.systemctl("is-active", unit, check=False).stdout.strip()

    def journal(self, *matches, since=None):
        """The messages of the journal, oldest first, of this user's manager, with all that was logged before this; `matches`
        as for journalctl, `since` in seconds since the epoch."""
        run("journalctl", "--sync")
        argv = ["journalctl", *([] if self.is_system else ["--user"]), "--no-pager", "--output=cat", *matches]
        return self.run(*argv, *([] if since is None else [f"--since=@{since}"])).stdout

    def instance(self, name, port, container_port, *options, container=None):
        """Creates an instance, by default for the container of the same name."""
        publish = f"{port}:{container_port}"
        return self.sockwake("create", name, "-p", publish, "--container-name", container or name, *options)

    def unit_journal(self, name, *matches, since=None):
        """The journal of NAME.service, from its programs and its manager."""
        unit = "--unit" if self.is_system else "--user-unit"
        return self.journal(f"{unit}={name}.service", *matches, since=since).splitlines()

    def complaints(self, name, since=None):
        """The error messages of our programs about an instance."""
        return self.unit_journal(name, "--priority=err", "--identifier=sockwake", since=since)

    def property(self, unit, name):
        """A property of a unit, as systemctl(1) shows it."""
        return self.systemctl("show", "--value", f"--property={name}", unit).stdout.strip()

    def process(self, name, program="proxy"):
        """The PID of one of an instance's processes: keeper, activator, nshelper or proxy; 0 when it does not run."""
        group = self.property(f"{name}.service", "ControlGroup")
        try:
            with open(f"/sys/fs/cgroup{group}/cgroup.procs") as processes:
                for pid in processes.read().split():
                    with open(f"/proc/{pid}/comm") as comm:
                        if comm.read() == f"{program}\n":
                            return int(pid)
        except OSError:
            pass
        return 0

    def fall_asleep(self, name):
        """Waits until an instance sleeps: its service and the stop commands have ended."""
        eventually(lambda: self.state(f"{name}.service") in ("inactive", "failed"), timeout=30)

    def prepare(self):
        """Makes the engine ready for a test class."""

    def engine_run(self, *argv, **options):
        return self.run(self.engine, *argv, **options)

    def container(self, name, *command, image=SERVERS, options=()):
        """Creates a container and leaves it stopped. Rootless ones have no network of their own making unless asked."""
        if not self.is_system and not any(option.startswith("--net") for option in options):
            options = ("--network=none", *options)
        return self.engine_run("create", "--pull=never", "--name", name, *options, image, *command).stdout.strip()

    def ask_engine(self, method, path):
        """A request to the engine's own API, which costs the processor a tenth of a command. Returns the status and the
        body. Raises OSError if the engine does not answer: some tests forbid it that; its command may still do."""
        prefix = "/v4.0.0/libpod" if self.engine == "podman" else ""
        with contextlib.closing(EngineConnection(self.api, timeout=5)) as connection:
            try:
                connection.request(method, prefix + path)
                response = connection.getresponse()
                return response.status, response.read()
            except HTTPException as error:
                raise OSError(f"the engine breaks off: {error!r}") from error

    def inspect(self, name):
        """What the engine knows of a container; None if there is none of that name."""
        with contextlib.suppress(OSError):
            status, body = self.ask_engine("GET", f"/containers/{name}/json")
            if status in (200, 404):
                return json.loads(body) if status == 200 else None
        inspected = self.engine_run("inspect", "--type=container", name, check=False)
        return json.loads(inspected.stdout)[0] if inspected.returncode == 0 else None

    def container_state(self, name):
        """created, running, paused, exited; "" if there is none of that name."""
        inspected = self.inspect(name)
        return inspected["State"]["Status"] if inspected else ""

    def container_pid(self, name):
        inspected = self.inspect(name)
        if not inspected:
            raise Failed(f"there is no container {name}")
        return inspected["State"]["Pid"]

    def clean(self):
        """Removes what a test may have left: instances, then containers, then failed states."""
        if os.path.exists("/usr/bin/sockwake"):
            self.sockwake("remove", "--all", check=False)
        eventually(self.remove_containers, timeout=30)
        manager = "org.freedesktop.systemd1.Manager"
        eventually(lambda: ask_manager(self.manager, "/org/freedesktop/systemd1", manager, "ResetFailed") == b"")

    def remove_containers(self):
        """Repeats until none is left: if a container ends just now, its unit or its engine may remove it before we do."""
        try:
            return self.remove_by_api()
        except OSError:
            return self.remove_by_command()

    def remove_by_api(self):
        """Is none left? Raises OSError if the engine does not answer, or does not remove one."""
        status, body = self.ask_engine("GET", "/containers/json?all=true")
        if status != 200:
            raise OSError(f"it answers {status}")
        containers = json.loads(body)
        for container in containers:
            status, _ = self.ask_engine("DELETE", f"/containers/{container['Id']}?force=true&timeout=0")
            if status not in (200, 204, 404):
                raise OSError(f"it answers {status}")  # one that others depend on
        return not containers

    def remove_by_command(self):
        if self.engine == "podman":
            self.engine_run("rm", "--force", "--all")
        containers = self.engine_run("ps", "--all", "--quiet").stdout.split()
        if containers:
            self.engine_run("rm", "--force", *containers)
        return not containers


class RootlessDocker(Scope):
    """Starts for the first test that needs it: few do, and its images load slowly."""

    def engine_run(self, *argv, **options):
        return self.run("docker", "--host", f"unix://{self.runtime_directory}/docker.sock", *argv, **options)

    def prepare(self):
        if self.state("docker.service") == "active":
            return
        self.systemctl("start", "docker.service")
        for name in ("servers", "busybox"):
            if not self.engine_run("images", "--quiet", f"localhost/{name}").stdout:
                self.engine_run("load", "--quiet", "--input", f"/images/{name}.tar")


SYSTEM_DOCKER = Scope("root", "docker")
SYSTEM_PODMAN = Scope("root", "podman")
USER_PODMAN = Scope("wake", "podman")
USER_DOCKER = RootlessDocker("wake", "docker")
BOTH = (SYSTEM_DOCKER, USER_PODMAN)
ROOTS_PODMAN = (SYSTEM_PODMAN,)  # as any_release: the user's is tested on each release
ALL = (SYSTEM_DOCKER, SYSTEM_PODMAN, USER_PODMAN, USER_DOCKER)


class Case(unittest.TestCase):
    """A test class, run once for each scope in `scopes`. `timeout` is in seconds, for each test."""

    scopes = BOTH
    scope = None  # set by the runner
    timeout = 60
    any_release = False  # it tests only our programs and the kernel: one release is enough; or the scopes that it is for
    waits = False  # it waits for most of a minute or more: other labs should use the processor meanwhile

    @classmethod
    def setUpClass(cls):
        cls.scope.prepare()

    def setUp(self):
        self.addCleanup(self.scope.clean)
        self.started = time.time()

    def run(self, result=None):
        """As in unittest, within the time limit."""

        def limited(method):
            with time_limit(self.timeout):
                method()

        self._callTestMethod = limited
        return super().run(result)


class RebootCase(Case):
    """A test across a reboot of the lab: `before_reboot` runs first, for every scope; after the reboot the tests do.
    The preparations of all such classes exist at the same time, and stay."""

    def setUp(self):
        self.started = time.time()

    def before_reboot(self):
        raise NotImplementedError
