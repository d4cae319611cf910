"""Containers that see the host's processes, and attack what enters them for sockwake: nshelper, the proxy, the shell of a
health check."""

import contextlib
import os
import shutil
import tempfile
import time

import harness
import servers

PORT = 7800
INNER = 7801
SECRET = "/home/wake/secret"  # of the owner, for nobody else's eyes
LIBEXEC = "/usr/libexec/sockwake"
VIEWS = {"--pid=host": "/proc", "--volume=/proc:/hp:ro": "/hp"}
CAPABILITIES = ((), ("--cap-add=SYS_PTRACE",))

# Looks for new processes of certain names, and tries on each whatever would do harm. Says SEEN once a process, GOT when
# something succeeded for the first time. Listens on a port after some seconds, if at all. It is the only process of its container.
ATTACK = """
import ctypes, os, socket, sys, threading, time

proc, port, delay, *names = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)

def serve():
    time.sleep(float(delay))
    with socket.create_server(("", int(port))) as listener:
        clients = []
        while True:
            clients.append(listener.accept()[0])
            clients[-1].sendall(b"hello")

def read(name):
    with open(f"{proc}/{pid}/{name}", "rb", 0) as file:
        return file.read(64)

def trace():
    if libc.ptrace(0x4206, int(pid), None, None) != 0:  # PTRACE_SEIZE
        raise OSError(ctypes.get_errno(), "ptrace")

attempts = {
    "secret": lambda: read("root%s"),
    "environment": lambda: read("environ"),
    "memory": lambda: os.close(os.open(f"{proc}/{pid}/mem", os.O_RDONLY)),
    "map": lambda: read("maps") or 1 / 0,
    "descriptors": lambda: os.readlink(f"{proc}/{pid}/fd/0"),
    "directory": lambda: os.listdir(f"{proc}/{pid}/cwd/"),
    "root": lambda: os.listdir(f"{proc}/{pid}/root/"),
}
tracing = {"trace": trace} if proc == "/proc" else {}

def attack(who, attempts=attempts):
    for what, attempt in attempts.items():
        try:
            attempt()
            if (what, comm, who) not in got:
                got.add((what, comm, who))
                print("GOT", what, "of", comm, "as", who, flush=True)
        except (OSError, ZeroDivisionError):
            pass

def attack_as_its_user():
    with open(f"{proc}/{pid}/status") as status:
        uid, gid = (int(line.split()[1]) for line in status if line[:4] in ("Uid:", "Gid:"))
    if os.fork() == 0: # whose end lets go of what it traces
        try:
            attack("root", tracing)
            os.setgid(gid)
            os.setuid(uid)
            attack(uid, {**attempts, **tracing})
        finally:
            os._exit(0)
    os.wait()

if int(port):
    threading.Thread(target=serve, daemon=True).start()
def name_of(pid):
    try:
        with open(f"{proc}/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""

# Whoever has started this container may be among them already, or become so.
known = {pid for pid in os.listdir(proc) if pid.isdigit() and name_of(pid) not in ("activator", *names)}
attacked, got = set(), set()
print("LOOKING", flush=True)
while True:
    time.sleep(0.0003)
    for pid in os.listdir(proc):
        if pid in known or not pid.isdigit():
            continue
        try:
            comm = name_of(pid)
            if comm not in names:
                continue
            attack("root")
            if (pid, comm) not in attacked:
                attacked.add((pid, comm))
                print("SEEN", comm, flush=True)
                attack_as_its_user()
        except OSError:
            pass
""" % SECRET


