"""An awake instance while others act on its container: its messages and state."""

import glob
import json
import os
import signal
import threading
import time

import fake_engine
import harness
import servers

PORT = 8300
RECENT = 5  # seconds; how long the keeper looks for another run of a container that has ended
SOON = 4  # seconds; a wait for a start in progress would take longer
STOP_LIMIT = 150  # seconds; other units of a session, such as the engine's, may take 90
# systemd.journal-fields(7), sd-messages.h
STOPPING, STOPPED = "de5b426a63be47a7b6ac3eaac82e2f6f", "9d1aaa27d60140bd96365438aad20286"


class Lifecycle(harness.Case):
    def redis(self, *options):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, *options)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def instance(self):
        [instance] = json.loads(self.scope.sockwake("list", "--json").stdout)
        return instance

    def test_renamed_while_awake(self):
        """The stop uses the identifier that the wake has recorded."""
        self.redis("--idle-timeout=1s")
        self.scope.engine_run("rename", "server", "other")
        harness.eventually(lambda: self.scope.container_state("other") == "exited", timeout=20)
        harness.eventually(lambda: self.scope.state("server.service") == "inactive")

    def test_renamed_and_another_made_while_awake(self):
        """As updaters do before they stop the old container."""
        self.redis("--idle-timeout=3s")
        self.scope.engine_run("rename", "server", "other")
        self.scope.container("server", "redis")
        harness.eventually(lambda: self.scope.container_state("other") == "exited", timeout=20)
        self.scope.fall_asleep("server")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertEqual(self.scope.container_state("server"), "running")
        self.assertEqual(self.scope.container_state("other"), "exited")

    def test_renamed_and_another_started_while_awake(self):
        """Both run until nobody uses the instance."""
        self.redis("--idle-timeout=3s")
        self.scope.engine_run("rename", "server", "other")
        self.scope.container("server", "redis")
        self.scope.engine_run("start", "server")
        harness.eventually(lambda: self.scope.container_state("other") == "exited", timeout=20)
        harness.eventually(lambda: self.scope.container_state("server") == "exited")
        self.scope.fall_asleep("server")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.scope.sockwake("remove", "server")
        self.assertEqual(glob.glob(f"{self.scope.runtime_directory}/sockwake/*[0-9a-f].lock"), [])

    def test_a_frozen_proxy_does_not_outlive_the_container(self):
        self.redis()
        container = self.scope.container_pid("server")
        harness.freeze(self.scope.process("server"))
        os.kill(container, signal.SIGKILL)
        began = time.monotonic()
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertLess(time.monotonic() - began, 10)
        self.assertNotEqual(self.scope.container_pid("server"), container)

    def test_a_frozen_proxy_does_not_keep_it_awake(self):
        """The same for a proxy that was taken over and ignores requests."""
        self.redis("--drain-timeout=1s")
        harness.freeze(self.scope.process("server"))
        began = time.monotonic()
        self.scope.sockwake("sleep", "server")
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual(self.scope.container_state("server"), "exited")

    def test_a_container_that_ends_at_once_is_started_once(self):
        """The end of that wake does not delay the next client."""
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
        self.scope.container("server", *late, image=harness.BUSYBOX, options=("--health-cmd=true",))
        self.scope.instance("server", PORT, 9000, "--health-check=healthy")
        # The new container has none, and ignores SIGTERM.
        self.scope.engine_run("rm", "server")
        self.scope.container("server", *late, image=harness.BUSYBOX, options=("--stop-timeout=5",))
        harness.refusal(PORT)
        # The manager hears of it beside the client.
        harness.eventually(lambda: self.instance()["state"] == "stopping", timeout=3)
        self.assertIn("has no health check", self.instance()["reason"])

    def test_a_hold_outlives_the_container(self):
        self.redis()
        self.scope.sockwake("wake", "server", "--for", "1h")
        os.kill(self.scope.container_pid("server"), signal.SIGKILL)
        self.scope.fall_asleep("server")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertIn("Held: ", self.scope.sockwake("status", "server").stdout)


