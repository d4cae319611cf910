"""What keeps an instance awake without a connection: its schedule, a busy period, `sockwake wake --for`."""

import datetime
import json
import os
import re
import shlex
import time

import harness

PORT = 7900


def window(first, last):
    """A schedule that begins and ends so many minutes from now; the current minute has begun."""
    now = datetime.datetime.now()
    return "-".join((now + datetime.timedelta(minutes=minutes)).strftime("%H:%M") for minutes in (first, last))


class TimeCase(harness.Case):
    """With a container `server` in which Redis would run."""

    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis")

    def status(self, name="server"):
        return json.loads(self.scope.sockwake("status", "--json", name).stdout)

    def is_awake(self, name="server"):
        return self.scope.state(f"{name}.service") == "active" and self.scope.container_state(name) == "running"

    def assert_stays_awake(self, seconds=2):
        """Longer than any idle timeout here."""
        with self.assertRaises(AssertionError):
            harness.eventually(lambda: not self.is_awake(), timeout=seconds)

    def assert_falls_asleep(self, timeout=15):
        self.scope.fall_asleep("server")
        harness.eventually(lambda: self.scope.container_state("server") == "exited", timeout)

    def assert_asleep(self):
        self.assertEqual(self.scope.state("server.service"), "inactive")
        self.assertIn(self.scope.container_state("server"), ("created", "exited"))


class Schedule(TimeCase):
    """--schedule and NAME.timer."""

    def create(self, *options):
        return self.scope.instance("server", PORT, 6379, "--idle-timeout=200ms", *options)

    def timer(self, name):
        return self.scope.property("server.timer", name)

    def test_warm_while_it_is_on(self):
        schedule = window(-1, 60)
        self.create(f"--schedule={schedule}")
        harness.eventually(self.is_awake, timeout=15)  # at once, not only when the timer elapses
        self.assert_stays_awake()
        status = self.status()
        self.assertEqual(status["schedule"], [schedule])
        self.assertAlmostEqual(status["held_until"], time.time() + 3570, delta=90)
        self.assertRegex(self.scope.sockwake("status", "server").stdout, r"(?m)^ +Held: awake until .*\((5[89]min \w+|59min|1h) left\)$")
        self.assertIn(schedule, self.scope.sockwake("list").stdout)

        pid = self.scope.property("server.service", "MainPID")
        self.scope.systemctl("kill", "--signal=KILL", "server.service")
        harness.eventually(lambda: self.scope.property("server.service", "MainPID") not in (pid, "0") and self.is_awake())
        self.assert_stays_awake()

    def test_asleep_while_it_is_off(self):
        self.create(f"--schedule={window(60, 90)}", f"--schedule={window(120, 150)}")
        self.assert_asleep()
        self.assertEqual((self.timer("ActiveState"), self.timer("SubState")), ("active", "waiting"))
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assert_falls_asleep()
        self.assertIsNone(self.status()["held_until"])
        self.assertEqual(self.scope.complaints("server", self.started), [])

    def test_sleep_says_that_it_is_undone(self):
        self.create(f"--schedule={window(-1, 60)}")
        harness.eventually(self.is_awake, timeout=15)
        self.assertIn("its schedule wakes it again", self.scope.sockwake("sleep", "server").stderr)
        self.assertEqual(self.scope.state("server.timer"), "active")

    def test_the_socket_takes_the_timer_along(self):
        self.create(f"--schedule={window(-1, 60)}")
        harness.eventually(self.is_awake, timeout=15)
        self.scope.systemctl("stop", "server.socket")
        harness.eventually(lambda: self.scope.state("server.timer") == "inactive")
        self.assert_falls_asleep()
        self.assertEqual(self.scope.state("server.socket"), "inactive")
        self.scope.systemctl("start", "server.socket")
        self.assertEqual(self.scope.state("server.timer"), "active")

    def test_comes_and_goes_with_the_instance(self):
        path = f"{self.scope.unit_directory}/server.timer"
        self.create(f"--schedule={window(-1, 60)}")
        harness.eventually(self.is_awake, timeout=15)
        before = self.timer("TimersCalendar")
        self.create("--force", f"--schedule={window(120, 150)}", f"--schedule={window(180, 181)}")
        self.assert_asleep()
        self.assertNotEqual(self.timer("TimersCalendar"), before)
        self.create("--force")
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.timer("LoadState"), "not-found")
        self.create("--force", f"--schedule={window(-1, 60)}")
        harness.eventually(self.is_awake, timeout=15)
        self.scope.sockwake("remove", "server")
        self.assertFalse(os.path.exists(path))
        units = self.scope.systemctl("list-units", "--all", "--full", "--plain", "--no-legend", "server*")
        self.assertEqual((units.stdout, self.scope.container_state("server")), ("", "exited"))

    def test_a_timer_from_elsewhere_is_not_shadowed(self):
        directory = "/run/systemd/system" if self.scope.is_system else f"{self.scope.runtime_directory}/systemd/user"
        self.scope.run("mkdir", "-p", directory)
        for place in (directory, self.scope.unit_directory):
            with self.subTest(place):
                text = "[Timer]\nOnCalendar=2099-01-01\n"
                self.scope.run("tee", f"{place}/server.timer", input=text)
                self.scope.systemctl("daemon-reload")
                result = self.scope.sockwake("create", "server", "-p", f"{PORT}:6379", check=False)
                self.scope.run("rm", f"{place}/server.timer")
                self.scope.systemctl("daemon-reload")
                self.assertEqual(result.returncode, 1)
                self.assertIn("server.timer", result.stderr)


