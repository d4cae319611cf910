"""nshelper on its own: into the networks that real engines make, from real units, and nothing left afterwards."""

import os
import re
import signal

import harness

NSHELPER = "/usr/libexec/sockwake/nshelper"
NO_CAPABILITIES = "0" * 16
ONLY_NET_RAW = f"{1 << 13:016x}"
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")

# What confines the units of both scopes, and those of system scope (units/render.c).
PROPERTIES = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictNamespaces=net user mnt",
    "SystemCallArchitectures=native",
    "SystemCallErrorNumber=EPERM",
    "SystemCallFilter=@system-service @mount seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self",
)
SYSTEM_PROPERTIES = (
    "CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_NET_ADMIN CAP_NET_RAW",
    "ProtectSystem=strict",
    "ProtectProc=invisible",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "PrivateTmp=yes",
)

PODMAN = tuple(int(n) for n in re.findall(r"\d+", harness.run("podman", "--version").stdout))
REMAPPED = ("--uidmap=0:300000:65536", "--gidmap=0:300000:65536")  # as --userns=auto, without subuid(5)
NETWORKS = {
    "system-docker": (("--network=none",), ("--network=bridge",), ("--network=host",)),
    "system-podman": (("--network=none",), ("--network=host",), ("--network=none", *REMAPPED)),
    "user-podman": (
        ("--network=none",),
        *([("--network=pasta",)] if PODMAN >= (4, 4) else []),
        ("--network=slirp4netns",),
        ("--network=nshelper",),
        ("--network=host",),
        ("--network=none", "--userns=keep-id"),
        ("--network=nshelper", "--userns=keep-id"),
        ("--network=none", "--userns=auto"),
        ("--network=none", "--userns=nomap"),
    ),
    "user-docker": (("--network=none",), ("--network=bridge",)),
}


class Case(harness.Case):
    scopes = harness.ALL

    def start(self, options):
        """A running container whose web server answers on 127.0.0.1; returns its PID."""
        scope = self.scope
        if "--network=nshelper" in options and not self.network_exists():
            scope.engine_run("network", "create", "nshelper")
        serve = "echo hello from inside >/dev/shm/index.html; exec busybox httpd -f -p 127.0.0.1:8181 -h /dev/shm"
        options = ("--stop-signal=KILL", *options)
        scope.container("inner", "busybox", "sh", "-c", serve, image=harness.BUSYBOX, options=options)
        scope.engine_run("start", "inner")
        return scope.container_pid("inner")

    def network_exists(self):
        return self.scope.engine_run("network", "inspect", "nshelper", check=False).returncode == 0

    def in_unit(self, *argv, check=True, properties=()):
        """Runs a command as a transient unit of the scope's own manager, confined like our units are."""
        manager = [] if self.scope.is_system else ["--user"]
        properties = (*properties, *PROPERTIES, *(SYSTEM_PROPERTIES if self.scope.is_system else ()))
        options = ("--quiet", "--wait", "--pipe", "--collect", *(f"--property={p}" for p in properties))
        return self.scope.run("systemd-run", *manager, *options, *argv, check=check)

    def nshelper(self, pid, *argv, **options):
        become = ("--user", "nobody") if self.scope.is_system else ()
        return self.in_unit(NSHELPER, "--pid", str(pid), *become, *argv, **options)

    def each_network(self):
        """PID and options of one container after the other; together they would need too many numbers for users."""
        for options in NETWORKS[str(self.scope)]:
            yield self.start(options), options
            self.scope.engine_run("rm", "--force", "inner")