class Spellings(harness.Case):
    scopes = (harness.SYSTEM_DOCKER,)
    any_release = True

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

    def test_what_one_serves_the_others_need_not_attend(self):
        """However its engine's socket is written, and the container itself."""
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379)
        identifier = self.scope.engine_run("inspect", "--format", "{{.Id}}", "server").stdout.strip()
        other = "--engine-socket=/var/run/docker.sock"
        self.scope.instance("other", PORT + 1, 6379, other, container="server")
        self.scope.instance("third", PORT + 2, 6379, container=identifier)
        for k in range(3):
            with self.subTest(k):
                self.assertEqual(harness.redis(PORT + k, "ping"), "PONG")
                self.assertNotIn("unattended", self.scope.sockwake("list").stdout)
                self.assertNotIn("nobody woke it", self.scope.sockwake("status", "server", "other", "third").stdout)
                self.assertEqual(self.scope.sockwake("attend").stdout, "")
                self.scope.sockwake("sleep", ("server", "other", "third")[k])
        for name in ("third", "other", "server"):
            self.scope.sockwake("remove", name)
        self.assertEqual(glob.glob("/var/lib/sockwake/*"), [])


class Away(harness.Case):
    scopes = (harness.USER_PODMAN,)

    def test_told_to_sleep_in_vain_and_then_again(self):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        units = ("podman.socket", "podman.service")
        self.addCleanup(lambda: self.scope.systemctl("start", units[0]))
        self.scope.systemctl("stop", *units)
        self.assertEqual(self.scope.sockwake("sleep", "server", check=False).returncode, 1)
        reason = "the container may still run: 'sockwake sleep server' tries again"
        self.assertIn(reason, self.scope.sockwake("list").stdout)
        self.scope.systemctl("start", units[0])
        self.scope.sockwake("sleep", "server")
        (listed,) = json.loads(self.scope.sockwake("list", "--json").stdout)
        self.assertEqual((listed["state"], listed["reason"]), ("asleep", None))

    def test_a_wake_does_not_wait_for_ever_for_a_sleep(self):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, "--idle-timeout=1s", "--startup-timeout=5s")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        units = ("podman.socket", "podman.service")
        self.addCleanup(lambda: self.scope.systemctl("start", units[0]))
        self.scope.systemctl("stop", *units)
        harness.eventually(lambda: "not asleep yet" in self.scope.sockwake("status", "server").stdout, timeout=20)
        for command in (("wake", "server"), ("attend",)):
            result = self.scope.sockwake(*command, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn("podman.socket", result.stderr)
        self.scope.systemctl("start", units[0])
        harness.eventually(lambda: self.scope.container_state("server") == "exited", timeout=20)


class Others(harness.Case):
    """Somebody else starts, restarts, replaces the container: docs/lifecycle.md."""

    IDLE = "--idle-timeout=1s"

    def setUp(self):
        super().setUp()
        self.began = time.monotonic()

    def server(self, *options):
        self.scope.container("server", "redis", options=(*servers.STOP_AT_ONCE, *options))

    def assert_falls_asleep(self):
        harness.eventually(lambda: self.scope.container_state("server") == "exited", timeout=15)
        self.scope.fall_asleep("server")
        self.assertEqual(self.scope.container_state("server"), "exited")

    def assert_goes_on(self):
        """The new run is served, not stopped under its clients, and sleeps when nobody uses it."""
        with harness.connect(PORT) as connection:
            connection.settimeout(3)
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.assertEqual(self.scope.state("server.service"), "active")
            with self.assertRaises(TimeoutError):
                connection.recv(1)
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
        self.assert_falls_asleep()

    def test_restarted(self):
        self.server()
        self.scope.instance("server", PORT, 6379, self.IDLE)
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.scope.engine_run("restart", "server")
        self.assert_goes_on()

    def test_restarted_and_nobody_comes(self):
        self.server()
        self.scope.instance("server", PORT, 6379, "--idle-timeout=3s")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        before = self.scope.container_pid("server")
        self.scope.engine_run("restart", "server")
        harness.eventually(lambda: self.scope.container_pid("server") not in (0, before))
        self.assertEqual(self.scope.container_state("server"), "running")
        self.assert_falls_asleep()

    def test_replaced(self):
        self.server()
        self.scope.instance("server", PORT, 6379, self.IDLE)
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.scope.engine_run("rm", "--force", "server")
            self.server()
            self.scope.engine_run("start", "server")
        self.assert_goes_on()

    def test_replaced_by_one_that_its_engine_would_remove(self):
        self.server()
        self.scope.instance("server", PORT, 6379, self.IDLE)
        self.scope.engine_run("rm", "server")
        self.server("--rm")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.scope.fall_asleep("server")
        self.assertEqual(self.scope.container_state("server"), "running")
        self.assertIn("was made with --rm", "".join(self.scope.unit_journal("server", since=self.started)))
        self.scope.engine_run("stop", "server")

    def test_replaced_while_clients_come(self):
        """Only current connections are cut off if another run begins within RECENT seconds."""
        served, lost, over = [], [], threading.Event()

        def come():
            while not over.is_set():
                try:
                    answer = harness.exchange(PORT, b"PING\r\n")
                    (served if answer == b"+PONG\r\n" else lost).append(answer)
                except OSError as error:
                    lost.append(error)
                time.sleep(0.03)

        def assert_served_again():
            before = len(served)
            harness.eventually(lambda: len(served) > before, timeout=30)

        self.server()
        self.scope.instance("server", PORT, 6379, "--idle-timeout=5s")
        client = threading.Thread(target=come, daemon=True)
        client.start()
        self.addCleanup(client.join, 40)
        self.addCleanup(over.set)
        in_time = 0
        for _ in range(10):
            assert_served_again()
            before, began = len(lost), time.monotonic()
            self.scope.engine_run("rm", "--force", "server")
            self.server()
            self.scope.engine_run("start", "server")
            took = time.monotonic() - began
            assert_served_again()
            if took < RECENT:  # a disk may be busy
                in_time += 1
                self.assertLessEqual(len(lost) - before, 1, lost[before:])
            if in_time == 3:
                break
        self.assertEqual(in_time, 3)
        harness.eventually(lambda: self.scope.state("server.service") == "active")

    def test_running_when_the_instance_is_created(self):
        self.server()
        self.scope.engine_run("start", "server")
        result = self.scope.instance("server", PORT, 6379, self.IDLE)
        self.assertIn("runs already", result.stderr)
        self.assert_falls_asleep()

    def test_started_while_the_instance_sleeps(self):
        self.server()
        self.scope.instance("server", PORT, 6379, self.IDLE)
        self.scope.engine_run("start", "server")
        self.assertIn("running, unattended", self.scope.sockwake("list").stdout)
        self.assertIn("'sockwake attend'", self.scope.sockwake("status", "server").stdout)
        self.assertIn("'server'", self.scope.sockwake("attend").stdout)
        self.assert_falls_asleep()
        self.assertEqual(self.scope.sockwake("attend").stdout, "")

    def test_kept_running_is_not_attended(self):
        self.server()
        self.scope.engine_run("start", "server")
        self.scope.instance("server", PORT, 6379, self.IDLE, "--keep-running")
        self.assertEqual(self.scope.sockwake("attend").stdout, "")
        self.assertEqual(self.scope.state("server.service"), "inactive")

    def test_policy_brings_it_up(self):
        once = "[ -e /once ] || { touch /once; sleep 0.3; exit 1; }; exec serve redis"
        self.scope.container("server", "sh", "-c", once, options=(*servers.STOP_AT_ONCE, "--restart=on-failure"))
        self.scope.instance("server", PORT, 6379, self.IDLE)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assert_falls_asleep()

    def test_what_its_policy_restarts_is_still_ours(self):
        """Only sockwake has started it, also with --keep-running."""
        self.server("--restart=always")
        self.scope.instance("server", PORT, 6379, self.IDLE, "--keep-running")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        before = self.scope.container_pid("server")
        os.kill(before, signal.SIGKILL)
        harness.eventually(lambda: self.scope.container_pid("server") not in (0, before))
        self.assert_falls_asleep()

    def test_restarted_before_it_is_ready(self):
        """Docker's restart is a stop and a start: the next run serves waiting clients."""
        slow = "trap 'exit 0' TERM; sleep 2 & wait; exec serve redis"
        for command in (slow, "sleep 2; exec serve redis"):
            with self.subTest(command):
                self.scope.container("server", "sh", "-c", command, options=("--stop-timeout=1",))
                self.scope.instance("server", PORT, 6379, "--startup-timeout=20s")
                with harness.connect(PORT) as client:
                    client.sendall(b"PING\r\n")
                    harness.eventually(lambda: self.scope.process("server"))
                    self.scope.engine_run("restart", "server")
                    self.assertEqual(client.recv(64), b"+PONG\r\n")
                self.assertEqual(self.scope.container_state("server"), "running")
                self.scope.sockwake("remove", "server")
                self.scope.engine_run("rm", "--force", "server")

    def test_policy_does_not_outlive_a_failed_wake(self):
        self.scope.container("server", "sh", "-c", "sleep 0.2; exit 3", options=("--restart=always",))
        self.scope.instance("server", PORT, 6379, "--startup-timeout=2s")
        harness.refusal(PORT)
        self.scope.fall_asleep("server")
        pid = self.scope.container_pid("server")
        self.assertEqual(pid, 0)
        with self.assertRaises(AssertionError):
            harness.eventually(lambda: self.scope.container_pid("server") != 0, timeout=2)


    def test_policy_outruns_the_stop(self):
        """A container that ends by itself just before the stop is started again all the same."""
        run = self.scope.runtime_directory
        self.server("--restart=always")
        with fake_engine.FakeEngine(f"{run}/{'docker.sock' if self.scope.is_system else 'podman/podman.sock'}") as engine:
            engine.behave(fake_engine.once_before(b"/stop", self.end_by_itself))
            self.scope.instance("server", PORT, 6379, self.IDLE, f"--engine-socket={engine.path}")
            self.assertEqual(harness.redis(PORT, "ping"), "PONG")
            self.assert_falls_asleep()
            with self.assertRaises(AssertionError):
                harness.eventually(lambda: self.scope.container_pid("server") != 0, timeout=2)
            self.scope.sockwake("remove", "server")

    def end_by_itself(self):
        pid = self.scope.container_pid("server")
        os.kill(pid, signal.SIGKILL)
        harness.eventually(lambda: not os.path.exists(f"/proc/{pid}"), interval=0.001)


class Neighbours(harness.Case):
    any_release = True

    def test_a_wake_does_not_wait_for_what_another_instance_does(self):
        """The same if a command for all instances runs meanwhile."""
        stubborn = ("sh", "-c", "trap '' INT TERM; serve redis & wait")
        self.scope.container("stubborn", *stubborn, options=("--stop-timeout=15",))
        self.scope.instance("stubborn", PORT + 1, 6379)
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379)
        self.assertEqual(harness.redis(PORT + 1, "ping"), "PONG")
        sleep = self.scope.spawn("sockwake", "sleep", "stubborn")
        harness.eventually(lambda: self.scope.state("stubborn.service") == "deactivating")
        self.scope.sockwake("refresh", "--all")
        self.scope.sockwake("attend")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertEqual(self.scope.state("stubborn.service"), "deactivating")
        self.scope.engine_run("kill", "stubborn")
        self.assertEqual(sleep.wait(40), 0)


