"""Container units: Quadlets, and hand-written units with `podman run` or `docker run`."""

import contextlib
import json
import os
import pathlib
import socket
import time

import harness

PORT = 7500
# Quadlet is part of Podman from 4.4 on.
QUADLET = os.path.exists("/usr/lib/systemd/system-generators/podman-system-generator")
INFRA = f'--infra-image {harness.BUSYBOX} --infra-command "sleep 1000"'  # a lab has no pause image
PODMANS = (harness.SYSTEM_PODMAN, harness.USER_PODMAN) if QUADLET else ()


def quadlet_directory(scope):
    return "/etc/containers/systemd" if scope.is_system else f"{scope.home}/.config/containers/systemd"


class UnitCase(harness.Case):
    """A container `cache` with Redis, which cache.service runs. After each test that unit is gone."""

    def setUp(self):
        super().setUp()
        self.files = []
        self.addCleanup(self.forget_units)

    def forget_units(self):
        self.scope.systemctl("stop", "cache.service", check=False)
        for path in self.files:
            self.scope.run("rm", "-f", path)
        self.scope.systemctl("daemon-reload")

    def write(self, path, text):
        self.files.append(path)
        self.scope.run("mkdir", "-p", os.path.dirname(path))
        self.scope.run("tee", path, input=text)

    def create(self, *options):
        """Creates cache-wake; returns the command's notes."""
        backend = ("--backend", self.scope.engine)
        return self.scope.sockwake("create", *backend, "-p", f"127.0.0.1:{PORT}:6379", *options).stderr

    def instances(self):
        return json.loads(self.scope.sockwake("list", "--json").stdout)

    def running(self):
        return self.scope.engine_run("ps", "--quiet").stdout != ""

    def assert_asleep(self, timeout=40):
        """`podman run` of Podman 4.3 may take 20 s to notice the end of its container."""
        harness.eventually(lambda: self.scope.state("cache.service") in ("inactive", "failed"), timeout)
        self.scope.fall_asleep("cache-wake")
        self.assertEqual(self.scope.state("cache-wake.service"), "inactive")
        harness.eventually(lambda: not self.running())  # the engine may notice late

    def assert_served(self):
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")


