"""The proxy of an instance that is awake, looked at from outside: what it could still do if it were taken over."""

import os
import re

import harness
import servers

PORT = 8050
HELD = ("CapPrm", "CapEff", "CapBnd")  # what it can do, and the most it could get
PASSED_ON = ("CapInh", "CapAmb")
NONE = 0
NET_RAW = 1 << 13
SECCOMP_FILTER = "2"

# Nothing of it leads to a directory or to a file but the statistics, which it cannot write to.
DESCRIPTORS = re.compile(
    r"/dev/null|socket:\[\d+\]|pipe:\[\d+\]|pidfd:\[\d+\]|anon_inode:(\[eventpoll\]|\[signalfd\]|\[eventfd\]|\[pidfd\])"
    r"|(/run|/run/user/\d+)/sockwake/echo\.stats"
)


def status(path):
    with open(f"{path}/status") as file:
        return dict(re.findall(r"^(\w+):\t(.*)$", file.read(), re.MULTILINE))


class Confinement(harness.Case):
    def create(self, *options, publish=f"{PORT}:7"):
        """Returns the /proc directory of the proxy, with one connection open through it."""
        container = ("--network=none", *servers.PYTHON)
        self.scope.container("echo", *servers.echo(7), image=harness.BUSYBOX, options=container)
        self.scope.sockwake("create", "echo", "-p", publish, *options)
        self.open()
        return f"/proc/{self.scope.process('echo')}"

    def open(self):
        connection = harness.connect(PORT)
        self.addCleanup(connection.close)
        connection.sendall(b"x")
        self.assertEqual(connection.recv(1), b"x")

    def check(self, process, capabilities=NONE):
        with open(f"{process}/comm") as comm:
            self.assertEqual(comm.read(), "proxy\n")
        tasks = [f"{process}/task/{task}" for task in os.listdir(f"{process}/task")]
        for task in tasks:
            found = status(task)
            for name in HELD:
                self.assertEqual(int(found[name], 16), capabilities, name)
            for name in PASSED_ON:
                self.assertEqual(int(found[name], 16), NONE, name)
            self.assertEqual(found["NoNewPrivs"], "1")
            self.assertEqual(found["Seccomp"], SECCOMP_FILTER)
            uid = harness.pwd.getpwnam("sockwake").pw_uid if self.scope.is_system else self.scope.uid
            self.assertEqual(found["Uid"].split(), [str(uid)] * 4)
            self.assertNotEqual(found["Gid"].split()[0], "0")
            if self.scope.is_system:
                self.assertEqual(found["Groups"].split(), [])
        self.check_descriptors(process)
        return tasks

    def check_descriptors(self, process):
        for target, access in harness.descriptors(process.removeprefix("/proc/")).values():
            self.assertRegex(target.removesuffix(" (deleted)"), rf"\A({DESCRIPTORS.pattern})\Z")
            if target.startswith("/run"):
                self.assertEqual(access, os.O_RDONLY)

    def check_root(self, process):
        self.assertEqual(os.listdir(f"{process}/root"), [])
        self.assertNotEqual(os.stat(f"{process}/root").st_dev, os.stat("/").st_dev)
        with open(f"{process}/mountinfo") as mounts:
            [root] = mounts.read().splitlines()
        self.assertRegex(root, r" / / ro\S* .*- tmpfs ")

    def check_namespaces(self, process):
        container = f"/proc/{self.scope.container_pid('echo')}"
        own = {name: os.readlink(f"{process}/ns/{name}") for name in ("net", "user", "mnt")}
        self.assertEqual(own["net"], os.readlink(f"{container}/ns/net"))
        for name in ("user", "mnt"):
            self.assertNotIn(own[name], (os.readlink(f"/proc/1/ns/{name}"), os.readlink(f"{container}/ns/{name}")))

    def test_tcp(self):
        process = self.create()
        self.check(process)
        self.check_root(process)
        self.check_namespaces(process)
        self.assertEqual(os.readlink(f"{process}/cwd"), "/")

    def test_several_threads(self):
        process = self.create("--workers=3")
        self.assertEqual(len(self.check(process)), 3)
        self.check_root(process)

    def test_udp_beside_it(self):
        process = self.create("-p", f"{PORT}:7/udp")
        self.check(process)
        self.check_root(process)

    def test_unix_target(self):
        command = servers.unix_echo("SOCK_STREAM", "/tmp/echo")
        self.scope.container("echo", *command, image=harness.BUSYBOX, options=("--network=none", *servers.PYTHON))
        self.scope.sockwake("create", "echo", "-p", f"{PORT}:0", "--target=unix:/tmp/echo")
        self.open()
        process = f"/proc/{self.scope.process('echo')}"
        self.check(process)
        self.check_root(process)

    def test_transparent(self):
        """A user namespace of its own would take away what it needs: the file system is closed by Landlock."""
        process = self.create("--transparent")
        self.check(process, NET_RAW)
        self.assertEqual(os.readlink(f"{process}/cwd"), "/")
        self.assertEqual(os.readlink(f"{process}/ns/net"), os.readlink(f"/proc/{self.scope.container_pid('echo')}/ns/net"))


class ByHand(harness.Case):
    """nshelper(8) and the proxy without the activator, from a directory that the system user may not enter."""

    scopes = (harness.SYSTEM_DOCKER,)

    def test_from_a_directory_of_roots(self):
        libexec = "/usr/libexec/sockwake"
        self.scope.container("cache", "redis", options=("--network=none",))
        self.scope.engine_run("start", "cache")
        self.assertEqual(os.stat("/root").st_mode & 0o077, 0)
        listener = ("systemd-socket-activate", f"--listen=127.0.0.1:{PORT}")
        helper = (f"{libexec}/nshelper", "--pid", str(self.scope.container_pid("cache")), "--user=sockwake", "--")
        proxy = (f"{libexec}/proxy", f"--forward=127.0.0.1:{PORT}:6379", "--idle-timeout=1h")
        process = harness.spawn("env", "--chdir=/root", *listener, *helper, *proxy, stderr=harness.subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(harness.eventually(lambda: harness.redis(PORT, "ping")), "PONG")