class Reexecution(harness.Case):
    """systemd re-executes itself, as in an upgrade, and drops all connections."""

    def reexecute_meanwhile(self, *command):
        """When what it has to stop is being stopped."""
        stubborn = "trap 'sleep 2; exit' INT TERM; serve redis & wait"
        self.scope.container("server", "sh", "-c", stubborn)
        self.scope.instance("server", PORT, 6379)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        process = self.scope.spawn("sockwake", *command)
        harness.eventually(lambda: self.scope.state("server.service") == "deactivating")
        self.scope.systemctl("daemon-reexec")
        self.assertEqual(process.wait(40), 0)

    def test_replaced(self):
        self.reexecute_meanwhile("create", "server", "--force", "-p", f"{PORT}:6379", "--idle-timeout=7min")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def test_told_to_sleep(self):
        self.reexecute_meanwhile("sleep", "server")
        self.assertEqual(self.scope.container_state("server"), "exited")

    def test_removed(self):
        self.reexecute_meanwhile("remove", "server")
        self.assertEqual(self.scope.systemctl("list-units", "--all", "--no-legend", "server.*").stdout, "")


    def reexecute_at_once(self, delay):
        process = self.scope.spawn("systemctl", *([] if self.scope.is_system else ["--user"]), "daemon-reexec")
        time.sleep(delay)
        return process

    def test_commands_begin_while_it_is_not_there(self):
        self.scope.container("server", "redis")
        create = ("create", "server", "-p", f"{PORT}:6379", "--force")
        for delay in (0, 0.01, 0.02, 0.04, 0.08):
            with self.subTest(delay=delay):
                reexec = self.reexecute_at_once(delay)
                self.scope.sockwake(*create)
                self.assertEqual(reexec.wait(30), 0)
                self.assertEqual(harness.redis(PORT, "ping"), "PONG")
                reexec = self.reexecute_at_once(delay)
                self.scope.sockwake(*create)
                self.assertEqual(reexec.wait(30), 0)
                self.assertEqual(harness.redis(PORT, "ping"), "PONG")
                reexec = self.reexecute_at_once(delay)
                self.scope.sockwake("remove", "server")
                self.assertEqual(reexec.wait(30), 0)
                self.assertEqual(self.scope.systemctl("list-units", "--all", "--no-legend", "server.*").stdout, "")
                self.assertEqual(self.scope.container_state("server"), "exited")