class LifeOfAUnit:
    """Tests for every container unit. `define` writes it."""

    def test_wakes_and_sleeps_through_the_unit(self):
        self.define()
        self.create("--unit", "cache.service", "--idle-timeout=2s", *self.name)
        for _ in range(2):
            self.assertEqual(self.scope.state("cache.service"), "inactive")
            self.assert_served()
            self.assertEqual(self.scope.state("cache.service"), "active")
            self.assert_asleep()
        self.assertEqual(self.scope.complaints("cache-wake", self.started), [])

    def test_sleeping_does_not_count_towards_the_limit_of_starts(self):
        self.define(unit="StartLimitIntervalSec=1min\nStartLimitBurst=2")
        self.create("--unit", "cache.service", "--idle-timeout=100ms", *self.name)
        for _ in range(4):
            self.assert_served()
            self.assert_asleep()

    def test_told_to_sleep_when_it_was_started_by_hand(self):
        self.define()
        self.create("--unit", "cache.service", *self.name)
        self.scope.systemctl("start", "cache.service")
        harness.eventually(self.running)
        self.scope.sockwake("sleep", "cache-wake")
        self.assert_asleep()

    def test_an_explicit_stop_beats_restart_always(self):
        self.define(service="Restart=always\nRestartSec=100ms")
        self.create("--unit", "cache.service", "--idle-timeout=300ms", *self.name)
        self.assert_served()
        self.assert_asleep()
        time.sleep(0.5)  # longer than RestartSec=: nothing may come back
        self.assertEqual(self.scope.state("cache.service"), "inactive")
        self.assert_served()

    def test_a_container_that_dies_is_followed_when_its_unit_restarts(self):
        self.define(service="Restart=always\nRestartSec=1s")
        self.create("--unit", "cache.service", "--idle-timeout=3s", *self.name)
        self.assert_served()
        before = self.scope.property("cache.service", "InvocationID")
        self.scope.engine_run("kill", "cache")
        harness.eventually(lambda: self.scope.property("cache.service", "InvocationID") != before)
        self.assertEqual(self.scope.state("cache-wake.service"), "active")
        self.assert_asleep()
        self.assert_served()

    def test_a_container_that_dies_sleeps_when_its_unit_does_not_restart(self):
        self.define(service="Restart=no")
        self.create("--unit", "cache.service", *self.name)
        self.assert_served()
        self.scope.engine_run("kill", "cache")
        self.assert_asleep()
        self.assert_served()

    def test_a_start_that_fails_is_refused_with_its_result(self):
        self.define(service="ExecStartPre=false\nRestart=always\nRestartSec=100ms")
        self.create("--unit", "cache.service", "--startup-timeout=10s", *self.name)
        self.assertLess(harness.refusal(PORT), 9)
        [complaint] = harness.eventually(lambda: self.scope.complaints("cache-wake", self.started))
        self.assertIn("the unit 'cache.service' ", complaint)
        harness.eventually(lambda: self.scope.state("cache-wake.service") == "failed")
        reason = json.loads(self.scope.sockwake("status", "--json", "cache-wake").stdout)["reason"]
        self.assertIn("cache.service", reason)
        # It does not keep failing in the background.
        harness.eventually(lambda: self.scope.state("cache.service") in ("inactive", "failed"))
        self.define()
        self.assert_served()

    def test_one_that_was_started_too_often_is_refused_with_the_remedy(self):
        limit = "StartLimitIntervalSec=1min\nStartLimitBurst=1"
        self.define(unit=limit, service="ExecStartPre=false")
        self.create("--unit", "cache.service", *self.name)
        self.scope.systemctl("start", "cache.service", check=False)
        harness.refusal(PORT)
        [complaint] = harness.eventually(lambda: self.scope.complaints("cache-wake", self.started))
        remedy = f"systemctl {'' if self.scope.is_system else '--user '}reset-failed cache.service"
        self.assertIn(f"was started too often (StartLimitBurst=): when it is mended, '{remedy}'", complaint)
        harness.eventually(lambda: self.scope.state("cache-wake.service") == "failed")
        self.define(unit=limit)
        self.scope.systemctl("reset-failed", "cache.service")
        self.assert_served()

    def test_a_container_that_ends_at_once_is_refused(self):
        self.define(command="false", service="Restart=always\nRestartSec=100ms")
        self.create("--unit", "cache.service", "--startup-timeout=10s", *self.name)
        self.assertLess(harness.refusal(PORT), 9)
        self.assertEqual(len(self.scope.complaints("cache-wake", self.started)), 1)
        harness.eventually(lambda: self.scope.state("cache.service") in ("inactive", "failed"))

    def test_edited_and_reloaded_while_awake(self):
        self.define()
        self.create("--unit", "cache.service", "--idle-timeout=1s", *self.name)
        self.assert_served()
        self.define(command="redis --databases 3")
        self.scope.systemctl("daemon-reload")
        self.assert_served()
        self.assert_asleep()
        self.assertIn("3", harness.redis(PORT, "config", "get", "databases").split())

    def test_the_manager_executes_itself_anew_meanwhile(self):
        """While the unit starts, and while it stops."""
        self.define(service="ExecStartPre=sleep 2\nExecStopPost=sleep 2")
        self.create("--unit", "cache.service", "--idle-timeout=1s", *self.name)
        with harness.connect(PORT) as client:
            client.sendall(b"PING\r\n")
            harness.eventually(lambda: self.scope.state("cache.service") == "activating")
            self.scope.systemctl("daemon-reexec")
            self.assertEqual(client.recv(64), b"+PONG\r\n")
        harness.eventually(lambda: self.scope.state("cache.service") == "deactivating")
        self.scope.systemctl("daemon-reexec")
        self.assert_asleep()
        self.assertEqual(self.scope.complaints("cache-wake", self.started), [])

    def test_the_manager_is_not_there_for_a_moment(self):
        """As when it re-executes itself, just when the container should sleep."""
        self.define()
        self.create("--unit", "cache.service", "--idle-timeout=1s", *self.name)
        self.assert_served()
        harness.eventually(lambda: self.scope.state("cache-wake.service") == "active")
        processes = "/sys/fs/cgroup" + self.scope.property("cache-wake.service", "ControlGroup") + "/cgroup.procs"
        with self.refusing_manager():
            harness.eventually(lambda: self.is_asked_to_stop(processes))
        self.assert_asleep()
        self.assertEqual(self.scope.complaints("cache-wake", self.started), [])

    @contextlib.contextmanager
    def refusing_manager(self):
        """Nobody listens on its socket."""
        path = f"{self.scope.runtime_directory}/systemd/private"
        os.rename(path, f"{path}.away")
        try:
            with socket.socket(socket.AF_UNIX) as nobody:
                nobody.bind(path)
                yield
        finally:
            os.rename(f"{path}.away", path)

    @staticmethod
    def is_asked_to_stop(processes):
        """By an activator that is at it, or has been."""
        names = []
        with contextlib.suppress(OSError), open(processes) as pids:
            for pid in pids.read().split():
                with contextlib.suppress(OSError):
                    names.append(pathlib.Path(f"/proc/{pid}/comm").read_text())
        return "activator\n" in names or not names

    def test_stopped_by_hand_while_awake(self):
        self.define()
        self.create("--unit", "cache.service", *self.name)
        self.assert_served()
        self.scope.systemctl("stop", "cache.service")
        self.assert_asleep()
        self.assert_served()

    def test_restarted_by_hand_while_awake(self):
        self.define()
        self.create("--unit", "cache.service", "--idle-timeout=5s", *self.name)  # longer than a restart
        self.assert_served()
        self.scope.systemctl("restart", "cache.service")
        self.assertEqual(self.scope.state("cache-wake.service"), "active")
        self.assert_served()
        self.assert_asleep()

    def test_started_by_hand_before(self):
        self.define()
        self.create("--unit", "cache.service", "--idle-timeout=300ms", *self.name)
        self.scope.systemctl("start", "cache.service")
        self.assert_served()
        self.assert_asleep()

    def test_kept_running_when_it_ran_before(self):
        self.define()
        self.create("--unit", "cache.service", "--idle-timeout=300ms", "--keep-running", *self.name)
        self.scope.systemctl("start", "cache.service")
        self.assert_served()
        self.scope.fall_asleep("cache-wake")
        self.assertEqual(self.scope.state("cache.service"), "active")
        self.scope.systemctl("stop", "cache.service")
        self.assert_served()
        self.assert_asleep()

    def test_paused(self):
        self.define()
        self.create("--unit", "cache.service", "--idle-timeout=300ms", "--idle-action=pause", *self.name)
        self.assert_served()
        for _ in range(2):
            self.scope.fall_asleep("cache-wake")
            self.assertEqual(self.scope.container_state("cache"), "paused")
            self.assertEqual(self.scope.state("cache.service"), "active")
            self.assert_served()

    def test_unknown_unit_is_refused(self):
        refused = self.scope.sockwake("create", "--unit", "cache.service", "-p", f"{PORT}:6379", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("cache.service", refused.stderr)
        self.assertEqual(self.instances(), [])


class HandWritten(LifeOfAUnit, UnitCase):
    """`docker run` and `podman run` in the foreground: the unit is active before there is a container."""

    # Rootless `podman run` of Podman 4.3 leaves its unit's control group, and does not work in a unit.
    scopes = (harness.SYSTEM_DOCKER, *(PODMANS or (harness.SYSTEM_PODMAN,)))
    name = ()

    def define(self, command="redis", unit="", service=""):
        program = f"/usr/bin/{self.scope.engine}"
        self.write(f"{self.scope.unit_directory}/cache.service", f"""
[Unit]
{unit}
[Service]
ExecStartPre=-{program} rm --force cache
ExecStart={program} run --rm --name cache --network none {harness.SERVERS} {command}
{service}
""")
        self.scope.systemctl("daemon-reload")

    def test_published_port_is_refused(self):
        self.define()
        path = f"{self.scope.unit_directory}/cache.service"
        with open(path) as file:
            text = file.read().replace("--network none", f"-p {PORT}:6379")
        self.write(path, text)
        self.scope.systemctl("daemon-reload")
        with self.assertRaisesRegex(harness.Failed, "ExecStart"):
            self.create("--unit", "cache.service")
        self.assertEqual(self.instances(), [])


class OldPodman(UnitCase):
    """Rootless, in a hand-written unit: it works, as long as systemd need not notice more than a stop."""

    scopes = () if QUADLET else (harness.USER_PODMAN,)
    define = HandWritten.define

    def test_what_it_cannot_do_is_said(self):
        self.define()
        self.assertIn("leaves the control group of cache.service", self.create("--unit", "cache.service"))
        self.assert_served()
        self.scope.sockwake("sleep", "cache-wake")
        self.assert_asleep()


class Quadlet(LifeOfAUnit, UnitCase):
    scopes = PODMANS
    name = ()

    def define(self, command="redis", unit="", service="", container="Network=none", install=""):
        path = f"{quadlet_directory(self.scope)}/cache.container"
        self.text = f"""
[Unit]
{unit}
[Container]
Image={harness.SERVERS}
ContainerName=cache
Exec={command}
{container}
[Service]
{service}
[Install]
{install}
"""
        self.write(path, self.text)
        self.path = path
        self.scope.systemctl("daemon-reload")

    def drop_ins(self):
        directory = f"{self.path}.d"
        return sorted(os.listdir(directory)) if os.path.exists(directory) else []

    def test_what_a_container_wrote_that_is_gone_is_in_the_journal_of_its_unit(self):
        journal = f"'journalctl {'' if self.scope.is_system else '--user '}-u cache.service'"
        health = "Network=none\nHealthCmd=false\nHealthInterval=disable"
        for check, how in (("listen", "with status 3 "), ("healthy", "")):
            with self.subTest(check):
                self.started = time.time()
                self.define(command="sh -c 'echo speaking; sleep 3; exit 3'", container=health)
                self.create("--unit", "cache.service", f"--health-check={check}", "--force")
                harness.refusal(PORT)
                [complaint] = harness.eventually(lambda: self.scope.complaints("cache-wake", self.started))
                self.assertIn(f"ended {how}before it was ready: {journal} may say why", complaint)
        harness.eventually(lambda: self.scope.container_state("cache") == "")
        logs = self.scope.sockwake("logs", "cache-wake")
        self.assertIn("\nspeaking\n", logs.stdout)
        self.assertIn(f"as of {journal}", logs.stderr)
        self.assertEqual(len(self.scope.sockwake("logs", "cache-wake", "-n", "1").stdout.splitlines()), 1)

    def test_however_its_end_is_noticed_there_is_one_sentence(self):
        self.define(command="sh -c 'exit 3'", container="Network=none")
        self.create("--unit", "cache.service")
        for _ in range(3):
            harness.refusal(PORT)
        self.define(command="sh -c 'sleep 1; exit 3'", container="Network=none")
        for _ in range(3):
            harness.refusal(PORT)
            harness.eventually(lambda: self.scope.state("cache-wake.service") == "failed")
        said = {line.partition("the container ")[2] for line in self.scope.complaints("cache-wake", self.started)}
        journal = f"'journalctl {'' if self.scope.is_system else '--user '}-u cache.service'"
        self.assertEqual(said, {f"'cache' ended with status 3 before it was ready: {journal} may say why"})

    def test_a_dry_run_prints_what_create_makes(self):
        self.define()
        for words in ("woken", "--container-name=cache"), ("woken", "--unit", "cache.service"):
            argv = ("create", *words, "-p", f"{PORT}:6379", f"--backend={self.scope.engine}")
            preview = self.scope.sockwake(*argv, "--dry-run")
            self.assertEqual("cache.service runs the container" in preview.stderr, "--unit" not in words)
            self.scope.sockwake(*argv)
            for kind in "socket", "service":
                with open(f"{self.scope.unit_directory}/woken.{kind}") as file:
                    self.assertIn(file.read().strip(), preview.stdout)
            self.scope.sockwake("remove", "woken")

    def test_needs_no_service_of_the_engine_to_wake(self):
        self.define()
        self.create("--unit", "cache.service")
        self.scope.systemctl("stop", "podman.socket", "podman.service")
        self.addCleanup(self.scope.systemctl, "start", "podman.socket")
        self.assert_served()

    def test_asks_the_engine_only_at_the_first_wake(self):
        """Whose the name is; then it is known where Podman keeps that."""
        self.define()
        self.create("--unit", "cache.service")
        self.assert_served()
        self.scope.sockwake("sleep", "cache-wake")
        self.scope.systemctl("stop", "podman.service")
        self.assert_served()
        self.assertEqual(self.scope.state("podman.service"), "inactive")
        self.scope.sockwake("sleep", "cache-wake")
        self.scope.run("touch", os.path.dirname(quadlet_directory(self.scope)))  # where storage.conf may be
        self.scope.systemctl("stop", "podman.service")
        self.assert_served()
        self.assertEqual(self.scope.state("podman.service"), "active")

    def test_paused_by_hand(self):
        self.define()
        self.create("--unit", "cache.service")
        self.scope.systemctl("start", "cache.service")
        self.scope.engine_run("pause", "cache")
        self.assert_served()

    def test_paused_by_hand_with_its_process_in_a_group_below(self):
        self.define()
        self.create("--unit", "cache.service")
        self.scope.systemctl("start", "cache.service")
        pid = self.scope.container_pid("cache")
        with open(f"/proc/{pid}/cgroup") as lines:
            [group] = [line.strip().removeprefix("0::") for line in lines if line.startswith("0::")]
        below = f"/sys/fs/cgroup{group}/below"
        os.mkdir(below)
        with open(f"{below}/cgroup.procs", "w") as processes:
            processes.write(str(pid))
        self.scope.engine_run("pause", "cache")
        self.assert_served()

    def test_found_by_the_label_of_a_running_container(self):
        self.define()
        self.scope.systemctl("start", "cache.service")
        self.assertIn("cache.service", self.create("--container-name", "cache", "--idle-timeout=300ms"))
        [instance] = self.instances()
        self.assertEqual((instance["name"], instance["unit"]), ("cache-wake", "cache.service"))
        self.assert_served()
        self.assert_asleep()

    def test_found_by_the_name_of_a_container_that_never_ran(self):
        self.define(container="Network=none\nContainerName=store")
        self.assertIn("cache.service", self.create("--container-name", "store"))
        [instance] = self.instances()
        self.assertEqual((instance["name"], instance["unit"]), ("store", "cache.service"))
        self.assert_served()

    def test_found_by_the_name_of_the_file(self):
        # Quadlet's own name for the container.
        self.define(container="Network=none\nContainerName=")
        for name in (("--container-name", "cache"), ("--unit", "cache.container"), ("--unit", "cache.service")):
            with self.subTest(name=name):
                self.create(*name)
                [instance] = self.instances()
                self.assertEqual((instance["name"], instance["unit"]), ("cache-wake", "cache.service"))
                self.assertEqual(instance["container_name"], "systemd-cache")
                self.assert_served()
                self.scope.sockwake("remove", "cache-wake")
                self.assertEqual(self.scope.state("cache.service"), "inactive")

    def test_a_name_that_would_shadow_the_unit_is_refused(self):
        self.define()
        with self.assertRaisesRegex(harness.Failed, "another name"):
            self.create("cache", "--unit", "cache.service")

    def test_renamed_while_awake(self):
        self.define()
        self.create("--unit", "cache.service", "--idle-timeout=1s")
        self.assert_served()
        self.define(container="Network=none\nContainerName=store")
        self.assert_asleep()
        self.assert_served()

    def test_start_at_boot_is_noted_and_taken_out_when_wanted(self):
        target = "multi-user.target" if self.scope.is_system else "default.target"
        self.define(install=f"WantedBy={target}")
        self.assertIn("'sockwake set cache-wake --no-boot'", self.create("--unit", "cache.service"))
        self.assertEqual(self.drop_ins(), [])
        self.assertIn(target, json.loads(self.scope.sockwake("status", "--json", "cache-wake").stdout)["note"])
        self.assertIn(target, self.scope.sockwake("status", "cache-wake").stdout)
        self.assertIn("'sockwake set cache-wake --no-boot'", json.loads(self.scope.sockwake("status", "--json", "cache-wake").stdout)["note"])

        self.assertNotIn("--no-boot", self.create("--unit", "cache.service", "--no-boot", "--force"))
        self.assertEqual(self.drop_ins(), ["sockwake-cache-wake.conf"])
        self.assertEqual(self.scope.property("cache.service", "WantedBy"), "")
        self.assertIsNone(json.loads(self.scope.sockwake("status", "--json", "cache-wake").stdout)["note"])
        self.assert_served()

        self.create("--unit", "cache.service", "--force", "--idle-timeout=1h")
        self.assertEqual(self.scope.property("cache.service", "WantedBy"), "", "what was agreed stays agreed")

        self.scope.sockwake("remove", "cache-wake")
        self.assertFalse(os.path.exists(f"{self.path}.d"))
        self.assertEqual(self.scope.property("cache.service", "WantedBy"), target)
        with open(self.path) as file:
            self.assertEqual(file.read(), self.text)

    def test_published_port_is_reported_with_what_fixes_it(self):
        network = "podman" if self.scope.is_system else "pasta"
        publish = f"PublishPort=127.0.0.1:{PORT}:6379\nPublishPort=127.0.0.1:{PORT + 1}:6379"
        self.define(container=f"Network={network}\n{publish}")
        with self.assertRaisesRegex(harness.Failed, "PublishPort=.*sockwake-cache-wake.conf"):
            self.create("--unit", "cache.service")
        self.assertEqual((self.instances(), self.drop_ins()), ([], []))

        self.create("--unit", "cache.service", "--drop-publish")
        self.assert_served()
        self.assertEqual(harness.redis(PORT + 1, "ping"), "PONG", "the other port stays published")
        for _ in range(2):  # after it was used, and before
            self.scope.sockwake("remove", "cache-wake")
            self.assertFalse(os.path.exists(f"{self.path}.d"))
            self.assertIn(f" 127.0.0.1:{PORT}:6379 ", self.scope.property("cache.service", "ExecStart"))
            self.create("--unit", "cache.service", "--drop-publish")

    def test_what_a_creation_changed_is_back_when_it_fails(self):
        self.define(container=f"Network=none\nPublishPort={PORT}:6379")
        mine = f"{self.path}.d/zz.conf"
        self.write(mine, f"[Container]\nPublishPort={PORT}:6379\n")
        self.scope.systemctl("daemon-reload")
        with self.assertRaisesRegex(harness.Failed, "another drop-in"):
            self.create("--unit", "cache.service", "--drop-publish")
        self.assertEqual((self.instances(), self.drop_ins()), ([], ["zz.conf"]))
        self.scope.run("rm", "-r", f"{self.path}.d")

    def test_somebody_elses_drop_in_stays(self):
        self.define(install="WantedBy=default.target")
        theirs = f"{self.path}.d/sockwake-cache-wake.conf"
        self.write(theirs, "# mine\n")
        with self.assertRaisesRegex(harness.Failed, "does not belong to sockwake"):
            self.create("--unit", "cache.service", "--no-boot")
        with open(theirs) as file:
            self.assertEqual(file.read(), "# mine\n")
        self.scope.run("rm", "-r", f"{self.path}.d")


class ManualsExample(UnitCase):
    """Uses the Quadlet and the commands of docs/quadlets.md."""

    scopes = PODMANS
    page = os.path.join(os.path.dirname(__file__), "../../docs/quadlets.md")

    def blocks(self, language):
        with open(self.page) as page:
            parts = page.read().split("```")[1::2]
        return [part.split("\n", 1)[1] for part in parts if part.startswith(language + "\n")]

    def test_the_example(self):
        [quadlet, *_] = self.blocks("ini")
        [create, *_] = self.blocks("sh")
        directory = quadlet_directory(self.scope)
        # The page's image is from a registry; the lab has its own.
        self.assertIn("Image=docker.io/library/postgres:17\n", quadlet)
        quadlet = quadlet.replace("Image=docker.io/library/postgres:17\n", f"Image={harness.SERVERS}\nExec=postgres\n")
        self.write(f"{directory}/test-postgresql.container", quadlet)
        self.scope.systemctl("daemon-reload")
        self.addCleanup(self.scope.systemctl, "stop", "test-postgresql.service", check=False)
        for line in create.splitlines():
            if line.startswith("sockwake create"):
                backend = ("--backend", "podman") if self.scope.is_system else ()
                self.scope.run(*line.split(), *backend)
        self.addCleanup(self.scope.engine_run, "volume", "rm", "test-postgresql", check=False)
        self.assertEqual(harness.psql(5432, "create table kept as select 'answered' as word"), "SELECT 1")
        self.assertEqual(self.scope.state("test-postgresql.service"), "active")
        self.scope.sockwake("sleep", "test-postgresql-wake")
        self.assertEqual(harness.psql(5432, "select word from kept"), "answered")


class Claims(UnitCase):
    """The start of a unit removes what has a name that one of its commands gives to its own (--replace): containers and
    pods, also those of the units that it brings up. Somebody else's stay, with their data."""

    scopes = PODMANS

    def setUp(self):
        super().setUp()
        self.addCleanup(self.scope.engine_run, "pod", "rm", "--force", "--all", "-t", "0", check=False)
        self.addCleanup(self.scope.engine_run, "rm", "--force", "-t", "0", "precious", check=False)

    def quadlet(self, name, text):
        self.write(f"{quadlet_directory(self.scope)}/{name}", text)

    def assert_refused_while_it_is_there(self, word):
        """`precious` is somebody else's."""
        before = self.scope.container_pid("precious")
        self.assertNotEqual(before, 0)
        harness.refusal(PORT)
        harness.eventually(lambda: self.scope.state("cache-wake.service") == "failed")
        self.assertEqual(self.scope.container_pid("precious"), before)
        self.assertIn(word, self.scope.sockwake("status", "cache-wake").stdout)

    def start_precious(self, *options):
        argv = ("run", "-d", "--name", "precious", *options, harness.SERVERS, "sleep", "1000")
        self.scope.engine_run(*argv)

    def container(self, name, *lines, unit=""):
        text = f"{unit}\n[Container]\nImage={harness.SERVERS}\nExec=redis\nContainerName={name}\n"
        return text + "".join(f"{line}\n" for line in lines)

    def create_it(self, *options):
        self.scope.systemctl("daemon-reload")
        self.create("--unit", "cache.service", "--no-boot", *options)

    def test_a_needed_containers_name(self):
        self.quadlet("needed.container", self.container("precious", "Network=none"))
        unit = "[Unit]\nRequires=needed.service\nAfter=needed.service\n"
        self.quadlet("cache.container", self.container("cache", "Network=none", unit=unit))
        self.create_it()
        self.assert_served()
        self.scope.sockwake("sleep", "cache-wake")
        self.assert_asleep()
        self.start_precious("--network=none")
        self.assert_refused_while_it_is_there("'podman rename precious precious-other' keeps it")
        self.scope.engine_run("rm", "-f", "-t", "0", "precious")
        self.assert_served()

    def test_a_pods_name(self):
        self.quadlet("shared.pod", f"[Pod]\nPodName=shared\nNetwork=none\nPodmanArgs={INFRA}\n")
        self.quadlet("cache.container", self.container("cache", "Pod=shared.pod"))
        self.create_it()
        self.scope.engine_run("pod", "create", "--name", "shared", "--infra=false")
        self.start_precious("--pod", "shared")
        self.assert_refused_while_it_is_there("'podman pod rm -f shared' removes the other one")
        self.scope.engine_run("pod", "rm", "--force", "-t", "0", "shared")
        self.assert_served()

    def test_a_pods_name_in_a_kubernetes_file(self):
        self.quadlet("cache.yml", f"""apiVersion: v1
kind: Pod
metadata:
  name: shared
spec:
  containers:
  - name: web
    image: {harness.SERVERS}
    imagePullPolicy: Never
    args: [redis]
""")
        self.quadlet("cache.kube", "[Kube]\nYaml=cache.yml\n")
        self.create_it("--container-name", "shared-web")
        self.scope.engine_run("pod", "create", "--name", "shared", "--infra=false")
        self.start_precious("--pod", "shared")
        self.assert_refused_while_it_is_there("'podman pod rm -f shared' removes the other one")

    def test_of_a_unit_without_the_label(self):
        """What runs while the unit is down is somebody else's; create says how to do better."""
        unit = f"{self.scope.unit_directory}/cache.service"
        run = "podman run --name precious --replace --rm --sdnotify=conmon --cgroups=split -d --network none"
        self.write(unit, f"""[Service]
Type=notify
NotifyAccess=all
KillMode=mixed
ExecStart=/usr/bin/{run} {harness.SERVERS} redis
""")
        self.scope.systemctl("daemon-reload")
        self.assertIn("'Environment=PODMAN_SYSTEMD_UNIT=%n'", self.create("--unit", "cache.service"))
        self.assert_served()
        self.scope.sockwake("sleep", "cache-wake")
        self.start_precious("--network=none")
        self.assert_refused_while_it_is_there("'podman rename precious precious-other' keeps it")
        self.scope.engine_run("rm", "-f", "-t", "0", "precious")
        self.assert_served()
