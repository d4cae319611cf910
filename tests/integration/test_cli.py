"""The commands: the checks of `create` before any change; output and effects of the others."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time

import harness
import servers

PORT = 7400
NOTE = "sockwake: note: "


def states(scope, *options):
    """The instances of `list --json` by name."""
    return {item["name"]: item for item in json.loads(scope.sockwake("list", "--json", *options).stdout)}


def listens(port, host="127.0.0.1"):
    with contextlib.suppress(ConnectionRefusedError), harness.connect(port, host):
        return True
    return False


class CliCase(harness.Case):
    """With a container `server` in which Redis would run."""

    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis")

    def traces(self):
        """All parts of instances: files, links, units in the manager, sockets in the kernel. The lock of the commands
        is left out."""
        found = []
        for top in (self.scope.unit_directory, f"{self.scope.runtime_directory}/sockwake"):
            found += [os.path.join(path, name) for path, _, names in os.walk(top) for name in names]
        found = [path for path in found if not path.endswith("units.lock")]
        units = self.scope.systemctl("list-units", "--all", "--full", "--plain", "--no-legend", "server*", "other*")
        found += [line.split()[0] for line in units.stdout.splitlines()]
        return sorted(found)

    def hopeless_path(self):
        """Passes the checks; only the service manager finds that the address cannot be bound."""
        link = f"{self.scope.runtime_directory}/leads-nowhere"
        self.scope.run("ln", "-s", "/no/such/directory", link)
        self.addCleanup(self.scope.run, "rm", link)
        return f"{link}/cli-test.sock"

    def assert_sentence(self, stderr, *words):
        """One sentence, not counting notes."""
        lines = [line for line in stderr.splitlines() if not line.startswith(NOTE)]
        self.assertEqual(len(lines), 1, stderr)
        self.assertTrue(lines[0].startswith("sockwake: "), stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def refused(self, *argv, words, status=1):
        """The command fails with a sentence with these words, and changes nothing."""
        before = self.traces()
        result = self.scope.sockwake(*argv, check=False)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        self.assert_sentence(result.stderr, *words)
        self.assertEqual(self.traces(), before)

    def notes(self, *argv):
        """The notes of a successful command, without those on pruning (test_pruning.py)."""
        lines = [line for line in self.scope.sockwake(*argv).stderr.splitlines() if "Pruning" not in line]
        self.assertTrue(all(line.startswith(NOTE) for line in lines), lines)
        return [line.removeprefix(NOTE) for line in lines]

    def write(self, path, text):
        """A file of the scope's user, removed after the test."""
        self.scope.run("sh", "-c", 'mkdir -p "${1%/*}" && cat >"$1"', "write", path, input=text)
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(os.unlink, path)

    @contextlib.contextmanager
    def engine_down(self):
        units = [f"{self.scope.engine}.{kind}" for kind in ("socket", "service")]
        self.scope.systemctl("stop", *units)
        try:
            yield
        finally:
            self.scope.systemctl("start", units[0])

    def assert_served(self, port=PORT):
        self.assertEqual(harness.redis(port, "ping"), "PONG")

    def assert_ended(self, connection):
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(connection.recv(64), b"")


