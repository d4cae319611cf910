"""A container that starts more slowly than clients wait is not interrupted: waiting clients are refused, with the
reason; later clients find the start further on."""

import contextlib
import json
import subprocess
import time

import harness
import servers
from test_quadlet import PODMANS, PORT, UnitCase, quadlet_directory

ANY_RELEASE = True
WAIT = 2  # --startup-timeout, in seconds
SERVER_PORT = 9000


class SlowCase(harness.Case):
    def busybox(self, name, *command, options=()):
        self.scope.container(name, *command, image=harness.BUSYBOX, options=(*servers.STOP_AT_ONCE, *options))

    def create(self, *options, timeout=WAIT):
        self.scope.instance("slow", PORT, SERVER_PORT, f"--startup-timeout={timeout}", "--idle-timeout=1s", *options)

    def status(self, name="slow"):
        return json.loads(self.scope.sockwake("status", "--json", name).stdout)

    def assert_refused_in_time(self):
        began = time.monotonic()
        harness.refusal(PORT)
        self.assertLess(time.monotonic() - began, WAIT + 2)

    def assert_still_starting(self, *words, name="slow"):
        """The output of `status`, soon after a client was refused."""

        def says():
            status = self.status(name)
            self.assertEqual(status["state"], "waking", status)
            for word in ("still starting after", "left to go on for up to 10min", *words):
                self.assertIn(word, status["reason"])
            return True

        harness.eventually(says, timeout=5, interval=0.2)

    def serve(self, greeting=b"hello\n"):
        """Clients connect one after another, until one is served."""

        def is_served():
            with contextlib.suppress(ConnectionResetError):
                return harness.exchange(PORT, b"") == greeting
            return False

        harness.eventually(is_served, timeout=30, interval=0.1)

    def wake(self):
        """A command that waits for the start, which has begun."""
        command = self.scope.spawn("sockwake", "wake", "slow", stderr=subprocess.PIPE)
        harness.eventually(lambda: self.scope.state("slow.service") == "activating")
        return command

    def assert_asleep(self):
        self.scope.fall_asleep("slow")
        self.assertEqual(self.scope.state("slow.service"), "inactive")
        self.assertIn(self.scope.container_state("slow"), ("exited", ""))

    def enough(self):
        """The journal's message on the duration of the start."""
        lines = self.scope.unit_journal("slow", "--identifier=sockwake", since=self.started)
        return "".join(line for line in lines if "would have let them wait" in line)

    def starts(self):
        return self.scope.engine_run("inspect", "--format={{.State.StartedAt}}", "slow").stdout.strip()