class EveryMinute(TimeCase):
    """What happens when the timer elapses. Three instances wait for it at once."""

    waits = True
    timeout = 300

    def create(self, name, port, *options):
        self.scope.instance(name, port, 6379, "--idle-timeout=200ms", *options)

    def test_it_elapses(self):
        killed_at = self.kill_one()
        self.fail_one()
        self.begin_one()
        harness.eventually(lambda: self.status("killed")["statistics"]["last_wake"] > killed_at, timeout=75, interval=1)
        for name in "killed", "failed":
            harness.eventually(lambda: self.is_awake(name), timeout=75, interval=1)
        self.watch_end()
        self.assertTrue(self.is_awake("killed") and self.is_awake("failed"))

    def kill_one(self):
        """The container ends by itself, and with it the service: the timer starts both again."""
        self.scope.container("killed", "redis")
        self.create("killed", PORT + 1, f"--schedule={window(-1, 60)}")
        harness.eventually(lambda: self.is_awake("killed"), timeout=15)
        killed_at = time.time()
        self.scope.engine_run("kill", "killed")
        return killed_at

    def fail_one(self):
        """A failed wake is repeated."""
        self.scope.container("failed", "false", image=harness.BUSYBOX)
        self.create("failed", PORT + 2, f"--schedule={window(-1, 60)}", "--startup-timeout=2s")
        harness.eventually(lambda: self.scope.state("failed.service") == "failed", timeout=15)
        self.scope.engine_run("rm", "failed")
        self.scope.container("failed", "redis")

    def begin_one(self):
        soon = 1 if datetime.datetime.now().second < 50 else 2  # not before the check below
        self.create("server", PORT, f"--schedule={window(soon, soon + 1)}")
        self.assert_asleep()

    def watch_end(self):
        """A window begins and ends by itself."""
        harness.eventually(self.is_awake, timeout=75, interval=0.5)
        end = self.status()["held_until"]
        self.assertEqual(time.localtime(end).tm_sec, 0)
        # it waits for the end of what it started
        self.assertEqual(self.scope.property("server.timer", "SubState"), "running")
        harness.eventually(lambda: not self.is_awake(), timeout=130, interval=0.5)
        self.assertGreaterEqual(time.time(), end)
        # The timer has elapsed once more, too late, and now waits for tomorrow.
        harness.eventually(lambda: self.scope.property("server.timer", "SubState") == "waiting"
                           and self.scope.state("server.service") == "inactive")
        self.assertGreater(time.time(), end)
        self.assertEqual(self.status()["statistics"]["wakes"], 1)
        self.assert_asleep()
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assert_falls_asleep()
        self.assertEqual(self.scope.complaints("server", self.started), [])