class Checks(CliCase):
    """`create` refuses bad requests, and leaves nothing behind."""

    any_release = True

    def refuse(self, *options, words, name="server"):
        self.refused("create", name, *options, words=words)

    def test_container_missing(self):
        self.refuse(f"-p{PORT}:6379", "--container-name=nobody", words=("'nobody'", f"{self.scope.engine} create"))

    def test_container_that_would_be_gone_after_its_first_sleep(self):
        self.scope.container("other", "redis", options=("--rm",))
        options = (f"-p{PORT}:6379", "--container-name=other")
        self.refuse(*options, words=("'other'", "--rm", "--idle-action pause"))
        self.scope.sockwake("create", "server", *options, "--idle-action=pause")

    def test_instance_exists(self):
        self.scope.instance("server", PORT, 6379)
        self.refuse(f"-p{PORT + 1}:6379", words=("'server'", "--force"))

    def test_port_of_a_foreign_process(self):
        manager = () if self.scope.is_system else ("--user",)
        self.scope.run("systemd-run", *manager, "--unit=holder", "nc", "-lk", str(PORT))
        self.addCleanup(self.scope.systemctl, "stop", "holder.service")
        harness.eventually(lambda: listens(PORT))
        holder = f"nc (PID {self.scope.property('holder.service', 'MainPID')}) of holder.service"
        for address in ("", "127.0.0.1:", "0.0.0.0:"):
            self.refuse(f"-p{address}{PORT}:6379", words=(f"TCP port {PORT} ", holder))
        self.scope.sockwake("create", "server", "-p", f"{PORT}:53/udp")

    def test_port_of_somebody_else(self):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as holder:
            holder.bind(("::", PORT))
            self.refuse(f"-p{PORT}:53/udp", words=(f"UDP port {PORT} ",))
        with socket.create_server(("127.0.0.2", PORT)):
            self.refuse(f"-p127.0.0.2:{PORT}:6379", words=(f"TCP port {PORT} ",))
            self.scope.sockwake("create", "server", "-p", f"127.0.0.1:{PORT}:6379")

    def test_port_of_another_instance(self):
        self.scope.container("other", "redis")
        self.scope.sockwake("create", "other", "-p", f"127.0.0.1:{PORT}:6379", "-p", f"{PORT + 1}:6379")
        for wanted in (PORT, f"127.0.0.1:{PORT}", f"[::1]:{PORT + 1}"):
            self.refuse(f"-p{wanted}:6379", words=("'other'", str(PORT)[:3]))
        self.assert_served()  # while awake, too
        self.refuse(f"-p{PORT}:6379", words=("'other'", str(PORT)))
        self.scope.sockwake("create", "server", "-p", f"127.0.0.2:{PORT}:6379")

    def test_port_twice(self):
        self.refused("create", "server", f"-p{PORT}:6379", f"-p127.0.0.1:{PORT}:6379", words=(str(PORT),), status=2)

    def test_path_in_use(self):
        path = f"{self.scope.runtime_directory}/cli-test.sock"
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        with open(path, "w"):
            self.refuse(f"-p{path}:6379", words=(f"'{path}'", "not a socket"))
        os.unlink(path)
        with socket.socket(socket.AF_UNIX) as holder:
            holder.bind(path)
            os.chmod(path, 0o666)
            holder.listen()
            self.refuse(f"-p{path}:6379", words=(f"'{path}'", "listens"))
        os.unlink(path)
        self.scope.sockwake("create", "server", "-p", f"{path}:6379")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"PING\r\n")
            self.assertEqual(client.recv(64), b"+PONG\r\n")

    def test_names_that_the_manager_knows(self):
        runtime = f"{self.scope.runtime_directory}/systemd/{'system' if self.scope.is_system else 'user'}"
        self.write(f"{runtime}/elsewhere.service", "[Service]\nExecStart=/bin/true\n")  # as a generator's
        self.scope.systemctl("daemon-reload")
        for name, unit in (("podman", "/podman.socket"), ("dbus", "/dbus."), ("elsewhere", f"{runtime}/elsewhere.service")):
            for force in ((), ("--force",)):
                options = (f"-p{PORT}:6379", "--container-name=server", *force)
                self.refuse(*options, name=name, words=(unit, "another name"))

    def test_names_of_foreign_files(self):
        path = f"{self.scope.unit_directory}/theirs.service"
        self.write(path, "[Service]\nExecStart=/bin/true\n")
        for force in ((), ("--force",)):
            options = (f"-p{PORT}:6379", "--container-name=server", *force)
            self.refuse(*options, name="theirs", words=(path,))
        with open(path) as file:
            self.assertEqual(file.read(), "[Service]\nExecStart=/bin/true\n")

    def test_masked_name(self):
        self.scope.systemctl("mask", "hidden.service")
        self.addCleanup(self.scope.systemctl, "unmask", "hidden.service")
        self.refuse(f"-p{PORT}:6379", "--container-name=server", "--force", name="hidden", words=("hidden.service",))

    def test_published_port(self):
        network = () if self.scope.is_system else ("--network=podman",)
        self.scope.container("other", "redis", options=(*network, f"--publish={PORT}:6379"))
        for address in ("", "127.0.0.1:"):
            words = ("'other'", f"port {PORT} ")
            self.refuse(f"-p{address}{PORT}:6379", "--container-name=other", words=words)

        guess, own = self.notes("create", "guess", f"-p{PORT + 1}:{PORT}", "--container-name=other")
        self.assertIn("use -p …:6379", guess)
        self.assertIn(f"publishes port {PORT} itself: who connects there neither wakes it nor keeps it awake", own)
        self.scope.sockwake("remove", "guess")

        # The original's --container-port was a host port.
        original = ("--name", "server", "--container-name", "other", "--container-port", str(PORT))
        translation, _ = self.notes("create", *original, "--listen-port", str(PORT + 1))
        self.assertIn("6379", translation)
        self.assertEqual(states(self.scope)["server"]["container_port"], 6379)
        self.assertEqual(states(self.scope)["server"]["health_check"], "redis")
        self.assert_served(PORT + 1)

    def test_restart_policy(self):
        self.scope.container("other", "redis", options=("--restart=always",))
        [note] = self.notes("create", "other", "-p", f"{PORT}:6379")
        self.assertIn("'always'", note)

    def test_failed_start_of_the_socket(self):
        self.refuse(f"-p{self.hopeless_path()}:6379", words=("server.socket",))

    def test_groups(self):
        path = f"{self.scope.runtime_directory}/cli-test.sock"
        self.refuse(f"-p{path}:6379", "--socket-group=nobodys", words=("there is no group 'nobodys'", "getent group"))
        if not self.scope.is_system:
            self.refuse(f"-p{path}:6379", "--socket-group=1", words=("not in the group '1'",))
            self.refuse(f"-p{path}:6379", "--socket-group=root", words=("not in the group 'root'",))

    def test_places_of_sockets(self):
        directory = "/proc" if self.scope.is_system else "/usr"
        words = ("server.socket",) if self.scope.is_system else (f"'{directory}' (Permission denied)",)
        self.refuse(f"-p{directory}/no/such/x.sock:6379", words=words)


class UserChecks(CliCase):
    """Failures that only an ordinary user sees."""

    scopes = (harness.USER_PODMAN,)
    any_release = True

    def test_port_of_an_instance_of_the_system(self):
        harness.run("docker", "create", "--name", "other", harness.BUSYBOX, "true")
        self.addCleanup(harness.run, "docker", "rm", "other")
        harness.run("sockwake", "create", "other", "-p", f"{PORT}:1")
        self.addCleanup(harness.run, "sockwake", "remove", "other")
        self.refused("create", "server", f"-p{PORT}:6379", words=("other.socket, of the instance 'other' of the system",))

    def test_port_of_an_instance_of_a_user(self):
        """Root sees that process, but does not know its units."""
        self.scope.sockwake("create", "server", "-p", f"{PORT}:6379")
        harness.run("docker", "create", "--name", "other", harness.BUSYBOX, "true")
        self.addCleanup(harness.run, "docker", "rm", "other")
        refused = harness.run("sockwake", "create", "other", "-p", f"{PORT}:1", check=False)
        self.assertIn("a socket unit of the user 'wake' (to whom 'systemctl --user list-sockets' shows which)", refused.stderr)
        shown = self.scope.run("systemctl", "--user", "list-sockets").stdout
        self.assertIn(f":{PORT} ", shown)

    def test_privileged_port(self):
        self.refused("create", "server", "-p80:6379", words=("port 80", "1024", "ip_unprivileged_port_start"))

    def test_lingering_off(self):
        lingering = f"/var/lib/systemd/linger/{self.scope.user}"
        os.rename(lingering, f"{lingering}.away")
        try:
            [note] = self.notes("create", "server", "-p", f"{PORT}:6379")
        finally:
            os.rename(f"{lingering}.away", lingering)
        self.assertIn(f"'loginctl enable-linger {self.scope.user}'", note)
        self.assertEqual(self.notes("create", "server", "-p", f"{PORT}:6379", "--force"), [])

    def test_system_scope(self):
        self.refused("create", "server", f"-p{PORT}:6379", "--scope=system", words=("root", "--scope user"))

    def test_directory_that_the_manager_does_not_read(self):
        argv = ("env", "XDG_CONFIG_HOME=/tmp/elsewhere", "sockwake", "create", "server", f"-p{PORT}:6379")
        result = self.scope.run(*argv, check=False)
        self.assertEqual(result.returncode, 1)
        self.assert_sentence(result.stderr, "'/tmp/elsewhere/systemd/user'", "XDG_CONFIG_HOME")

    def test_no_manager(self):
        argv = ("env", "-i", f"PATH={harness.PATH}", f"HOME={self.scope.home}", "XDG_RUNTIME_DIR=/nonexistent", "sockwake")
        result = self.scope.run(*argv, "create", "server", f"-p{PORT}:6379", check=False)
        self.assertEqual(result.returncode, 1)
        self.assert_sentence(result.stderr, "manager")
        self.scope.instance("server", PORT, 6379)
        result = self.scope.run(*argv, "list", "--json")
        self.assertIn("manager", result.stderr)
        self.assertEqual(json.loads(result.stdout)[0]["state"], "unknown")