class Overdue(SlowCase):
    waits = True

    def test_who_comes_later_is_served(self):
        self.busybox("slow", *servers.late(SERVER_PORT, 7))
        self.create()
        self.assert_refused_in_time()
        self.assert_still_starting(f"after {WAIT}s (--startup-timeout): nothing listens on port {SERVER_PORT}", "who comes later may find it ready")
        self.assertNotRegex(self.status()["reason"], r"--startup-timeout \d", "nobody knows yet how long it takes")
        started = self.starts()
        self.serve()
        self.assertRegex(harness.eventually(self.enough), r"--startup-timeout ([789]|1[0-9])s ")
        self.assertEqual(self.starts(), started, "it was not stopped half-way")
        self.assert_asleep()
        self.assertEqual(self.scope.complaints("slow", self.started), [])

    def test_another_port_was_meant(self):
        self.busybox("slow", "nc", "-ll", "-p", str(SERVER_PORT + 1), "-e", "cat", options=("--network=none",))
        self.create()
        self.assert_refused_in_time()
        self.assert_still_starting(
            f"(--startup-timeout): nothing listens on port {SERVER_PORT};", f"it does listen on port {SERVER_PORT + 1} ('-p PORT:{SERVER_PORT + 1}' forwards there)"
        )
        self.scope.sockwake("sleep", "slow")

    def test_ready_for_nobody(self):
        self.busybox("slow", *servers.late(SERVER_PORT, 4))
        self.create(timeout=1)
        harness.refusal(PORT)
        harness.eventually(lambda: self.scope.state("slow.service") == "active")
        self.assert_asleep()
        self.assertEqual(self.scope.complaints("slow", self.started), [])

    def test_woken_by_hand(self):
        self.busybox("slow", *servers.late(SERVER_PORT, 5))
        self.create(timeout=1)
        first = self.wake()
        joined = self.scope.sockwake("wake", "slow")
        self.assertIn("still starting after 1s", joined.stderr)
        self.assertIn("'slow' is awake after ", joined.stdout, "it was not awake when this began")
        self.assertEqual(self.status()["state"], "awake")
        first.communicate()

    def test_changed_while_it_wakes(self):
        self.busybox("slow", *servers.late(SERVER_PORT, 60))
        self.create()
        wakes = self.wake()
        said = self.scope.sockwake("set", "slow", "--idle-timeout=5s").stdout
        self.assertIn("it is waking: that counts from its next wake on, and 'sockwake sleep slow' ends this start", said)
        refused = self.scope.sockwake("set", "slow", "-p", f"{PORT + 1}:{SERVER_PORT}", check=False)
        self.assertIn("'slow' is waking, and where it listens", refused.stderr)
        self.scope.sockwake("sleep", "slow")
        self.assertIn("'slow' did not wake: it was put to sleep meanwhile", wakes.communicate()[1])
        wakes = self.wake()
        replaced = self.scope.instance("slow", PORT, SERVER_PORT, "--force")
        self.assertIn("'slow' is waking: ends this start", replaced.stderr)
        wakes.communicate()

    def test_told_to_sleep(self):
        self.busybox("slow", *servers.late(SERVER_PORT, 60))
        self.create()
        self.assert_refused_in_time()
        self.assert_still_starting()
        began = time.monotonic()
        self.scope.sockwake("sleep", "slow")
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(self.scope.container_state("slow"), "exited")
        self.assertIn(" asleep ", self.scope.sockwake("list").stdout, "nothing has failed")

    def test_one_that_ends_has_failed_at_once(self):
        self.busybox("slow", "sh", "-c", "sleep 4; exit 3")
        self.create(timeout=1)
        harness.refusal(PORT)
        harness.eventually(lambda: self.scope.state("slow.service") == "failed", timeout=15)
        self.assertIn("ended with status 3 before it was ready", self.status()["reason"])

    def test_a_check_that_takes_long_itself(self):
        self.busybox("slow", *servers.late(SERVER_PORT, 0))
        self.create("--health-check=sleep 5")
        self.assert_refused_in_time()
        self.assert_still_starting("the health-check command has not ended")
        self.serve()
        self.assert_asleep()

    def test_a_check_that_no_time_mends(self):
        self.busybox("slow", *servers.late(SERVER_PORT, 0))
        for status, check in ((127, "no-such-program --ready"), (126, "/etc/passwd --ready")):
            with self.subTest(status):
                self.create(f"--health-check={check}", "--force")
                self.assert_refused_in_time()
                self.assert_still_starting(f"exits with status {status}", "correct --health-check")
                self.assertNotIn("may find it ready", self.status()["reason"])
                self.scope.sockwake("sleep", "slow")

    def test_an_http_check(self):
        answer = "dd bs=4096 count=1 >/dev/null 2>&1; printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'"
        self.busybox("slow", *servers.answering(SERVER_PORT, answer, before="sleep 5; "))
        self.create("--health-check=http")
        self.assert_refused_in_time()
        self.serve(b"HTTP/1.0 200 OK\r\n\r\n")
        self.assert_asleep()

    def test_what_comes_first_is_slow(self):
        self.busybox("db", *servers.late(SERVER_PORT, 5))
        self.busybox("slow", *servers.late(SERVER_PORT, 0))
        self.create("--with", f"db:{SERVER_PORT}:listen")
        self.assert_refused_in_time()
        self.assert_still_starting("'db', which comes before 'slow', is not ready")
        self.serve()
        self.assert_asleep()
        harness.eventually(lambda: self.scope.container_state("db") == "exited")


