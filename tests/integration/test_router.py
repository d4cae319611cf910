"""`sockwake router`: the machine's docker.socket is moved aside and back."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import threading
import time

import harness
import servers

SOCKET = "/run/docker.sock"
MOVED = "/run/sockwake-engine/docker.sock"
CONFIG = pathlib.Path("/etc/sockwake/router.conf")
DAEMON_JSON = pathlib.Path("/etc/docker/daemon.json")
HOLD = pathlib.Path("/run/test-hold")
PAGE = pathlib.Path("/src/docs/router-rules.md")


def sockwake(*argv, **options):
    return harness.run("sockwake", "router", *argv, **options)


def status():
    return json.loads(sockwake("status", "--json").stdout)


def describe(path):
    """What `path` is: kind, mode, owner, group, content."""
    try:
        st = os.lstat(path)
    except FileNotFoundError:
        return None
    content = os.readlink(path) if stat.S_ISLNK(st.st_mode) else path.read_bytes() if stat.S_ISREG(st.st_mode) else None
    return (stat.filemode(st.st_mode), st.st_uid, st.st_gid, content)


def machine():
    """All that a router that is enabled changes."""
    paths = [pathlib.Path(p) for p in (SOCKET, MOVED, "/run/sockwake-engine", "/run/sockwake-router.status")]
    for top in ("/etc/systemd/system", "/etc/tmpfiles.d", "/var/lib/sockwake"):
        paths += [pathlib.Path(top), *pathlib.Path(top).rglob("*")]
    units = ("docker.socket", "docker.service", "sockwake-router.socket", "sockwake-router.service")
    states = harness.run("systemctl", "is-active", *units, check=False).stdout
    return {str(path): describe(path) for path in paths}, states


def docker_pid():
    return harness.run("systemctl", "show", "--property=MainPID", "--value", "docker.service").stdout


@contextlib.contextmanager
def held(unit):
    """Starts of the service last until HOLD is removed."""
    drop_in = pathlib.Path(f"/run/systemd/system/{unit}.d/test-hold.conf")
    drop_in.parent.mkdir(exist_ok=True)
    drop_in.write_text(f"[Service]\nExecStartPre=/bin/sh -c 'while [ -e {HOLD} ]; do sleep 0.05; done'\n")
    HOLD.touch()
    harness.run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        HOLD.unlink(missing_ok=True)
        drop_in.unlink()
        drop_in.parent.rmdir()
        harness.run("systemctl", "daemon-reload")


@contextlib.contextmanager
def opening_its_socket_itself():
    """Docker does, from its next start on."""
    drop_in = pathlib.Path("/run/systemd/system/docker.service.d/test-hosts.conf")
    drop_in.parent.mkdir(exist_ok=True)
    dockerd = "/usr/sbin/dockerd --containerd=/run/containerd/containerd.sock"
    drop_in.write_text(f"[Service]\nExecStart=\nExecStart={dockerd} -H unix://{SOCKET}\n")
    harness.run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        drop_in.unlink()
        drop_in.parent.rmdir()
        harness.run("systemctl", "daemon-reload")


class Client(threading.Thread):
    """Asks at SOCKET, again and again: how long was nobody there, and did anybody let it wait?"""

    def __init__(self):
        super().__init__()
        self.stopped = threading.Event()
        self.served = self.refused = 0
        self.absent = self.longest = 0.0

    def ask(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(SOCKET)
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
            return harness.read_all(connection)

    def run(self):
        absent_since = None
        while not self.stopped.is_set():
            began = time.monotonic()
            try:
                answer = self.ask()
                absent_since = None
                self.served += answer.startswith(b"HTTP/1.1 200")
                self.refused += not answer.startswith(b"HTTP/1.1 200")
            except (FileNotFoundError, ConnectionRefusedError):
                absent_since = absent_since or began
                self.absent = max(self.absent, time.monotonic() - absent_since)
            except ConnectionError:
                self.refused += 1
            self.longest = max(self.longest, time.monotonic() - began)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join()


class Enable(harness.Case):
    scopes = (harness.SYSTEM_DOCKER,)

    def setUp(self):
        super().setUp()
        harness.run("systemctl", "start", "docker.service")
        self.before = machine()
        self.addCleanup(self.restore)

    def restore(self):
        HOLD.unlink(missing_ok=True)
        CONFIG.unlink(missing_ok=True)
        self.scope.clean()
        sockwake("disable")
        self.assertEqual(machine(), self.before)

    def test_there_and_back(self):
        self.scope.engine_run("create", "--name=guest", f"--volume={SOCKET}:{SOCKET}", harness.BUSYBOX)
        pid = docker_pid()
        with Client() as client:
            enabled = sockwake("enable")
            self.assertIn("'containers = guest' into /etc/sockwake/router.conf", enabled.stderr)
            harness.eventually(lambda: b"200 OK" in client.ask())
        self.assertGreater(client.served, 0)
        self.assertLess(client.absent, 0.5)
        self.assertLess(client.longest, 10)
        self.assertNotEqual(docker_pid(), pid)
        self.assertIn("enabled already", sockwake("enable").stdout)
        self.assertIn("guest", harness.run("docker", "ps", "--all").stdout)
        self.assertEqual(stat.S_IMODE(os.stat(MOVED).st_mode), 0o660)
        with harness.spawn("docker", "events", stdout=subprocess.DEVNULL) as events:
            try:
                self.check_status(events.pid)
            finally:
                events.terminate()
        kept = harness.run("make", "-C", "/src", "uninstall", check=False)
        self.assertIn("sudo sockwake router disable", kept.stderr)
        self.assertIn("only root sees", sockwake("status", user="wake").stdout)
        self.check_list_of_a_user()
        refused = sockwake("disable", user="wake", check=False)
        self.assertIn("sudo sockwake router disable", refused.stderr)
        with Client() as client:
            sockwake("disable")
        self.assertLess(client.absent, 0.5)
        self.assertLess(client.longest, 10)
        self.assertIn("guest", harness.run("docker", "ps", "--all").stdout)
        self.assertIn("guest (does not run): would not be allowed;", sockwake("status").stdout)
        self.scope.clean()
        self.assertEqual(machine(), self.before)

    def check_status(self, pid):
        def connections():
            return [c for c in status()["connections"] if c["pid"] == pid and c["bytes_out"] > 0]

        connection = harness.eventually(connections)[0]
        self.assertEqual((connection["user"], connection["engine"]), ("root", "system"))
        self.assertIn(" /", connection["request"])
        view = status()
        self.assertEqual((view["state"], view["listening"], view["docker_socket"]), ("on", True, MOVED))
        self.assertEqual(view["containers"], [{"name": "guest", "running": False, "allowed": False}])
        text = sockwake("status").stdout
        self.assertIn(f"router – enabled, listens on {SOCKET}", text)
        self.assertRegex(text, rf"root +{pid} +docker +system")
        self.assertIn("guest (does not run): not allowed; 'containers = guest'", text)
        CONFIG.write_text("containrs = guest\n")
        self.assertIn(f"guest (does not run): allowed or not as before {CONFIG} was wrong", sockwake("status").stdout)
        self.assertIsNone(status()["containers"][0]["allowed"])
        CONFIG.unlink()

    def check_list_of_a_user(self):
        """The router brings wake to an engine of wake's, where there is no 'guest'."""
        self.scope.instance("guest", 8080, 80)
        listed = harness.run("sockwake", "list", "--scope", "system", user="wake")
        self.assertIn("asleep", listed.stdout)
        self.assertNotIn("missing", listed.stdout)
        self.assertIn("'sudo sockwake list' shows them", listed.stderr)
        self.assertIn("created", self.scope.sockwake("list").stdout)

    def run_container(self, name):
        self.scope.engine_run("run", "--detach", f"--name={name}", "--stop-timeout=0", harness.BUSYBOX, "sleep", "1000")

    def test_containers_that_would_end(self):
        self.run_container("web")
        refused = sockwake("enable", check=False)
        self.assertIn("docker stop web", refused.stderr)
        self.assertIn("live-restore", refused.stderr)
        self.assertEqual(refused.returncode, 1)
        self.assertEqual(self.scope.container_state("web"), "running")
        self.scope.clean()
        self.assertEqual(machine(), self.before)
        sockwake("enable")
        self.run_container("web")
        refused = sockwake("disable", check=False)
        self.assertIn("docker stop web", refused.stderr)
        self.assertEqual(status()["state"], "on")

    def test_the_configuration_is_checked_first(self):
        CONFIG.write_text("engine = podman\n")
        refused = sockwake("enable", check=False)
        self.assertIn(f"{CONFIG}:1: unknown key 'engine'", refused.stderr)
        CONFIG.unlink()
        self.assertEqual(machine(), self.before)

    def test_a_docker_that_opens_the_socket_itself(self):
        with opening_its_socket_itself():
            refused = sockwake("enable", check=False)
            self.assertIn(f"Docker opens {SOCKET} itself", refused.stderr)
            self.assertIn("-H fd://", refused.stderr)
        self.assertEqual(machine(), self.before)
        sockwake("enable")
        with opening_its_socket_itself():
            harness.run("systemctl", "restart", "docker.service")
            self.assertFalse(status()["listening"])
            self.assertIn("another program has opened", sockwake("status").stdout)
            self.assertIn(f"Docker opens {SOCKET} itself", sockwake("enable", check=False).stderr)
            sockwake("disable")
            harness.run("docker", "ps")
        harness.run("systemctl", "restart", "docker.socket", "docker.service")

    def test_a_place_that_was_lost(self):
        sockwake("enable")
        os.unlink(SOCKET)
        self.assertFalse(status()["listening"])
        self.assertIn("sudo sockwake router enable", sockwake("status").stdout)
        sockwake("enable")
        self.assertTrue(status()["listening"])
        harness.run("docker", "ps")

    def test_a_docker_that_does_not_start_again(self):
        sockwake("enable")
        self.addCleanup(DAEMON_JSON.unlink, missing_ok=True)
        pid = docker_pid()
        DAEMON_JSON.parent.mkdir(exist_ok=True)
        DAEMON_JSON.write_text("{")
        self.assertIn("is not valid JSON", sockwake("disable", check=False).stderr)
        self.assertEqual((status()["state"], docker_pid()), ("on", pid))
        DAEMON_JSON.write_text('{"no-such-key": 1}')
        if "validate" in harness.run("dockerd", "--help").stdout:  # since Docker 23
            self.assertIn("no-such-key", sockwake("disable", check=False).stderr)
            self.assertEqual((status()["state"], docker_pid()), ("on", pid))
        # Only a start tells.
        DAEMON_JSON.write_text('{"data-root": "/proc/none"}')
        failed = sockwake("disable", check=False)
        self.assertIn("journalctl -u docker.service", failed.stderr)
        self.assertNotIn("nothing has changed", failed.stderr)
        self.assertEqual(status()["state"], "disabling")
        DAEMON_JSON.unlink()
        sockwake("disable")
        self.assertEqual(self.scope.state("docker.service"), "active")

    def test_a_docker_that_was_started_too_often(self):
        for _ in range(2):
            sockwake("enable")
            harness.run("systemctl", "restart", "docker.socket", check=False)
            sockwake("disable")
        harness.run("docker", "ps")

    def test_a_docker_that_is_off(self):
        sockwake("enable")
        harness.run("systemctl", "stop", "docker.socket", "docker.service")
        self.addCleanup(harness.run, "systemctl", "start", "docker.socket", "docker.service")
        self.assertIn("its socket is off: 'sudo systemctl start docker'", sockwake("status").stdout)

    def test_killed_before_docker_is_restarted(self):
        pid = docker_pid()
        with held("sockwake-router.service"):
            with harness.spawn("sockwake", "router", "enable") as command:
                harness.eventually(lambda: self.scope.state("sockwake-router.service") == "activating")
                command.kill()
            self.assertEqual(status()["state"], "enabling")
            HOLD.unlink()
            sockwake("disable")
        self.assertEqual(docker_pid(), pid)
        self.assertEqual(machine(), self.before)

    def test_killed_while_docker_is_restarted(self):
        for way, other, state in (("enable", "disable", "enabling"), ("disable", "enable", "disabling")):
            with held("docker.service"):
                if way == "disable":
                    HOLD.unlink()
                    sockwake("enable")
                    HOLD.touch()
                with harness.spawn("sockwake", "router", way) as command:
                    harness.eventually(lambda: self.scope.state("docker.service") == "activating")
                    command.kill()
                self.assertEqual(status()["state"], state)
                self.assertIn("broken off", sockwake("status").stdout)
                HOLD.unlink()
                sockwake(other)
            self.assertEqual(status()["state"], "on" if other == "enable" else "off")
            harness.run("docker", "ps")
            if other == "disable":
                self.assertEqual(machine(), self.before)


