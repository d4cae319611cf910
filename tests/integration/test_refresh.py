"""Missing programs, and units of another version: the messages, and the repairs of `sockwake refresh`."""

import json
import os
import re
import time

import harness

PORT = 7900
NOTE = "sockwake: note: "
CLOSED_WITHIN = 10  # seconds


class RefreshCase(harness.Case):
    """With an instance `server` of a Redis."""

    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis", options=("--stop-signal=KILL",))
        self.scope.instance("server", PORT, 6379)
        self.units = self.read_units()

    def path(self, suffix, name="server"):
        return f"{self.scope.unit_directory}/{name}.{suffix}"

    def read(self, suffix):
        with open(self.path(suffix), encoding="utf-8") as file:
            return file.read()

    def read_units(self):
        return {suffix: self.read(suffix) for suffix in ("socket", "service")}

    def change(self, suffix, pattern, replacement):
        """As another version would have written the unit."""
        text, n = re.subn(pattern, replacement, self.read(suffix), flags=re.MULTILINE)
        self.assertGreater(n, 0)
        self.scope.run("tee", self.path(suffix), input=text)

    def reload(self):
        self.scope.systemctl("daemon-reload")

    def main_program(self):
        return re.search(r"^ExecStart=:?(/\S+)", self.read("service"), re.MULTILINE)[1]

    def one(self):
        [instance] = json.loads(self.scope.sockwake("list", "--json").stdout)
        return instance

    def assert_served(self):
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def refresh(self, *argv):
        return self.scope.sockwake("refresh", *(argv or ("server",))).stdout


class Versions(RefreshCase):
    """Units that another version has written."""

    def test_nothing_to_do(self):
        for argv in (("server",), ("--all",)):
            self.assertEqual(self.refresh(*argv), "'server' is as it should be.\n")
        self.assert_served()
        self.assertEqual(self.refresh(), "'server' is as it should be.\n")
        self.assertEqual(self.read_units(), self.units)

    def test_a_socket_that_somebody_has_stopped(self):
        self.scope.systemctl("stop", "server.socket")
        result = self.scope.sockwake("refresh", "server")
        self.assertEqual(result.stdout, "")
        remedy = f"systemctl {'' if self.scope.is_system else '--user '}start server.socket"
        self.assertIn(f"'{remedy}'", result.stderr)
        self.scope.run(*remedy.split())
        self.assert_served()

    def test_asleep(self):
        self.change("socket", "^Backlog=.*", "Backlog=7")
        self.change("service", "^LimitNOFILE=.*\n", "")
        self.reload()
        self.assertEqual(self.refresh(), "Refreshed 'server'.\n")
        self.assertEqual(self.read_units(), self.units)
        self.assertEqual(self.scope.property("server.socket", "NeedDaemonReload"), "no")
        self.assert_served()

    def test_awake(self):
        """Its clients notice nothing."""
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            pid = self.scope.property("server.service", "MainPID")
            self.change("socket", "^Backlog=.*", "Backlog=7")
            self.change("service", "^LimitNOFILE=.*\n", "")
            self.reload()
            self.assertEqual(self.refresh(), "Refreshed 'server'.\n")
            self.assertEqual(self.scope.property("server.service", "MainPID"), pid)
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
        self.assertEqual(self.read_units(), self.units)
        self.scope.sockwake("sleep", "server")
        self.assert_served()

    def test_installed_elsewhere(self):
        """The units' own programs count, not those of the sockwake that checks."""
        program = self.main_program()
        self.change("service", re.escape(program), "/opt/gone/program")
        self.reload()
        self.assertEqual(self.one()["state"], "failed")
        for word in ("'/opt/gone/program' is missing", "'sockwake refresh server'"):
            self.assertIn(word, self.one()["reason"])
        self.refresh()
        self.assertEqual((self.one()["state"], self.one()["reason"]), ("asleep", None))
        self.assert_served()

    def test_a_unit_that_was_removed(self):
        self.scope.run("rm", self.path("service"))
        self.reload()
        self.assertIn("server.service' is missing: ", self.one()["reason"])
        self.refresh()
        self.assertEqual(self.read_units(), self.units)
        self.assert_served()

    def test_what_was_stopped_or_disabled_stays_so(self):
        self.scope.systemctl("disable", "server.socket")
        self.scope.systemctl("stop", "server.socket")
        self.change("service", "^LimitNOFILE=.*\n", "")
        self.assertEqual(self.refresh(), "Refreshed 'server'.\n")
        self.assertEqual(self.scope.state("server.socket"), "inactive")
        self.assertEqual(self.scope.systemctl("is-enabled", "server.socket", check=False).stdout, "disabled\n")

    def test_a_schedule(self):
        self.scope.container("other", "redis")
        self.scope.instance("other", PORT + 1, 6379, "--schedule=00:00-00:01")
        self.scope.run("rm", self.path("timer", "other"))
        self.refresh("other")
        self.assertEqual(self.scope.state("other.timer"), "active")

    def test_some_fail(self):
        self.scope.container("other", "redis")
        self.scope.instance("other", PORT + 1, 6379)
        self.change("socket", "^X-InstanceConfig=.*", "X-InstanceConfig={}")
        self.change("service", "^X-InstanceConfig=.*", "X-InstanceConfig={}")
        result = self.scope.sockwake("refresh", "--all", check=False)
        self.assertEqual((result.returncode, result.stdout), (1, "'other' is as it should be.\n"))
        self.assertIn(f"{NOTE}'server' is not refreshed: ", result.stderr)

    def test_usage(self):
        self.change("service", "^LimitNOFILE=.*\n", "")
        changed = self.read_units()
        for argv, status in ((("server", "nobody"), 1), ((), 2), (("server", "--all"), 2), (("a b",), 2)):
            self.assertEqual(self.scope.sockwake("refresh", *argv, check=False).returncode, status, argv)
        self.assertEqual(self.read_units(), changed)
        self.scope.sockwake("remove", "--all")
        self.assertEqual(self.refresh("--all"), "No managed instances found.\n")