class ReexecutionWithoutEngine(harness.Case):
    scopes = (harness.USER_PODMAN,)

    def test_it_is_no_shutdown(self):
        """The sleep goes on until the engine is there again."""
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, "--idle-timeout=1s")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.scope.systemctl("stop", "podman.socket", "podman.service")
        self.addCleanup(self.scope.systemctl, "start", "podman.socket")
        harness.eventually(lambda: self.scope.state("server.service") == "deactivating")
        for _ in range(20):
            self.scope.systemctl("daemon-reexec")
        self.assertEqual(self.scope.state("server.service"), "deactivating")
        self.scope.systemctl("start", "podman.socket")
        harness.eventually(lambda: self.scope.container_state("server") == "exited")


class LikeAnIdentifier(harness.Case):
    """Engines take an unknown name for the beginning of an identifier."""

    def test_a_stranger_is_left_alone(self):
        identifier = self.scope.container("stranger", "redis")
        name = identifier[:3]
        self.scope.container(name, "redis")
        self.scope.instance(name, PORT, 6379)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.scope.engine_run("rm", "--force", name)
        self.scope.fall_asleep(name)
        harness.refusal(PORT)
        self.scope.engine_run("start", "stranger")
        [complaint, *_] = harness.eventually(lambda: self.scope.complaints(name, self.started))
        self.assertIn(f"no container '{name}'", complaint)
        self.assertNotEqual(self.scope.sockwake("logs", name, check=False).returncode, 0)
        self.scope.sockwake("sleep", name)
        self.scope.sockwake("remove", name)
        self.assertEqual(self.scope.container_state("stranger"), "running")
        result = self.scope.sockwake("create", name, "-p", f"{PORT}:6379", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"no container '{name}'", result.stderr)