class Case(harness.Case):
    timeout = 120

    def setUp(self):
        super().setUp()
        with open(SECRET, "w") as file:
            file.write("secret")
        os.chmod(SECRET, 0o600)
        shutil.chown(SECRET, "wake", "wake")
        self.addCleanup(os.unlink, SECRET)

    def attacker(self, view, capabilities=(), port=0, delay=0, names=("nshelper", "proxy"), name="attacker"):
        command = servers.python(ATTACK, VIEWS[view], port, delay, *names)
        options = (*servers.PYTHON, view, *capabilities)
        self.scope.container(name, *command, image=harness.BUSYBOX, options=options)

    def said(self, name="attacker"):
        return self.scope.engine_run("logs", name).stdout.splitlines()

    def start_attacker(self, view, capabilities=(), **options):
        """Returns its PID when it looks for victims."""
        self.attacker(view, capabilities, **options)
        self.scope.engine_run("start", "attacker")
        harness.eventually(lambda: "LOOKING" in self.said())
        return self.scope.container_pid("attacker")

    def remove_attacker(self):
        self.scope.engine_run("rm", "--force", "attacker")

    @contextlib.contextmanager
    def each(self, view, capabilities):
        with self.subTest(" ".join((view, *capabilities))):
            try:
                yield
            finally:
                self.scope.sockwake("remove", "--all", check=False)
                self.scope.engine_run("rm", "--force", "attacker", check=False)

    def assert_denied(self, *seen):
        said = self.said()
        for comm in seen:
            self.assertIn(f"SEEN {comm}", said)
        self.assertEqual([line for line in said if line.startswith("GOT")], [])

    def enter(self, pid, *argv, libexec=LIBEXEC, options=("--unreachable",), check=False):
        become = ("--user", "sockwake") if self.scope.is_system else ()
        return self.scope.run(f"{libexec}/nshelper", "--pid", str(pid), *become, *options, "--", *argv, check=check)

    def await_nobody(self, pid, times=20, libexec=LIBEXEC, health_check="listen", **options):
        """The proxy waits inside for a server that never listens: as before READY."""
        proxy = (f"{libexec}/proxy", "--await", "9", "--startup-timeout", "100ms", "--health-check", health_check)
        for _ in range(times):
            result = self.enter(pid, *proxy, libexec=libexec, **options)
            self.assertEqual(result.returncode, 75, result.stderr)


class Reach(Case):
    any_release = True

    def test_an_instance_before_and_after_ready(self):
        for view in VIEWS:
            for capabilities in CAPABILITIES:
                if self.scope.is_system and capabilities:
                    continue  # it owns the host: docs/confinement.md
                with self.each(view, capabilities):
                    self.attacker(view, capabilities, port=INNER, delay=1)
                    self.scope.instance("attacker", PORT, INNER, "--drain-timeout=0")  # it never closes a connection
                    with harness.connect(PORT) as client:
                        self.assertEqual(client.recv(5), b"hello")
                        harness.eventually(lambda: "SEEN proxy" in self.said(), timeout=20)
                        time.sleep(0.5)
                        self.assert_denied("proxy")

    def test_an_instance_that_is_never_ready(self):
        for view in VIEWS:
            with self.each(view, ()):
                self.attacker(view)
                self.scope.instance("attacker", PORT, INNER, "--startup-timeout=2s")
                harness.eventually(self.is_seen_when_never_ready, timeout=30)
                self.assert_denied("proxy")

    def is_seen_when_never_ready(self):
        """A container that takes most of that time to start sees little of the proxy."""
        harness.refusal(PORT)
        seen = "SEEN proxy" in self.said()
        self.scope.sockwake("sleep", "attacker")
        return seen

    def test_many_entries(self):
        """Each is a race for the moments between the first setns and the exec, and around that."""
        for view in VIEWS:
            for capabilities in CAPABILITIES:
                if self.scope.is_system and capabilities:
                    continue
                with self.each(view, capabilities):
                    self.await_nobody(self.start_attacker(view, capabilities))
                    self.assert_denied("proxy")

    def test_the_attack_succeeds_where_the_proxy_can_be_read(self):
        """Of the tests themselves; and nshelper refuses just that."""
        with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
            os.chmod(directory, 0o755)
            for program in ("nshelper", "proxy"):
                shutil.copy(f"{LIBEXEC}/{program}", directory)
                os.chmod(f"{directory}/{program}", 0o755)
            for view in VIEWS:
                with self.each(view, ()):
                    pid = self.start_attacker(view)
                    result = self.enter(pid, f"{directory}/proxy", "--await", "9", libexec=directory)
                    self.assertEqual(result.returncode, 1)
                    self.assertIn("is readable", result.stderr)
                    self.assert_denied()
                    self.await_nobody(pid, libexec=directory, options=())
                    got = {line.split()[1] for line in self.said() if line.startswith("GOT")}
                    # In system scope it is another user's, who owns nothing; who may become that user traces it.
                    expected = {"memory", "root", "environment"} if self.scope.is_system else {"secret", "memory", "root"}
                    self.assertGreaterEqual(got, expected)