class Restricted(harness.Case):
    """Sockets with rules of their own, as docs/router-rules.md has them."""

    scopes = (harness.SYSTEM_DOCKER,)
    config = pathlib.Path("/etc/sockwake/router-ci.conf")
    unit = "sockwake-router@ci.socket"
    socket = "/run/sockwake-router-ci.sock"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sockwake("enable")
        cls.addClassCleanup(sockwake, "disable")

    def setUp(self):
        super().setUp()
        self.addCleanup(self.clean_up)

    def clean_up(self):
        self.scope.clean()
        harness.run("systemctl", "disable", "--now", self.unit)
        shutil.rmtree(f"/etc/systemd/system/{self.unit}.d", ignore_errors=True)
        self.config.unlink(missing_ok=True)
        harness.run("systemctl", "daemon-reload")
        harness.run("systemctl", "reset-failed", self.unit, check=False)

    def follow_the_page(self):
        """Word for word, but for the image."""
        section = PAGE.read_text().partition("## A restricted socket")[2].partition("\n## ")[0]
        self.config.write_text(re.search(r"```ini\n(.*?)```", section, re.DOTALL)[1])
        commands = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].replace("sudo ", "")
        self.assertIn("gitlab/gitlab-runner\n", commands)
        options = " ".join((*servers.PYTHON, "--env=PATH=/usr/bin:/bin", "--network=none", harness.BUSYBOX, "sleep", "1000"))
        return harness.run("bash", "-ec", commands.replace("gitlab/gitlab-runner", options)).stdout

    def ask_as(self, user, group):
        identity = ("setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={group}")
        return harness.run(*identity, "docker", f"--host=unix://{self.socket}", "ps", check=False)

    def test_the_example_of_the_page(self):
        self.assertIn("CONTAINER ID", self.follow_the_page())
        inside = ("docker", "exec", "runner", "/usr/bin/docker")
        refused = harness.run(*inside, "volume", "ls", check=False).stderr
        self.assertIn(f"in the section [rules] of {self.config}", refused)
        volume = f"--volume={self.socket}:/var/run/docker.sock"
        options = ("--rm", "--name=another", "--network=none", volume, *servers.PYTHON)
        refused = harness.run("docker", "run", *options, harness.BUSYBOX, "/usr/bin/docker", "ps", check=False).stderr
        self.assertIn(f"containers = another in {self.config}", refused)
        self.assertIn("permission denied", self.ask_as("other", "other").stderr)
        self.assertEqual(self.ask_as("other", "ci").returncode, 0)
        [restricted] = status()["restricted"]
        self.assertEqual(restricted["socket"], self.socket)
        self.assertEqual((restricted["listening"], restricted["configuration_error"]), (True, None))
        self.assertIn(f"under the rules of {self.config}", sockwake("status").stdout)
        self.config.write_text(self.config.read_text().replace("containers.list ", ""))
        harness.eventually(lambda: "allow = containers.list" in harness.run(*inside, "ps", check=False).stderr)

    def test_it_needs_the_router(self):
        self.config.write_text("[rules]\n")
        harness.run("systemctl", "start", self.unit)
        self.assertIn(f"sudo systemctl disable --now {self.unit}", sockwake("disable").stderr)
        self.assertIn("comes to no engine while the router is off", sockwake("status").stdout)
        sockwake("enable")

    def test_without_rules_it_does_not_open(self):
        for text, why in ((None, "there is no file"), ("[router]\ncontainers = runner\n", "has no section [rules]"),
                          ("[rule]\nallow = containers.list\n", "there is no section '[rule]'")):
            if text:
                self.config.write_text(text)
            self.assertNotEqual(harness.run("systemctl", "start", self.unit, check=False).returncode, 0)
            self.assertIsNone(describe(self.socket))
            journal = ("journalctl", "--unit", self.unit, f"--since=@{self.started}", "--output=cat")
            harness.eventually(lambda: why in harness.run(*journal).stdout)
            errors = [r["configuration_error"] for r in status()["restricted"]]
            self.assertEqual([why in error for error in errors], [True] if text else [])
