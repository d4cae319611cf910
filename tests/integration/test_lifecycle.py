"""Life around an awake instance: what others do to its container, and what is said and kept then."""

import json
import os
import signal
import time

import harness
import servers

PORT = 8300
SOON = 4  # seconds; a pause for a start that may still be under way would take longer


class Lifecycle(harness.Case):
    def redis(self, *options):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, *options)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def instance(self):
        [instance] = json.loads(self.scope.sockwake("list", "--json").stdout)
        return instance

    def test_renamed_while_awake(self):
        """It is put to sleep by the identifier that the wake has written down."""
        self.redis("--idle-timeout=1s")
        self.scope.engine_run("rename", "server", "other")
        harness.eventually(lambda: self.scope.container_state("other") == "exited", timeout=20)
        harness.eventually(lambda: self.scope.state("server.service") == "inactive")

    def test_a_frozen_proxy_does_not_outlive_the_container(self):
        self.redis()
        container = self.scope.container_pid("server")
        os.kill(self.scope.process("server"), signal.SIGSTOP)
        os.kill(container, signal.SIGKILL)
        began = time.monotonic()
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertLess(time.monotonic() - began, 10)
        self.assertNotEqual(self.scope.container_pid("server"), container)

    def test_a_container_that_ends_at_once_is_started_once(self):
        """And the next client is not kept waiting by the end of that wake."""
        self.scope.container("server", "sh", "-c", "echo started; exit 3", image=harness.BUSYBOX)
        self.scope.instance("server", PORT, 6379)
        harness.refusal(PORT)
        began = time.monotonic()
        harness.eventually(lambda: self.scope.state("server.service") == "failed")
        self.assertLess(time.monotonic() - began, SOON)
        self.assertEqual(self.scope.engine_run("logs", "server").stdout.splitlines(), ["started"])
        self.assertIn("logs server", self.instance()["reason"])

    def test_why_a_wake_failed_is_shown_while_it_is_put_to_sleep(self):
        late = servers.late(9000, 60)
        self.scope.container("server", *late, image=harness.BUSYBOX, options=("--stop-timeout=5",))  # deaf to SIGTERM
        self.scope.instance("server", PORT, 9000, "--startup-timeout=1s")
        harness.refusal(PORT)
        instance = self.instance()
        self.assertEqual(instance["state"], "stopping")
        self.assertIn("9000", instance["reason"])

    def test_a_hold_outlives_the_container(self):
        self.redis()
        self.scope.sockwake("wake", "server", "--for", "1h")
        os.kill(self.scope.container_pid("server"), signal.SIGKILL)
        self.scope.fall_asleep("server")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertIn("Held: ", self.scope.sockwake("status", "server").stdout)


class Spellings(harness.Case):
    scopes = (harness.SYSTEM_DOCKER,)

    def test_one_container_has_one_lock(self):
        """However its engine's socket is written."""
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, "--idle-timeout=1s")
        other = ("--engine-socket=/var/run/docker.sock", "--idle-timeout=1h")
        self.scope.instance("other", PORT + 1, 6379, *other, container="server")
        with harness.connect(PORT + 1) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.assertEqual(harness.redis(PORT, "ping"), "PONG")
            self.scope.fall_asleep("server")
            self.assertEqual(self.scope.container_state("server"), "running")
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")


class Away(harness.Case):
    scopes = (harness.USER_PODMAN,)

    def test_a_wake_does_not_wait_for_ever_for_a_sleep(self):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, "--idle-timeout=1s", "--startup-timeout=5s")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        units = ("podman.socket", "podman.service")
        self.addCleanup(lambda: self.scope.systemctl("start", units[0]))
        self.scope.systemctl("stop", *units)
        harness.eventually(lambda: "not asleep yet" in self.scope.sockwake("status", "server").stdout, timeout=20)
        result = self.scope.sockwake("wake", "server", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("podman.socket", result.stderr)
        self.scope.systemctl("start", units[0])
        harness.eventually(lambda: self.scope.container_state("server") == "exited", timeout=20)