class Programs(RefreshCase):
    """Programs that were uninstalled, moved, or lost their permissions."""

    any_release = True

    def setUp(self):
        super().setUp()
        # Units that give up, independent of what this version renders.
        self.change("socket", "^TriggerLimit.*\n", "")
        self.change("socket", r"^\[Socket\]$", "[Socket]\nTriggerLimitIntervalSec=10s\nTriggerLimitBurst=50")
        self.change("service", "^Restart=.*", "Restart=no")
        self.reload()
        self.scope.systemctl("restart", "server.socket")

    def assert_told(self, program, *words):
        for text in (
            self.scope.sockwake("list").stdout,
            self.scope.sockwake("status", "server").stdout,
            self.one()["reason"],
        ):
            for word in (f"'{program}' ", "make install", "'sockwake refresh --all'", *words):
                self.assertIn(word, text)

    def refused(self, *argv, words):
        result = self.scope.sockwake(*argv, check=False)
        self.assertEqual(result.returncode, 1)
        for word in words:
            self.assertIn(word, result.stderr)

    def test_missing_while_asleep(self):
        directory = os.path.dirname(self.main_program())
        for name in ("activator", "nshelper", "proxy"):
            with self.subTest(name), harness.missing(f"{directory}/{name}"):
                self.assertEqual(self.one()["state"], "failed")
                self.assert_told(f"{directory}/{name}", "is missing")
                words = (f"'{directory}/{name}' is missing", "make install", "refresh --all")
                self.refused("create", "more", f"-p{PORT + 1}:6379", "--container-name=server", words=words)
                self.refused("refresh", "--all", words=words)
                if f"{directory}/{name}" == self.main_program():
                    self.refused("wake", "server", words=words)
                    self.scope.systemctl("reset-failed", "server.service")
                self.assertFalse(os.path.exists(self.path("socket", "more")))
        self.assertEqual((self.one()["state"], self.one()["reason"]), ("asleep", None))

    def test_adopt(self):
        self.scope.container("adopted", "redis", options=(f"--label=sockwake.publish={PORT + 2}:6379",))
        with harness.missing(self.main_program()):
            self.refused("adopt", "adopted", words=("is missing", "make install", "refresh --all"))
        self.scope.sockwake("adopt", "adopted")

    def test_not_executable(self):
        program = self.main_program()
        os.chmod(program, 0o644)
        try:
            self.assert_told(program, "is not executable")
            self.refused("create", "more", f"-p{PORT + 1}:6379", "--container-name=server", words=("not executable",))
        finally:
            os.chmod(program, 0o755)
        self.assert_served()

    def test_closed_and_opened_again(self):
        with harness.missing(self.main_program()):
            began = time.monotonic()
            harness.refusal(PORT)
            harness.eventually(lambda: self.scope.state("server.socket") == "failed", CLOSED_WITHIN)
            self.assertLess(time.monotonic() - began, CLOSED_WITHIN)
            with self.assertRaises(ConnectionRefusedError):
                harness.connect(PORT)
            self.assert_told(self.main_program())
            self.assertEqual(self.one()["state"], "off")
        self.assertIn("'sockwake refresh server'", self.one()["reason"])
        self.assertIn("opened its socket again", self.refresh("--all"))
        self.assert_served()
        self.assertEqual(self.refresh("--all"), "'server' is as it should be.\n")

    def test_replaced_when_it_was_closed(self):
        with harness.missing(self.main_program()):
            harness.refusal(PORT)
            harness.eventually(lambda: self.scope.state("server.socket") == "failed", CLOSED_WITHIN)
        self.scope.instance("server", PORT, 6379, "--force")
        self.assert_served()

    def test_opened_also_when_the_failure_was_forgotten(self):
        with harness.missing(self.main_program()):
            harness.refusal(PORT)
            harness.eventually(lambda: self.scope.state("server.socket") == "failed", CLOSED_WITHIN)
            self.scope.systemctl("reset-failed", "server.socket")
        self.assertIn("opened its socket again", self.refresh("--all"))
        self.assert_served()