class Calendar(harness.Case):
    """The expressions of the timer, as systemd reads them."""

    scopes = (harness.SYSTEM_DOCKER,)

    def test_systemd_means_the_same(self):
        """Every minute of a week in which the timer elapses is one of the schedule, and the other way round."""
        for schedule, days, begin, end in (
            ("Mon..Fri 08:00-18:00", range(0, 5), 480, 1080),
            ("08:30-17:15", range(7), 510, 1035),
            ("Tue,Thu 08:30-09:00", (1, 3), 510, 540),
            ("Wed 12:10-12:11", (2,), 730, 731),
            ("Sat,Sun 22:30-06:15", (5, 6), 1350, 1815),
            ("Sun 00:00-24:00", (6,), 0, 1440),
            ("Mon,Wed..Fri 23:59-00:01", (0, 2, 3, 4), 1439, 1441),
        ):
            with self.subTest(schedule):
                monday = datetime.datetime(2027, 2, 1)
                minutes = {(day * 1440 + minute) % 10080 for day in days for minute in range(begin, end)}
                expected = {monday + datetime.timedelta(minutes=minute) for minute in minutes}
                self.assertEqual(self.elapses(schedule, monday, len(expected)), expected)

    def elapses(self, schedule, monday, at_most):
        """In the week from then on. No expression alone elapses more often than all together should, but for one more."""
        units = self.scope.sockwake("create", "server", "-p", f"{PORT}:6379", "--dry-run", f"--schedule={schedule}").stdout
        base = f"--base-time={monday - datetime.timedelta(seconds=1)}"
        found = set()
        for expression in re.findall("^OnCalendar=(.*)$", units, re.MULTILINE):
            listed = self.scope.run("systemd-analyze", "calendar", f"--iterations={at_most + 1}", base, expression).stdout
            moments = re.findall(r"(?:elapse|Iter[^:]*): \w+ (\S+ \d\d:\d\d:\d\d)", listed)
            found |= {datetime.datetime.fromisoformat(moment) for moment in moments}
        return {moment for moment in found if moment < monday + datetime.timedelta(days=7)}


class AfterReboot(harness.RebootCase):
    """A machine that boots within the schedule wakes the instance without a client."""

    timeout = 120

    def before_reboot(self):
        self.scope.container("warm", "redis")
        self.scope.instance("warm", self.port(), 6379, f"--schedule={window(-1, 60)}")

    def port(self):
        return PORT + 90 + self.scopes.index(self.scope)

    def test_warm_again(self):
        harness.eventually(lambda: self.scope.state("warm.service") == "active", timeout=75)
        self.assertEqual(self.scope.container_state("warm"), "running")
        self.assertEqual(json.loads(self.scope.sockwake("status", "--json", "warm").stdout)["connections"], 0)