class OneContainer(harness.Case):
    """Two instances of one container, under any names."""

    any_release = True

    def busy_beside(self, container, *options):
        self.scope.container("server", "redis", options=servers.STOP_AT_ONCE)
        identifier = self.scope.engine_run("inspect", "--type=container", "--format={{.Id}}", "server").stdout.strip()
        self.scope.instance("server", PORT, 6379, "--idle-timeout=200ms")
        self.scope.instance("door", PORT + 1, 6379, *options, container=container.format(id=identifier))

    def assert_not_cut(self):
        with harness.connect(PORT + 1) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.assertEqual(harness.redis(PORT, "ping"), "PONG")
            self.scope.fall_asleep("server")
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")

    def test_by_its_identifier(self):
        self.busy_beside("{id}")
        self.assert_not_cut()

    def test_through_another_path_of_the_engine(self):
        """A hard link, since symbolic links are resolved."""
        run = self.scope.runtime_directory
        other = f"{run}/other.sock"
        os.link(f"{run}/docker.sock" if self.scope.is_system else f"{run}/podman/podman.sock", other)
        self.addCleanup(os.unlink, other)
        self.busy_beside("server", f"--engine-socket={other}")
        self.assert_not_cut()

    def forget(self):
        """A Quadlet or container that was made stays if only its instance could be removed."""
        self.scope.sockwake("remove", "--all", check=False)
        directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
        self.scope.run("rm", "--force", f"{directory}/server-container.container")
        self.scope.systemctl("daemon-reload")

    def test_is_not_removed_under_another(self):
        network = () if self.scope.is_system else ("--network=none",)
        publish = ("-p", f"{PORT}:6379")
        self.scope.sockwake("create", "server", "--image", "localhost/servers", *publish, *network, "--", "redis")
        self.addCleanup(self.forget)
        self.scope.instance("door", PORT + 1, 6379, container="server")
        with harness.connect(PORT + 1) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            result = self.scope.sockwake("remove", "--with-container", "server", check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn("another instance is using the container 'server'", result.stderr)
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")


class EndOfTheSession(harness.Case):
    waits = True
    scopes = (harness.USER_PODMAN,)
    timeout = 2 * STOP_LIMIT

    def time_of(self, message):
        """The time of the last such message of the service manager about server.service, in seconds."""
        search = (f"--since=@{self.started}", f"MESSAGE_ID={message}", "USER_UNIT=server.service")
        lines = harness.run("journalctl", "--output=json", *search).stdout.splitlines()
        return int(json.loads(lines[-1])["__MONOTONIC_TIMESTAMP"]) / 1e6

    def test_does_not_wait_for_an_engine_that_has_gone(self):
        """At a shutdown Podman's service can no longer start, and its socket hangs up."""
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        manager = f"user@{self.scope.uid}.service"
        self.addCleanup(harness.run, "systemctl", "start", manager)
        harness.run("systemctl", "stop", manager, timeout=STOP_LIMIT)
        began, ended = (self.time_of(message) for message in (STOPPING, STOPPED))
        self.assertLess(ended - began, 20)
        harness.run("systemctl", "start", manager)
        self.scope.systemctl("stop", "sockwake-attend-boot.service")  # other tests do not boot
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