class DryRun(CliCase):
    OPTIONS = ("server", "-p", f"{PORT}:6379", "-p", f"127.0.0.1:{PORT}:53/udp", "--startup-timeout", "90")

    @staticmethod
    def units(text):
        """The printed units by name."""
        parts = re.split(r"^# --- (\S+) ---\n", text, flags=re.MULTILINE)
        return {name: unit.strip() for name, unit in zip(parts[1::2], parts[2::2])}

    def test_prints_what_create_installs(self):
        before = self.traces()
        printed = self.units(self.scope.sockwake("create", *self.OPTIONS, "--dry-run").stdout)
        self.assertEqual(self.traces(), before)
        self.scope.sockwake("create", *self.OPTIONS)
        self.assertEqual(set(printed), {"server.socket", "server.service"})
        for name, text in printed.items():
            with open(f"{self.scope.unit_directory}/{name}") as file:
                self.assertEqual(file.read().strip(), text)

    def test_systemd_understands_every_line(self):
        options = ("--unit=redis-server.service", "--target=127.0.0.1", "--keep-running", "--socket-mode=0600")
        listeners = ("-p", f"{self.scope.runtime_directory}/x.sock:6379", "-p", f"[::1]:{PORT + 1}:6379")
        text = self.scope.sockwake("create", *self.OPTIONS, *listeners, *options, "--dry-run").stdout
        directory = self.scope.run("mktemp", "--directory").stdout.strip()
        self.addCleanup(self.scope.run, "rm", "-r", directory)
        for name, unit in self.units(text).items():
            self.scope.run("tee", f"{directory}/{name}", input=unit + "\n")
        manager = "--system" if self.scope.is_system else "--user"
        argv = ("systemd-analyze", "verify", manager, "--man=no", f"{directory}/server.socket", f"{directory}/server.service")
        result = self.scope.run(*argv)
        self.assertEqual([line for line in (result.stdout + result.stderr).splitlines() if "server" in line], [])


class DryRunOfNobody(CliCase):
    """A user without engine, manager and home sees the units, and nothing changes."""

    scopes = (harness.SYSTEM_DOCKER,)
    any_release = True

    def test_touches_nothing(self):
        trace = "/tmp/cli-test.trace"
        self.addCleanup(os.unlink, trace)
        calls = "connect,mkdir,unlink,unlinkat,rename,renameat2,symlink,symlinkat,openat,flock"
        nobody = ("setpriv", "--reuid=nobody", "--clear-groups", "env", "-i", f"PATH={harness.PATH}")
        for scope in ("system", "user"):
            argv = ("sockwake", "create", "db", "-p", "5432:5432", "--dry-run", f"--scope={scope}")
            result = self.scope.run("strace", "-f", f"-o{trace}", f"-etrace={calls}", *nobody, *argv)
            self.assertEqual(result.stderr, "")
            for expected in ("# --- db.socket ---", "ListenStream=5432", "# --- db.service ---", "ExecStart="):
                self.assertIn(expected, result.stdout)
            with open(trace) as lines:
                touching = [line for line in lines if not re.search(r"openat\(.*O_RDONLY|\+\+\+|nscd", line)]
            # The user database may be asked through systemd's own service for it (nss-systemd(8)), and the manager for units.
            self.assertEqual([line for line in touching if not re.search("userdb|/systemd/private|/bus/", line)], [])


class Force(CliCase):
    """--force replaces an instance of ours in any state."""

    any_release = True

    def test_asleep(self):
        self.scope.instance("server", PORT, 6379)
        again = self.scope.sockwake("create", "server", "-p", f"{PORT + 1}:6379", check=False)
        self.assertIn("already: 'sockwake set server' changes its options, --force replaces it", again.stderr)
        self.scope.instance("server", PORT + 1, 6379, "--force")
        self.assertFalse(listens(PORT))
        self.assert_served(PORT + 1)
        self.assertEqual(list(states(self.scope)), ["server"])

    def test_awake(self):
        self.scope.instance("server", PORT, 6379, "--drain-timeout=100ms")
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            result = self.scope.instance("server", PORT, 6379, "--force", "--idle-timeout=7min")
            self.assertIn("'server' is awake: waits until its open connections have ended, for 100ms at most", result.stderr)
            self.assertTrue(result.stdout.startswith("Replaced instance 'server': "), result.stdout)
            self.assert_ended(connection)
        self.assertEqual(states(self.scope)["server"]["idle_timeout"], "7min")
        self.assertEqual(states(self.scope)["server"]["state"], "asleep")
        self.assert_served()

    def test_in_vain_leaves_an_awake_one_alone(self):
        self.scope.instance("server", PORT, 6379)
        with harness.connect(PORT) as connection, socket.create_server(("127.0.0.1", PORT + 1)):
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.refused("create", "server", "--force", f"-p{PORT + 1}:6379", words=(str(PORT + 1),))
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")

    def test_in_vain_brings_back_what_had_to_be_stopped(self):
        self.scope.instance("server", PORT, 6379)
        self.refused("create", "server", "--force", f"-p{self.hopeless_path()}:6379", words=("server.socket",))
        self.assertEqual(states(self.scope)["server"]["state"], "asleep")
        self.assert_served()

    def test_failed_instance(self):
        self.scope.instance("server", PORT, 6379)
        self.scope.engine_run("rm", "server")
        harness.refusal(PORT)
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, "--force")
        self.assertEqual(states(self.scope)["server"]["state"], "asleep")
        self.assert_served()


