"""Desktop notifications: visible to the user at the desktop, and without delaying clients."""

import os
import re
import signal
import subprocess
import time

import harness

PORT = 7700
DAEMON = "/run/notification-daemon"
SOURCE = os.path.join(os.path.dirname(__file__), "notification_daemon.c")
DELAY = 4  # seconds for a sleep and a wake, which take less than one


class NotificationCase(harness.Case):
    any_release = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.run("cc", "-o", DAEMON, SOURCE, "-lsystemd")

    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis")

    def daemon(self, *options):
        """A notification daemon on the user's bus; its output comes line by line."""
        process = harness.spawn(DAEMON, *options, user="wake", stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process.stdout

    def instance(self, *options, port=PORT, name="server"):
        user = ("--user", "wake") if self.scope.is_system else ()
        self.scope.instance(name, port, 6379, *user, *options, container="server")

    def wake(self, port=PORT):
        self.assertEqual(harness.redis(port, "ping"), "PONG")

    def assert_silent(self):
        """Nothing in the journal that a person should read."""
        self.assertEqual(self.scope.unit_journal("server", "--priority=notice", since=self.started), [])

    def assert_notified(self, lines, summary):
        self.assertRegex(lines.readline(), rf"\A{summary}\t.+\n\Z")

    def assert_not_delayed(self):
        """A client that comes while the instance goes to sleep waits for nobody else."""
        self.wake()
        harness.eventually(lambda: self.scope.state("server.service") == "active")
        began = time.monotonic()
        self.scope.systemctl("stop", "--no-block", "server.service")
        harness.eventually(lambda: self.scope.state("server.service") != "active", interval=0.001)
        self.wake()
        self.assertLess(time.monotonic() - began, DELAY)


class Notifications(NotificationCase):
    """For the user `wake`, of its own instances and of the system's."""

    def test_started_and_stopped(self):
        lines = self.daemon()
        self.instance()
        for _ in range(2):
            self.wake()
            self.assert_notified(lines, "server started")
            self.scope.sockwake("sleep", "server")
            self.assert_notified(lines, "server stopped")
        self.assert_silent()

    def test_unwanted(self):
        lines = self.daemon()
        self.instance("--no-notifications")
        self.instance(name="wanted", port=PORT + 1)
        self.wake()
        self.scope.sockwake("sleep", "server")
        self.wake(PORT + 1)
        self.assert_notified(lines, "wanted started")

    def test_no_daemon(self):
        self.instance()
        self.wake()
        self.scope.sockwake("sleep", "server")
        self.assert_silent()

    def test_daemon_that_the_bus_starts(self):
        user = harness.USER_PODMAN
        output = f"{user.runtime_directory}/notified"
        service = f"{user.home}/.local/share/dbus-1/services/org.freedesktop.Notifications.service"
        command = f"[D-BUS Service]\nName=org.freedesktop.Notifications\nExec=/bin/sh -c 'sleep 0.3; exec {DAEMON} >{output}'\n"
        user.run("sh", "-c", 'mkdir -p "${1%/*}" && cat >"$1"', "write", service, input=command)
        reload = ("busctl", "--user", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig")
        user.run(*reload)
        user.run("rm", "-f", output)
        try:
            self.instance()
            self.wake()
            harness.eventually(lambda: user.run("cat", output).stdout.startswith("ready\nserver started\t"))
        finally:
            user.run("rm", service)
            user.run(*reload)
            status = user.run("busctl", "--user", "status", "org.freedesktop.Notifications", check=False).stdout
            for pid in re.findall(r"(?m)^PID=(\d+)$", status):
                os.kill(int(pid), signal.SIGTERM)

    def test_hanging_daemon(self):
        lines = self.daemon("--hang")
        self.instance()
        self.wake()
        self.assert_notified(lines, "server started")
        self.assert_not_delayed()


class SystemNotifications(NotificationCase):
    """What only root can do: notify others."""

    scopes = (harness.SYSTEM_DOCKER,)

    def test_whom(self):
        lines = self.daemon()
        argv = ("sockwake", "create", "server", f"-p{PORT}:6379")
        self.scope.run("env", "SUDO_USER=wake", *argv)
        self.wake()
        self.assert_notified(lines, "server started")
        self.scope.run(*argv, "--force")  # root itself has no desktop
        self.assertNotIn("--notify", self.scope.property("server.service", "ExecStartPost"))
        self.assertNotEqual(self.scope.run(*argv, "--force", "--user=nobody-of-that-name", check=False).returncode, 0)

    def test_user_without_a_bus(self):
        self.scope.instance("server", PORT, 6379, "--user=daemon")
        self.wake()
        self.scope.sockwake("sleep", "server")
        self.assert_silent()

    def test_hanging_bus(self):
        pid = int(harness.USER_PODMAN.property("dbus.service", "MainPID"))
        self.instance()
        harness.freeze(pid)
        try:
            self.wake()
            self.assert_not_delayed()
        finally:
            os.kill(pid, signal.SIGCONT)