def namespace(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


def families(pid):
    """Of addresses: two, or one where the engine switched IPv6 off."""
    path = "/proc/sys/net/ipv6/conf/lo/disable_ipv6"
    return 2 - int(harness.run("nsenter", f"--net=/proc/{pid}/ns/net", "cat", path).stdout)


class Networks(Case):
    """Every kind of network is entered, from a unit, and the command has no privilege there."""

    timeout = 180

    def test_entered_without_privileges(self):
        for pid, options in self.each_network():
            with self.subTest(" ".join(options)):
                found = self.nshelper(pid, "--", "sh", "-c", "readlink /proc/self/ns/net; cat /proc/self/status").stdout
                self.assertEqual(found.splitlines()[0], namespace(pid))
                status = dict(re.findall(r"^(\w+):\t(.*)$", found, re.MULTILINE))
                self.assertEqual(status["NoNewPrivs"], "1")
                for name in SETS:
                    if name == "CapBnd" and "--network=host" in options and not self.scope.is_system:
                        continue  # an ordinary user who enters nothing cannot drop it
                    self.assertEqual(status[name], NO_CAPABILITIES, name)
                if self.scope.is_system:
                    self.assertEqual(status["Uid"].split(), ["65534"] * 4)

    def test_transparent_in_every_network_but_the_hosts(self):
        for pid, options in self.each_network():
            with self.subTest(" ".join(options)):
                if "--network=host" in options:
                    refused = self.nshelper(pid, "--transparent", "--", "true", check=False)
                    self.assertEqual(refused.returncode, 1)
                    self.assertIn("routes of the host", refused.stderr)
                else:
                    self.check_transparent(pid)

    def check_transparent(self, pid):
        show = "ip rule; ip -6 rule; cat /proc/sys/net/ipv4/tcp_fwmark_accept; grep Cap /proc/self/status"
        for _ in range(2):
            found = self.nshelper(pid, "--transparent", "--", "sh", "-c", show).stdout
        self.assertEqual(found.count("fwmark 0x50c4e7 lookup 5293287"), families(pid), found)
        self.assertIn("\n1\n", found)
        for name in SETS:
            self.assertIn(f"{name}:\t{ONLY_NET_RAW}", found)

    def test_the_containers_root(self):
        show = "cat /proc/self/fd/$SOCKWAKE_ROOT_FD/dev/shm/index.html"
        for pid, options in self.each_network():
            with self.subTest(" ".join(options)):
                found = harness.eventually(
                    lambda pid=pid: self.nshelper(pid, "--container-root", "--", "sh", "-c", show).stdout
                )
                self.assertEqual(found, "hello from inside\n")


class Refusals(Case):
    """A container that is gone, or came back as another process, is never entered."""

    def test_restarted_container(self):
        pid = self.start(("--network=none",))
        self.scope.engine_run("restart", "--time=0", "inner")
        self.assertNotEqual(self.scope.container_pid("inner"), pid)
        refused = self.nshelper(pid, "--", "true", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is not running", refused.stderr)

    def test_another_users_container(self):
        pid = self.start(("--network=none",))
        refused = harness.run(NSHELPER, "--pid", str(pid), "--", "true", user="other", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("belongs to another user", refused.stderr)


class UserNamespaceOfTheUnit(Case):
    """From a user namespace of the unit's own no way leads into the container's; the reason says what to take out."""

    scopes = (harness.USER_PODMAN,)

    def test_refused_with_the_reason(self):
        pid = self.start(("--network=none",))
        refused = self.in_unit(NSHELPER, "--pid", str(pid), "--", "true", check=False, properties=("PrivateUsers=yes",))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("take out PrivateTmp=", refused.stderr)


class SocketProxyd(Case):
    """The unit that people have for such a helper, with systemd's own proxy."""

    scopes = harness.BOTH

    def setUp(self):
        super().setUp()
        self.addCleanup(self.remove_units)

    def write(self, name, text):
        path = f"{self.scope.unit_directory}/{name}"
        self.scope.run("mkdir", "-p", self.scope.unit_directory)
        self.scope.run("tee", path, input=text)

    def install(self):
        """The units of nshelper(8), "EXAMPLES"."""
        engine = self.scope.engine
        self.write("entered.socket", "[Socket]\nListenStream=127.0.0.1:8282\n")
        self.write(
            "entered.service",
            "[Service]\n"
            f"""ExecStartPre=/bin/sh -c "{engine} inspect -f 'TARGET_PID={{{{.State.Pid}}}}' inner > %t/entered.env"\n"""
            "EnvironmentFile=-%t/entered.env\n"
            f"ExecStart={NSHELPER} --pid ${{TARGET_PID}} -- /lib/systemd/systemd-socket-proxyd 127.0.0.1:8181\n"
            "Restart=on-failure\n"
            "RestartPreventExitStatus=75\n",
        )
        self.scope.systemctl("daemon-reload")
        self.scope.systemctl("start", "entered.socket")

    def remove_units(self):
        self.scope.systemctl("stop", "entered.socket", "entered.service", check=False)
        for name in ("entered.socket", "entered.service"):
            self.scope.run("rm", "-f", f"{self.scope.unit_directory}/{name}")
        self.scope.run("rm", "-f", f"{self.scope.runtime_directory}/entered.env")
        self.scope.systemctl("daemon-reload")
        self.scope.systemctl("reset-failed", check=False)

    def test_connections_are_served(self):
        self.start(("--network=none",))
        self.install()
        found = harness.eventually(lambda: harness.http(8282, "/index.html"))
        self.assertEqual(found, "hello from inside\n")
        self.assertEqual(harness.http(8282, "/index.html"), "hello from inside\n")

    def test_clients_are_refused_when_the_container_does_not_run(self):
        os.kill(self.start(("--network=none",)), signal.SIGKILL)
        harness.eventually(lambda: self.scope.container_state("inner") == "exited")
        self.install()
        self.assertLess(harness.refusal(8282), 5)
        harness.eventually(lambda: self.scope.property("entered.service", "ExecMainStatus") == "75")
        self.assertEqual(self.scope.property("entered.service", "NRestarts"), "0")
        # Once it runs, the next connection is served: nothing has locked itself out.
        self.scope.engine_run("start", "inner")
        self.assertEqual(harness.eventually(lambda: harness.http(8282, "/index.html")), "hello from inside\n")