class Home(Case):
    """Programs in the user's own home."""

    any_release = True
    scopes = (harness.USER_PODMAN,)

    def setUp(self):
        super().setUp()
        self.libexec = f"{self.scope.home}/.local/libexec/sockwake"
        os.makedirs(self.libexec)
        self.addCleanup(shutil.rmtree, f"{self.scope.home}/.local/libexec")
        for program, mode in (("nshelper", 0o111), ("proxy", 0o111), ("activator", 0o755)):
            shutil.copy(f"{LIBEXEC}/{program}", self.libexec)
            os.chmod(f"{self.libexec}/{program}", mode)
            shutil.chown(f"{self.libexec}/{program}", "wake", "wake")

    def test_without_ptrace(self):
        for view in VIEWS:
            with self.each(view, ()):
                self.await_nobody(self.start_attacker(view), libexec=self.libexec)
                self.assert_denied("proxy")

    def activate(self):
        options = ("--name=attacker", "--backend=podman", "--container=attacker", "--startup-timeout=5s")
        return self.scope.run(f"{self.libexec}/activator", "--wake", *options, check=False)

    def test_with_ptrace_a_wake_is_refused(self):
        for view in VIEWS:
            with self.each(view, CAPABILITIES[1]):
                self.attacker(view, CAPABILITIES[1])
                result = self.activate()
                self.assertEqual((result.returncode, result.stdout), (75, ""))
                self.assertIn("CAP_SYS_PTRACE", result.stderr)
            with self.each(view, ()):
                self.attacker(view)
                self.assertEqual(self.activate().returncode, 0)


class Commands(Case):
    """A shell, and what it runs, is readable by all."""

    CHECK = "--health-check=sleep 0.2; false"

    def test_create_refuses(self):
        for view in VIEWS:
            with self.each(view, ()):
                self.attacker(view)
                result = self.scope.sockwake("create", "attacker", f"-p{PORT}:{INNER}", self.CHECK, check=False)
                self.assertEqual(result.returncode, 1)
                self.assertIn("sees the host's processes", result.stderr)
                self.assertFalse(os.path.exists(f"{self.scope.unit_directory}/attacker.socket"))
        self.scope.container("server", "redis")
        self.attacker("--pid=host")
        dependency = "--with=attacker:9:test -e /x"
        result = self.scope.sockwake("create", "server", f"-p{PORT}:6379", dependency, check=False)
        self.assertIn("sees the host's processes", result.stderr)

    def test_a_wake_refuses(self):
        """The container is another one by then."""
        for view in VIEWS:
            with self.each(view, ()):
                self.scope.container("attacker", "redis")
                self.scope.instance("attacker", PORT, INNER, self.CHECK, "--startup-timeout=5s")
                self.remove_attacker()
                since = time.time()
                self.attacker(view, names=("nshelper", "proxy", "sh"))
                self.assertLess(harness.refusal(PORT), 5)
                complaint = harness.eventually(lambda: "".join(self.scope.complaints("attacker", since)))
                self.assertIn("sees the host's processes", complaint)
                self.assert_denied()

    def test_others_keep_their_commands(self):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, "--health-check=redis-cli -p {container_port} ping | grep PONG")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