class ByHand(TimeCase):
    """`sockwake wake --for` and `sockwake sleep`."""

    any_release = True

    def create(self, *options):
        self.scope.instance("server", PORT, 6379, "--idle-timeout=200ms", *options)

    def wake(self, span):
        self.scope.sockwake("wake", "server", f"--for={span}")
        return self.status()["held_until"]

    def test_held_until_told_to_sleep(self):
        self.create()
        until = self.wake("1h")
        self.assertAlmostEqual(until, time.time() + 3600, delta=20)
        self.assert_stays_awake()
        self.assertEqual(self.wake("30min"), until)
        self.assertGreater(self.wake("2h"), until)
        self.scope.sockwake("sleep", "server")
        self.assert_asleep()
        self.assertIsNone(self.status()["held_until"])
        self.scope.sockwake("wake", "server")
        self.assert_falls_asleep()

    def test_a_hold_ends_by_itself(self):
        self.create()
        began = time.time()
        until = self.wake("3s")
        self.assertAlmostEqual(until, began + 3, delta=2)
        harness.eventually(lambda: not self.is_awake())
        self.assertGreaterEqual(time.time(), until)
        self.assert_falls_asleep()

    def test_a_hold_outlives_a_crash(self):
        self.create()
        until = self.wake("1h")
        pid = self.scope.property("server.service", "MainPID")
        self.scope.systemctl("kill", "--signal=KILL", "server.service")
        harness.eventually(lambda: self.scope.property("server.service", "MainPID") not in (pid, "0") and self.is_awake())
        self.assert_stays_awake()
        self.assertEqual(self.status()["held_until"], until)

    def test_held_while_falling_asleep(self):
        """Again and again about when it falls asleep: afterwards the hold is in effect, or the command has failed."""
        self.create("--drain-timeout=0")
        for _ in range(10):
            self.scope.sockwake("wake", "server")
            harness.eventually(lambda: self.scope.state("server.service") != "active", interval=0.002)
            self.wake("1h")
            self.assert_stays_awake(0.5)
            self.scope.sockwake("sleep", "server")

    def test_clients_that_may_not_wake_it_do_not_keep_it_from_being_woken(self):
        self.create("--no-wake-from=127.0.0.1")
        harness.refusal(PORT)
        self.scope.fall_asleep("server")
        self.assert_asleep()
        self.wake("1h")
        self.assert_stays_awake()


class BusyPeriods(TimeCase):
    """--warm-for."""

    any_release = True

    def create(self, *options):
        self.scope.instance("server", PORT, 6379, "--idle-timeout=1s", "--warm-for=4s", *options)

    def visit(self):
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        last = time.time()
        harness.eventually(self.is_awake)  # the client is answered a moment before systemd has read READY=1
        return last

    def test_a_single_client_costs_the_idle_timeout(self):
        self.create()
        for _ in range(2):
            last = self.visit()
            harness.eventually(lambda: not self.is_awake())
            self.assertLess(time.time() - last, 3.5)
            self.assert_falls_asleep()

    def test_warm_after_the_second_client(self):
        self.create()
        self.visit()
        last = self.visit()
        harness.eventually(lambda: not self.is_awake())
        self.assertGreater(time.time() - last, 3.9)
        self.assert_falls_asleep()
        self.assertIn("after several 4s", self.scope.sockwake("status", "server").stdout)

    def test_monitors_do_not_count(self):
        self.create("--no-hold-from=127.0.0.1")
        self.visit()
        last = self.visit()
        harness.eventually(lambda: not self.is_awake())
        self.assertLess(time.time() - last, 3.5)


class ManualsExamples(TimeCase):
    """Runs the commands of docs/times.md, in their order."""

    page = os.path.join(os.path.dirname(__file__), "../../docs/times.md")

    def test_the_examples(self):
        with open(self.page) as page:
            schedule, busy, hold = re.findall("^```sh\n(.*?)^```$", page.read(), re.MULTILINE | re.DOTALL)
        self.scope.container("cache", "redis")
        self.scope.container("site", "nginx")

        self.scope.run(*shlex.split(schedule))
        self.assertEqual(self.status("cache")["schedule"], ["Mon..Fri 08:00-18:00", "Sat,Sun 22:00-06:00"])
        calendar = self.scope.property("cache.timer", "TimersCalendar")
        for expression in ("Mon..Fri *-*-* 08..17:*:00", "Sat,Sun *-*-* 22..23:*:00", "Mon,Sun *-*-* 00..05:*:00"):
            self.assertIn(f"OnCalendar={expression} ;", calendar)
        self.assertEqual(harness.redis(6379, "ping"), "PONG")

        self.scope.run(*shlex.split(busy))
        self.assertEqual(self.status("site")["warm_for"], "30min")
        self.assertIn("nginx", harness.http(8080))

        self.scope.run(*shlex.split(hold))
        self.assertGreater(self.status("cache")["held_until"], time.time() + 7000)
        self.scope.sockwake("sleep", "cache")