TEXT, NUMBER, FLAG, LIST = str, (int, float), bool, list
SCHEMA = {
    **dict.fromkeys(("name", "scope", "backend", "container_name", "engine_socket", "idle_action"), TEXT),
    **dict.fromkeys(("startup_timeout", "idle_timeout", "health_check"), TEXT),
    **dict.fromkeys(("listen_port", "container_port", "stop_timeout", "connections", "waiting"), NUMBER),
    **dict.fromkeys(("keep_running", "notifications", "no_selinux", "transparent", "outside_source"), FLAG),
    **dict.fromkeys(("legacy", "changed_since_wake"), FLAG),
    **dict.fromkeys(("status", "state", "container_state", "clients_appear"), TEXT),
    **dict.fromkeys(("reason", "phase", "hides"), (str, type(None))),
    **dict.fromkeys(("since", "held_until", "sleeps_at"), (int, float, type(None))),
    "ports": LIST,
}
OPTIONAL = {
    **dict.fromkeys(("unit", "user", "keepalive", "connection_timeout", "flow_timeout", "drain_timeout"), TEXT),
    **dict.fromkeys(("proxy_protocol", "warm_for", "hold"), TEXT),
    **dict.fromkeys(("socket_mode", "socket_group", "drop_in"), TEXT),
    **dict.fromkeys(("no_boot", "drop_publish", "adopted", "made_container"), FLAG),
    **dict.fromkeys(("targets", "no_wake_from", "no_hold_from", "ignore_from", "schedule"), LIST),
    "workers": NUMBER,
    "note": (str, type(None)),
}
STATISTICS = {
    **dict.fromkeys(("wakes", "last_wake", "connections_total", "connections_failed", "flows_total"), NUMBER),
    **dict.fromkeys(("bytes_to_container", "bytes_from_container", "datagrams_dropped"), NUMBER),
    **dict.fromkeys(("found_running", "full"), FLAG),
    "last_wake_ms": dict,
    "last_wake_ends": dict,
    "woken_by": dict,
}
EVERY_OPTION = (
    *("-p", f"{PORT}:6379", "-p", f"127.0.0.1:{PORT}:53/udp", "--target=127.0.0.1", "--target=::1"),
    *("--startup-timeout=1min", "--idle-timeout=1h", "--health-check=none", "--idle-action=pause", "--keep-running"),
    *("--keepalive=30", "--connection-timeout=2h", "--drain-timeout=1s", "--workers=2", "--proxy-protocol=v2"),
    *("--ignore-from=198.51.100.7", "--hold=data", "--flow-timeout=2min"),
    *("--no-wake-from=192.0.2.0/24", "--no-hold-from=2001:db8::/32", "--socket-mode=0600"),
    *("--user=wake", "--no-selinux", "--warm-for=2h", "--schedule=Sun 03:00-03:01"),
)