class HealthCheck(SlowCase):
    """Podman counts the failures of a check that it is asked for."""

    def check(self, seconds, *health):
        self.busybox("slow", *servers.answering(SERVER_PORT, "echo hello", before=f"sleep {seconds}; touch /tmp/ready; "),
                     options=("--health-cmd=test -e /tmp/ready", "--health-interval=30s", *health))
        self.create("--health-check=healthy", timeout=20)
        began = time.monotonic()
        self.assertEqual(harness.exchange(PORT, b""), b"hello\n")
        self.assertLess(time.monotonic() - began, seconds + 8, "the engine itself looks only after 30 s")
        self.assert_asleep()

    def test_kills(self):
        if self.scope.engine == "podman":
            self.check(4, "--health-retries=3", "--health-on-failure=kill")
        else:
            self.check(4, "--health-retries=3")

    def test_within_the_start_period(self):
        action = ("--health-on-failure=kill",) if self.scope.engine == "podman" else ()
        self.check(3, "--health-retries=1", "--health-start-period=1m", *action)


class SlowUnit(UnitCase):
    """A start job that outlasts the timeout, and the job that it waits for."""

    scopes = PODMANS

    def define(self, unit="", container="", service=""):
        self.write(f"{quadlet_directory(self.scope)}/cache.container", f"""
[Unit]
DefaultDependencies=no
{unit}
[Container]
Image={harness.BUSYBOX}
Pull=never
ContainerName=cache
Network=none
StopSignal=KILL
{container}
[Service]
{service}
[Quadlet]
DefaultDependencies=false
""")
        self.scope.systemctl("daemon-reload")

    def reason(self):
        return json.loads(self.scope.sockwake("status", "--json", "cache-wake").stdout)["reason"] or ""

    def assert_nothing_comes_up(self):
        """No job is left; the unit would have started by itself by then."""
        self.assertEqual(self.scope.state("cache.service"), "inactive")
        self.assertNotIn("cache.service", self.scope.systemctl("list-jobs", "--no-legend").stdout)
        self.assertFalse(self.running())

    def slow_start(self, *options):
        self.define(container="Exec=sleep 1000", service="ExecStartPre=sleep 100")
        self.create("--unit", "cache.service", f"--startup-timeout={WAIT}", *options)
        self.assertLess(harness.refusal(PORT), WAIT + 2)
        harness.eventually(lambda: "the unit 'cache.service' has not started" in self.reason(), timeout=5, interval=0.2)
        self.assertEqual(self.scope.state("cache.service"), "activating")

    def test_removed_meanwhile(self):
        self.slow_start()
        self.scope.sockwake("remove", "cache-wake")
        self.assert_nothing_comes_up()

    def test_told_to_sleep_meanwhile(self):
        for action in ("stop", "pause"):
            with self.subTest(action):
                self.slow_start(f"--idle-action={action}", "--force")
                self.scope.sockwake("sleep", "cache-wake")
                self.assert_nothing_comes_up()

    def test_what_it_waits_for_is_named(self):
        waiter = "podman-user-wait-network-online.service"
        self.write(f"{self.scope.unit_directory}/{waiter}", """
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=sleep 6
""")
        self.addCleanup(self.scope.systemctl, "stop", waiter, check=False)
        self.scope.systemctl("daemon-reload")
        self.scope.systemctl("stop", waiter)
        self.define(unit=f"After={waiter}\nWants={waiter}", container="Exec=nc -ll -p 6379 -e echo hello")
        self.create("--unit", "cache.service", f"--startup-timeout={WAIT}", "--idle-timeout=1s")
        self.assertLess(harness.refusal(PORT), WAIT + 2)
        harness.eventually(lambda: waiter in self.reason(), timeout=5, interval=0.2)
        self.assertIn("DefaultDependencies=false", self.reason())
        harness.eventually(self.greeted, timeout=20, interval=0.1)
        self.assert_asleep()

    def greeted(self):
        with contextlib.suppress(ConnectionResetError):
            return harness.exchange(PORT, b"") == b"hello\n"
        return False

    def test_notify_healthy(self):
        """The engine's second look comes after 30 s."""
        command = "sh -c 'sleep 2; touch /ready; exec nc -ll -p 6379 -e echo hello'"
        for n, action in enumerate(("none", "kill")):
            with self.subTest(action):
                self.define(container=f"Exec={command}\nHealthCmd=test -e /ready\nNotify=healthy\nHealthOnFailure={action}")
                self.create("--unit", "cache.service", "--idle-timeout=1s", *(("--force",) if n else ()))
                began = time.monotonic()
                self.assertEqual(harness.exchange(PORT, b"", timeout=40), b"hello\n")
                self.assertLess(time.monotonic() - began, 12)
                self.assert_asleep()