class Telling(CliCase):
    """`list` and `status`, for people and for programs."""

    any_release = True

    def every_option(self):
        path = f"{self.scope.runtime_directory}/every.sock"
        return (*EVERY_OPTION, "-p", f"{path}:6379", f"--socket-group={self.scope.user}")

    def one(self):
        """The instance, as both commands have it."""
        listed = states(self.scope)["server"]
        asked = json.loads(self.scope.sockwake("status", "server", "--json").stdout)
        self.assertEqual(listed["state"], asked["state"])
        return asked

    def assert_schema(self, item, required, optional):
        self.assertEqual(set(required) - set(item), set())
        for key, value in item.items():
            kind = required.get(key) or optional.get(key)
            self.assertIsNotNone(kind, key)
            self.assertIsInstance(value, kind, key)

    def test_a_package_that_comes_later_has_a_unit_of_its_name(self):
        self.scope.instance("server", PORT, 6379, "--backend", self.scope.engine)
        scope = "system" if self.scope.is_system else "user"
        option = "" if self.scope.is_system else "--user "
        for kind in ("service", "socket"):
            with self.subTest(kind):
                path = f"/usr/lib/systemd/{scope}/server.{kind}"
                with open(path, "w") as file:
                    file.write("[Service]\nExecStart=/bin/true\n" if kind == "service" else "[Socket]\nListenStream=1\n")
                try:
                    self.scope.systemctl("daemon-reload")
                    hidden = self.one()["hides"]
                    self.assertEqual(os.path.realpath(hidden), path)  # /lib is a link
                    says = " ".join(self.scope.sockwake("list").stdout.split())
                    shows = " ".join(self.scope.sockwake("status", "server").stdout.split())
                    told = self.scope.instance("server", PORT, 6379, "--backend", self.scope.engine, "--force").stderr
                    for text in (says, shows, told):
                        self.assertIn(f"it hides {hidden}, so that 'systemctl {option}restart server.{kind}' acts on", text)
                        self.assertIn("'sockwake remove server'", text)
                        self.assertIn("--name server-wake", text)
                    # A new instance of that name is refused.
                    self.scope.sockwake("remove", "server")
                    self.refused("create", "server", "-p", f"{PORT}:6379", "--backend", self.scope.engine,
                                 words=(f"'server.{kind}' already", f"systemd/{scope}/server.{kind}", "--name server-wake"))
                    name = "server-wake"
                    self.scope.instance(name, PORT, 6379, "--backend", self.scope.engine, container="server")
                    self.scope.sockwake("remove", name)
                finally:
                    os.unlink(path)
                    self.scope.systemctl("daemon-reload")
                self.scope.instance("server", PORT, 6379, "--backend", self.scope.engine)
                self.assertIsNone(self.one()["hides"])

    def test_nothing(self):
        listed = self.scope.sockwake("list")
        self.assertEqual(listed.stdout, "No managed instances.\n")
        self.assertIn("'sockwake create NAME -p PORT:CPORT'", listed.stderr)
        self.assertEqual(json.loads(self.scope.sockwake("list", "--json").stdout), [])

    def test_columns(self):
        self.scope.container("other-with-a-long-name", "redis")
        self.scope.instance("other-with-a-long-name", PORT, 6379)
        self.scope.sockwake("create", "server", "-p", f"[::1]:{PORT + 1}:6379", "-p", f"{PORT + 2}:6379/udp")
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            header, *rows, count = self.scope.sockwake("list").stdout.splitlines()
        titles = ["NAME", "LISTENS ON", "STATE", "CLIENTS", "CONTAINER"]
        self.assertEqual(re.split("  +", header.strip()), titles)
        starts = [header.index(title) for title in titles]
        cells = [[row[a:b].strip() for a, b in zip([0, *starts], [*starts, None])] for row in rows]
        self.assertEqual([row[1:3] for row in cells], [
            ["other-with-a-long-name", f":{PORT}"],
            ["server", f"[::1]:{PORT + 1}, :{PORT + 2}/udp"],
        ])
        self.assertRegex(cells[0][3], r"^awake \d+s$")
        self.assertEqual((cells[0][4:], cells[1][3:5]), (["1", "other-with-a-long-name running"], ["asleep", "-"]))
        self.assertIn(cells[1][5], ("server created", "server exited"))
        self.assertEqual(count, "2 instances: 1 awake, 1 asleep")

    def nobody_is_connected(self):
        """The proxy has seen the client leave, and said so."""
        return json.loads(self.scope.sockwake("status", "--json", "server").stdout)["sleeps_at"]

    def test_on_a_terminal(self):
        """As wide as the terminal, a line for each instance; colours and round signs where supported."""
        self.scope.container("other-with-a-long-name", "redis")
        self.scope.instance("other-with-a-long-name", PORT, 6379)
        self.scope.instance("server", PORT + 1, 6379)
        self.assertEqual(harness.redis(PORT + 1, "ping"), "PONG")
        harness.eventually(self.nobody_is_connected)
        for width, variables, signs, colour in (
            (120, ("LC_ALL=C.UTF-8", "TERM=xterm"), "○●", True),
            (80, ("LC_ALL=C.UTF-8", "TERM=xterm", "NO_COLOR=1"), "○●", False),
            (60, ("LC_ALL=C", "TERM=dumb"), "o*", False),
        ):
            command = f"stty cols {width}; env {' '.join(variables)} sockwake list"
            text = self.scope.run("script", "--quiet", "--return", "--command", command, "/dev/null").stdout
            self.assertEqual("\033[" in text, colour)
            header, *rows, count = re.sub(r"\033\[\d*m", "", text).replace("\r", "").splitlines()
            self.assertEqual([row[0] for row in rows], [*signs])
            self.assertLessEqual(max(map(len, [header, *rows])), width)
            self.assertRegex(rows[1], r"server .* awake, sleeps in 1\dmin( |$)")
            self.assertEqual(count, "2 instances: 1 awake, 1 asleep")

    def test_who_waits(self):
        self.scope.engine_run("rm", "server")
        self.scope.container("server", *servers.late(9000, 60), image=harness.BUSYBOX, options=("--stop-timeout=1",))
        self.scope.instance("server", PORT, 9000)
        with harness.connect(PORT), harness.connect(PORT):
            harness.eventually(lambda: states(self.scope)["server"]["waiting"] == 2, timeout=20)
            self.assertRegex(self.scope.sockwake("list").stdout, r"waking \d+s of 30s +2 waiting ")
            self.assertRegex(self.scope.sockwake("status", "server").stdout, r"(?m)^ *Waiting: 2 clients$")
            self.scope.sockwake("sleep", "server")
        self.assertEqual(states(self.scope)["server"]["waiting"], 0)

    def test_json_is_stable(self):
        for options in ((f"-p{PORT}:6379",), self.every_option()):
            self.scope.sockwake("create", "server", *options, "--force")
            self.assert_schema(states(self.scope)["server"], SCHEMA, OPTIONAL)
        created = json.loads(self.scope.sockwake("create", "server", f"-p{PORT}:6379", "--force", "--json").stdout)
        self.assertEqual((created["name"], created["ports"]), ("server", [f"{PORT}:6379"]))
        self.assert_served()
        instance = self.one()
        self.assertEqual((instance["name"], instance["backend"], instance["listen_port"]), ("server", self.scope.engine, PORT))
        self.assertEqual((instance["state"], instance["container_state"]), ("awake", "running"))
        statistics = instance.pop("statistics")
        self.assert_schema(instance, SCHEMA, OPTIONAL)
        self.assert_schema(statistics, STATISTICS, {})
        self.assertEqual((statistics["wakes"], statistics["connections_total"]), (1, 1))
        self.assertAlmostEqual(instance["since"], time.time(), delta=30)
        self.assertAlmostEqual(statistics["last_wake"], time.time(), delta=30)
        wake = statistics["last_wake_ms"]
        self.assertEqual(set(wake), {"load", "engine", "inspect", "handover", "readiness", "confinement", "total"})
        self.assertAlmostEqual(sum(wake.values()) - wake["total"], wake["total"], delta=0.1)
        ends = statistics["last_wake_ends"]
        self.assertEqual([*ends], [part for part in wake if part != "total"])
        self.assertEqual([*ends.values()], sorted(ends.values()))
        self.assertAlmostEqual(ends["confinement"], time.monotonic(), delta=30)

    def test_status_for_people(self):
        self.scope.instance("server", PORT, 6379)
        text = self.scope.sockwake("status", "--name", "server").stdout
        self.assertRegex(text, r"(?m)^(○|o) server (–|-) asleep$")
        self.assertRegex(text, rf"(?m)^ *Listening: {PORT} .* 6379 in the container$")
        self.assertRegex(text, rf"(?m)^ *Container: server \({self.scope.engine}\): (created|exited)$")
        self.assertRegex(text, r"(?m)^ *Ready when: redis$")
        self.assertIn(f"{self.scope.unit_directory}/server.socket", text)
        self.assert_served()
        harness.eventually(self.nobody_is_connected)
        text = self.scope.sockwake("status", "server").stdout
        self.assertRegex(text, r"(?m)^(●|\*) server (–|-) awake for \d+s, sleeps in 1\dmin( \d+s)? if nobody connects$")
        self.assertRegex(text, r"(?m)^ *Connections: \d now, 1 in the current wake, 0 failed$")
        self.assertRegex(text, r"(?m)^ *Last wake: .* in all: loading .* readiness ")

    def test_what_each_wake_would_refuse_is_refused_at_once(self):
        udp = ("-p", f"{PORT}:53/udp")
        self.scope.container("hosts", "redis", options=("--network=host",))
        for name, options, word in (
            ("server", ("-p", f"{PORT}:6379", "--transparent", "--proxy-protocol=v1"), "use one"),
            *(("server", (*udp, f"--health-check={c}"), "needs a stream") for c in ("redis", "http", "http:/health")),
            ("hosts", ("-p", f"{PORT}:6379", "--transparent"), "of the container's own"),
            ("hosts", ("-p", f"{PORT}:{PORT}"), "could not listen"),
            ("hosts", ("-p", f"127.0.0.1:{PORT}:{PORT}"), "could not listen"),
            ("hosts", ("-p", f"127.0.0.1:{PORT}:{PORT}", "--target=127.0.0.1"), "could not listen"),
        ):
            result = self.scope.sockwake("create", name, *options, check=False)
            self.assertEqual(result.returncode, 1, options)
            self.assertIn(word, result.stderr)
        self.scope.sockwake("create", "server", *udp, "--health-check=redis-cli ping")
        self.scope.sockwake("create", "hosts", "-p", f"127.0.0.1:{PORT}:{PORT}", "--target=127.0.0.2")

    def test_status_shows_what_was_asked_for(self):
        """Every value of every option, in its own words or as the option."""
        in_words = ("--idle-action", "--keep-running")
        self.scope.sockwake("create", "server", *self.every_option())
        text = self.scope.sockwake("status", "server").stdout
        for option in self.every_option():
            name, _, value = option.partition("=")
            if name.startswith("--") and name not in in_words:
                self.assertIn(value or name, text)
        for words in ("pause after 1h", "unless it ran before"):
            self.assertIn(words, text)
        self.assertRegex(text, rf"127.0.0.1:{PORT} (→|->) port 53/udp")

    def test_status_shows_no_option_that_is_the_default(self):
        self.scope.sockwake("create", "server", "-p", f"{PORT}:6379", "--startup-timeout=30", "--no-selinux")
        self.assertRegex(self.scope.sockwake("status", "server").stdout, r"(?m)^ *Options: --no-selinux$")

    def test_waking_and_stopping(self):
        self.scope.engine_run("rm", "server")
        late = servers.late(9000, 2)
        self.scope.container("server", *late, image=harness.BUSYBOX, options=("--stop-timeout=2",))  # deaf to SIGTERM
        self.scope.instance("server", PORT, 9000)
        with harness.connect(PORT) as connection:
            harness.eventually(lambda: self.one()["state"] == "waking")
            self.assertEqual(harness.read_all(connection), b"hello\n")
        self.assertEqual(self.one()["state"], "awake")
        sleep = self.scope.spawn("sockwake", "sleep", "server")
        self.addCleanup(sleep.wait)
        harness.eventually(lambda: self.one()["state"] == "stopping")
        self.assertEqual(sleep.wait(20), 0)
        self.assertEqual((self.one()["state"], self.one()["container_state"]), ("asleep", "exited"))

    def test_failed_with_the_last_reason(self):
        self.scope.instance("server", PORT, 6379)
        self.scope.engine_run("rm", "server")
        gone = f"there is no container 'server': '{self.scope.engine} ps -a'"
        self.assertEqual(self.one()["state"], "failed")
        self.assertIn(gone, self.scope.sockwake("status", "server").stdout)
        self.assertIn(gone, self.scope.sockwake("list").stdout)
        harness.refusal(PORT)
        harness.eventually(lambda: self.one()["state"] == "failed")
        self.assertEqual(self.one()["container_state"], "missing")
        reason = self.one()["reason"]
        self.assertIn("'server'", reason)
        self.assertIn(reason, self.scope.sockwake("status", "server").stdout)
        self.assertIn(reason, self.scope.sockwake("list").stdout)
        self.scope.container("server", "redis")
        self.assert_served()
        self.assertEqual((self.one()["state"], self.one()["reason"]), ("awake", None))

    def test_off(self):
        self.scope.instance("server", PORT, 6379)
        self.scope.systemctl("stop", "server.socket")
        self.assertEqual(self.one()["state"], "off")
        self.assertIn("systemctl", self.one()["reason"])

    def test_engine_down(self):
        self.scope.instance("server", PORT, 6379)
        with self.engine_down():
            result = self.scope.sockwake("list", "--json")
        self.assertTrue(result.stderr.startswith(NOTE))
        self.assertIn("systemctl", result.stderr)
        [instance] = json.loads(result.stdout)
        self.assertEqual((instance["state"], instance["container_state"]), ("asleep", "unknown"))

    def test_unknown_name(self):
        for command in ("status", "remove", "wake", "sleep", "logs"):
            self.refused(command, "server", words=("'server'", "sockwake list"))
        result = self.scope.sockwake("status", "server", "--json", check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("'server'", json.loads(result.stderr)["error"])

    def test_wrong_usage(self):
        for argv in (
            *((), ("nonsense",), ("wake",), ("remove",), ("remove", "a", "--all"), ("list", "server")),
            *(("sleep", "a", "a"), ("wake", "a", "--name=b"), ("logs", "a", "b"), ("status", "--name"), ("status", "-x", "a"), ("logs", "-n", "0", "a")),
            *(("create",), ("create", "a"), ("create", "a", "-p"), ("create", "a", "--listen-port=1")),
            *(("list", "--scope=both"), ("list", "--json=yes"), ("create", "a", "--name=b", "-p1:1")),
        ):
            with self.subTest(argv):
                self.refused(*argv, words=(), status=2)

    def test_help(self):
        commands = ("create", "remove", "list", "status", "wake", "sleep", "logs", "adopt", "refresh")
        overview = self.scope.sockwake("help").stdout
        self.assertEqual(self.scope.sockwake("--help").stdout, overview)
        for command in commands:
            self.assertIn(f"  {command} ", overview)
            self.assertIn(f"Usage: sockwake {command} ", self.scope.sockwake("help", command).stdout)
            self.assertIn(f"Usage: sockwake {command} ", self.scope.sockwake(command, "--help").stdout)
            self.assertIn(f"Usage: sockwake {command} ", self.scope.sockwake(command, "-h").stdout)
        self.assertRegex(self.scope.sockwake("--version").stdout, r"\Asockwake \d+\.\d")

    def test_reader_that_goes_away(self):
        """It is not bothered; a full disk is told."""
        self.scope.instance("server", PORT, 6379)
        for command in ("list", "list --json", "status --json server"):
            # The shell opens both ends, and closes the reader's before it begins.
            script = f"d=$(mktemp -d); mkfifo $d/f; exec 3<>$d/f 4>$d/f 3<&-; rm -r $d; sockwake {command} >&4"
            result = self.scope.run("sh", "-c", script, check=False)
            self.assertEqual((result.returncode, result.stderr), (1, ""))
        result = self.scope.run("sh", "-c", "sockwake list >/dev/full", check=False)
        self.assertEqual(result.returncode, 1)
        self.assert_sentence(result.stderr, "standard output")


class Acting(CliCase):
    """`wake`, `sleep` and `logs`."""

    any_release = True

    def test_wake_and_sleep(self):
        self.scope.instance("server", PORT, 6379)
        for _ in range(2):
            self.scope.sockwake("wake", "server")
            self.assertEqual(self.scope.state("server.service"), "active")
            self.assertEqual(self.scope.container_state("server"), "running")
        self.assert_served()
        for _ in range(2):
            self.scope.sockwake("sleep", "server")
            self.assertEqual(self.scope.state("server.service"), "inactive")
            self.assertEqual(self.scope.container_state("server"), "exited")
        self.assert_served()

    def test_wake_in_vain(self):
        self.scope.instance("server", PORT, 6379)
        self.scope.engine_run("rm", "server")
        result = self.scope.sockwake("wake", "server", check=False)
        self.assertEqual(result.returncode, 1)
        self.assert_sentence(result.stderr, "'server'", "no container", "journalctl")

    def test_wake_while_a_failed_one_stops(self):
        """It is a separate attempt, with its own reason."""
        self.scope.engine_run("rm", "server")
        deaf = "trap : TERM; while :; do sleep 1; done"
        deaf = ("sh", "-c", deaf)
        self.scope.container("server", *deaf, image=harness.BUSYBOX, options=("--health-cmd=true",))
        self.scope.instance("server", PORT, 9000, "--health-check=healthy")
        # The new container has none, and fails at once.
        self.scope.engine_run("rm", "server")
        self.scope.container("server", *deaf, image=harness.BUSYBOX, options=("--stop-timeout=3",))
        harness.refusal(PORT)
        status = json.loads(self.scope.sockwake("status", "--json", "server").stdout)
        if status["state"] == "stopping":
            self.assertIn("has no health check", status["reason"])
        self.scope.engine_run("rename", "server", "away")
        result = self.scope.sockwake("wake", "server", check=False)
        self.assertEqual(result.returncode, 1)
        self.assert_sentence(result.stderr, "'server' did not wake", "no container")
        self.assertEqual(len(self.scope.complaints("server", self.started)), 2)

    def chatty(self):
        self.scope.engine_run("rm", "server")
        command = "echo one; echo two; echo oops >&2; exec nc -ll -p 9000 -e echo hello"
        self.scope.container("server", "sh", "-c", command, image=harness.BUSYBOX, options=servers.STOP_AT_ONCE)
        self.scope.instance("server", PORT, 9000)
        self.assertEqual(harness.exchange(PORT, b""), b"hello\n")

    def test_logs(self):
        self.chatty()
        logs = harness.eventually(lambda: self.scope.sockwake("logs", "server"))
        harness.eventually(lambda: "oops" in self.scope.sockwake("logs", "server").stderr)
        logs = self.scope.sockwake("logs", "--name", "server")
        self.assertEqual((logs.stdout, logs.stderr), ("one\ntwo\n", "oops\n"))
        last = self.scope.sockwake("logs", "-n", "2", "server")
        self.assertEqual(len((last.stdout + last.stderr).splitlines()), 2)
        self.scope.sockwake("sleep", "server")
        self.assertEqual(self.scope.sockwake("logs", "server").stdout, "one\ntwo\n")

    def test_following_logs_ends_with_the_container(self):
        self.chatty()
        follow = self.scope.spawn("sockwake", "logs", "-f", "server", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(follow.kill)
        self.assertEqual(follow.stdout.readline(), "one\n")
        self.assertIsNone(follow.poll())
        self.scope.sockwake("sleep", "server")
        self.assertEqual((follow.stdout.read(), follow.wait(20)), ("two\n", 0))

    def test_following_logs_ends_with_the_reader(self):
        self.chatty()
        follow = self.scope.spawn("sockwake", "logs", "-f", "server", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(follow.stdout.close)
        self.assertEqual(follow.stdout.readline(), "one\n")
        follow.send_signal(signal.SIGINT)
        self.assertEqual(follow.wait(10), -signal.SIGINT)


class Remove(CliCase):
    """`remove` leaves nothing behind but the container."""

    any_release = True

    def removed(self, *argv):
        """Runs `remove`, and checks that all is as before the instance."""
        output = self.scope.sockwake("remove", *argv).stdout
        self.assertEqual(self.traces(), self.before)
        self.assertFalse(listens(PORT))
        return output

    def setUp(self):
        super().setUp()
        self.scope.run("sh", "-c", f"rm -f {self.scope.runtime_directory}/sockwake/*")  # of other tests
        self.before = self.traces()
        self.scope.instance("server", PORT, 6379, "--drain-timeout=100ms")
        self.assertNotEqual(self.traces(), self.before)

    def test_asleep(self):
        self.assertIn("'server'", self.removed("server"))
        self.assertIn(self.scope.container_state("server"), ("created", "exited"))

    def test_after_sleep(self):
        self.assert_served()
        self.scope.sockwake("sleep", "server")
        self.removed("--name", "server")

    def test_while_somebody_wakes_it_again_and_again(self):
        waker = self.scope.spawn("sh", "-c", "while :; do sockwake wake server & sockwake wake server; done 2>/dev/null")
        try:
            for _ in range(4):
                self.removed("server")
                self.assertEqual(self.scope.systemctl("list-units", "--all", "--no-legend", "server.*").stdout, "")
                self.scope.instance("server", PORT, 6379, "--drain-timeout=100ms")
        finally:
            waker.kill()
            waker.wait()
        harness.eventually(lambda: self.scope.state("server.service") not in ("activating", "deactivating"))
        self.removed("server")

    def test_awake(self):
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.removed("server")
            self.assert_ended(connection)
        self.assertEqual(self.scope.container_state("server"), "exited")

    def test_all(self):
        self.scope.container("other", "redis")
        self.scope.instance("other", PORT + 1, 6379)
        self.assert_served(PORT + 1)
        self.assertEqual(len(self.removed("--all").splitlines()), 2)
        self.assertEqual(self.removed("--all"), "No managed instances found.\n")

    def test_one_of_two_that_share_a_container(self):
        self.scope.instance("other", PORT + 1, 6379, container="server")
        self.assert_served(PORT)
        self.assert_served(PORT + 1)
        self.scope.sockwake("remove", "other")
        self.assert_served(PORT)
        self.removed("server")

    def test_container_gone(self):
        self.assert_served()
        self.scope.engine_run("rm", "--force", "server")
        self.removed("server")

    def test_failed(self):
        self.scope.engine_run("rm", "server")
        harness.refusal(PORT)
        self.removed("server")

    def test_engine_down(self):
        self.assert_served()
        with self.engine_down():
            self.removed("server")

    def test_killed_at_any_step(self):
        """A half-removed instance is listed and can be removed, or the next command removes its remains."""
        for step in range(1, 8):
            kill = ("strace", "-qq", "-o/dev/null", "-etrace=unlink", f"-einject=unlink:signal=KILL:when={step}")
            killed = self.scope.run(*kill, "sockwake", "remove", "server", check=False)
            if "server" in states(self.scope):
                self.removed("server")
            else:
                self.removed("--all")
            self.scope.instance("server", PORT, 6379, "--drain-timeout=100ms")
            if killed.returncode == 0:
                break
        self.assertGreater(step, 2)
        self.assert_served()
        self.removed("server")

    def test_killed_while_it_writes(self):
        self.removed("server")
        for step in range(1, 12):
            kill = ("strace", "-qq", "-o/dev/null", "-etrace=fsync,rename,symlink")
            argv = ("sockwake", "create", "server", "-p", f"127.0.0.1:{PORT}:6379", "--backend", self.scope.engine)
            inject = f"-einject=fsync,rename,symlink:signal=KILL:when={step}"
            killed = self.scope.run(*kill, inject, *argv, check=False)
            self.removed(*(("server",) if "server" in states(self.scope) else ("--all",)))
            if killed.returncode == 0:
                break
        self.assertGreater(step, 2)

    def test_replacement_killed_at_any_step(self):
        """The next command opens the socket again."""
        argv = ("sockwake", "create", "--force", "server", "-p", f"{PORT}:6379", "--backend", self.scope.engine)
        for step in range(1, 14):
            inject = f"-einject=fsync,rename,unlink,symlink:signal=KILL:when={step}"
            killed = self.scope.run("strace", "-qq", "-o/dev/null", "-etrace=fsync,rename,unlink,symlink", inject,
                                    *argv, check=False)
            if self.scope.state("server.socket") != "active":
                self.assertIn("broken off", self.scope.sockwake("list").stdout)
            self.scope.sockwake("refresh", "--all")
            self.assertEqual(self.scope.state("server.socket"), "active", step)
            if killed.returncode == 0:
                break
        self.assertGreater(step, 2)
        self.assert_served()
        self.removed("server")

    def test_units_that_were_tampered_with(self):
        os.unlink(f"{self.scope.unit_directory}/server.service")
        self.scope.systemctl("daemon-reload")
        self.removed("server")


class Locked(CliCase):
    """One change of the units at a time; others cannot block it."""

    scopes = (harness.SYSTEM_DOCKER,)
    any_release = True
    waits = True

    def hold(self, path, user):
        holder = harness.spawn("flock", path, "sleep", "60", user=user)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        taken = ("flock", "--nonblock", path, "true")
        harness.eventually(lambda: harness.run(*taken, check=False).returncode != 0)

    def test_a_user_holds_the_unit_directory(self):
        self.hold(self.scope.unit_directory, harness.USER_PODMAN.user)
        begin = time.monotonic()
        self.scope.instance("server", PORT, 6379)
        self.scope.sockwake("remove", "server")
        self.assertLess(time.monotonic() - begin, 10)

    def test_a_user_cannot_hold_the_lock(self):
        self.scope.instance("server", PORT, 6379)
        argv = ("flock", "--nonblock", "/run/sockwake/units.lock", "true")
        self.assertNotEqual(harness.run(*argv, user=harness.USER_PODMAN.user, check=False).returncode, 0)
        self.assertEqual(harness.run(*argv).returncode, 0)

    def test_a_command_that_does_not_end(self):
        self.scope.instance("server", PORT, 6379)
        self.hold("/run/sockwake/units.lock", "root")
        begin = time.monotonic()
        self.refused("remove", "server", words=("flock (PID", "30s", "kill "))
        self.assertLess(time.monotonic() - begin, 35)


class TwoScopes(CliCase):
    """Commands in the wrong scope name the right one."""

    scopes = (harness.USER_PODMAN,)
    any_release = True

    def setUp(self):
        super().setUp()
        self.addCleanup(harness.SYSTEM_DOCKER.clean)
        harness.SYSTEM_DOCKER.container("systems", "redis")
        harness.SYSTEM_DOCKER.instance("systems", PORT, 6379)

    def test_instance_of_the_system(self):
        for command in ("status", "remove", "wake", "sleep", "logs"):
            self.refused(command, "systems", words=("'systems'", "sudo", "--scope system"))
        self.assertEqual(states(self.scope), {})
        self.assertEqual(list(states(self.scope, "--scope=system")), ["systems"])
        self.assertIn("asleep", self.scope.sockwake("status", "--scope=system", "systems").stdout)
        self.refused("remove", "--scope=system", "systems", words=("root",))
        self.assertEqual(list(states(harness.SYSTEM_DOCKER)), ["systems"])

    def test_port_of_the_other_scope(self):
        self.refused("create", "server", f"-p{PORT}:6379", words=(f"TCP port {PORT} ",))
        self.scope.instance("server", PORT + 1, 6379)
        argv = ("create", "more", f"-p{PORT + 1}:6379", "--container-name=systems")
        result = harness.SYSTEM_DOCKER.sockwake(*argv, check=False)
        self.assertEqual(result.returncode, 1)
        self.assert_sentence(result.stderr, f"TCP port {PORT + 1} ")

    def test_same_name_in_both(self):
        self.scope.container("systems", "redis")
        self.scope.instance("systems", PORT + 1, 6379)
        self.scope.sockwake("remove", "systems")
        self.assert_served()


class Selinux(CliCase):
    """Ports are labelled as by the original tool if semanage(8) exists."""

    scopes = (harness.SYSTEM_DOCKER,)
    any_release = True

    def setUp(self):
        super().setUp()
        self.log = "/run/semanage.log"
        with open("/usr/local/sbin/semanage", "w") as script:
            script.write(f'#!/bin/sh\necho "$@" >>{self.log}\n')
        os.chmod(script.name, 0o755)
        self.addCleanup(os.unlink, script.name)

    def calls(self):
        """Its arguments since the last call."""
        if not os.path.exists(self.log):
            return []
        with open(self.log) as log:
            lines = log.read().splitlines()
        os.unlink(self.log)
        return [line.split() for line in lines]

    def test_labels(self):
        self.scope.instance("server", PORT, 6379)
        [add] = self.calls()
        self.assertEqual((add[:2], add[-3:]), (["port", "-a"], ["-p", "tcp", "6379"]))
        self.scope.sockwake("remove", "server")
        [remove] = self.calls()
        self.assertEqual((remove[:2], remove[-3:]), (["port", "-d"], ["-p", "tcp", "6379"]))

    def test_unwanted(self):
        self.scope.instance("server", PORT, 6379, "--no-selinux")
        self.scope.sockwake("remove", "server", "--no-selinux")
        self.assertEqual(self.calls(), [])


class AcrossReboot(harness.RebootCase):
    """The sockets listen again, whatever state the instances were in at shutdown."""

    def before_reboot(self):
        for name, port in (("awake", PORT), ("asleep", PORT + 1)):
            self.scope.container(name, "redis")
            self.scope.sockwake("create", name, "-p", f"127.0.0.{self.number}:{port}:6379")
        self.assertEqual(harness.redis(PORT, "ping", host=f"127.0.0.{self.number}"), "PONG")

    @property
    def number(self):
        """Both scopes exist at the same time."""
        return 1 + harness.BOTH.index(self.scope)

    def test_sockets_are_back(self):
        found = states(self.scope)  # those of other tests across the reboot, too
        self.assertEqual([found[name]["state"] for name in ("awake", "asleep")], ["asleep", "asleep"])
        for port in (PORT, PORT + 1):
            self.assertEqual(harness.redis(port, "ping", host=f"127.0.0.{self.number}"), "PONG")
