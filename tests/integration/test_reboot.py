"""The machine is stopped and boots again on the same disk: sockets listen, containers sleep, and the first client
wakes them. Anything that still starts a container is reported."""

import json
import os
import re

import harness

PORT = 7600
QUADLET = os.path.exists("/usr/lib/systemd/system-generators/podman-system-generator")
TRIXIES = (harness.SYSTEM_PODMAN, harness.USER_PODMAN) if QUADLET else ()


def status(scope, name):
    return json.loads(scope.sockwake("status", "--json", name).stdout)


class Sleepers(harness.RebootCase):
    """One instance asleep, one awake, and one whose container the engine always restarts."""

    names = ("sleeper", "client", "eager")

    def before_reboot(self):
        for index, name in enumerate(self.names):
            options = ("--restart=always",) if name == "eager" else ()
            self.scope.container(name, "redis", options=("--network=none", *options))
            idle = ("--idle-timeout=1s",) if name == "eager" else ()
            self.scope.instance(name, f"127.0.0.1:{self.port(index)}", 6379, *idle)
        if not self.scope.is_system:
            self.scope.systemctl("enable", "podman-restart.service")
        for index in (1, 2):
            harness.redis(self.port(index), "ping")
        self.scope.sockwake("sleep", "eager")

    def port(self, index):
        """Both scopes exist at the same time."""
        return PORT + 100 + 10 * self.scopes.index(self.scope) + index

    def test_sockets_are_back_and_containers_asleep(self):
        for index, name in enumerate(self.names):
            with self.subTest(name):
                harness.eventually(lambda: self.scope.state(f"{name}.socket") == "active")
                if name == "eager":
                    self.check_eager()
                else:
                    self.assertEqual(self.scope.state(f"{name}.service"), "inactive")
                    self.assertIn(self.scope.container_state(name), ("created", "exited"))
                    self.assertIsNone(status(self.scope, name)["note"])
                self.assertEqual(harness.redis(self.port(index), "ping"), "PONG")
                self.assertEqual(status(self.scope, name)["state"], "awake")

    def test_the_engine_was_there_until_it_slept(self):
        said = "".join(self.scope.unit_journal("client"))  # the lab's boots have one identifier
        self.assertIn("told to stop", said)
        self.assertNotIn("may still run", said)
        harness.eventually(lambda: self.scope.state("sockwake-engines.target") == "active", timeout=45)

    def check_eager(self):
        """Its engine has started it. sockwake starts its idle timeout, and it sleeps when unused."""
        found = "ran already, was found"
        harness.eventually(lambda: found in self.scope.journal("SOCKWAKE_INSTANCE=eager"), timeout=45)
        harness.eventually(lambda: self.scope.container_state("eager") == "exited", timeout=20)
        self.scope.fall_asleep("eager")
        self.assertIn("restart policy 'always'", status(self.scope, "eager")["note"])
        self.assertRegex(self.scope.sockwake("status", "eager").stdout, re.compile(r"^ *Note: .*always", re.MULTILINE))


class Quadlets(harness.RebootCase):
    """One that its user agreed to take out of the boot, and one that goes on starting by itself."""

    scopes = TRIXIES
    names = ("agreed", "insisting")

    def before_reboot(self):
        directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
        self.scope.run("mkdir", "-p", directory)
        for index, name in enumerate(self.names):
            self.scope.run("tee", f"{directory}/{self.scope.user}-{name}.container", input=f"""
[Container]
Image={harness.SERVERS}
Exec=redis
Network=none
[Service]
Restart=always
[Install]
WantedBy={"multi-user.target" if self.scope.is_system else "default.target"}
""")
            self.scope.systemctl("daemon-reload")
            self.scope.sockwake(
                *("create", "--unit", self.unit(name), "-p", f"127.0.0.1:{self.port(index)}:6379"),
                *("--backend", "podman", *(["--no-boot"] if name == "agreed" else [])),
            )
            harness.redis(self.port(index), "ping")

    def unit(self, name):
        return f"{self.scope.user}-{name}.service"

    def port(self, index):
        return PORT + 10 + 2 * self.scopes.index(self.scope) + index

    def instance(self, name):
        return f"{self.scope.user}-{name}-wake"

    def test_the_one_that_was_agreed_sleeps(self):
        for name in self.names:
            self.assertEqual(self.scope.state(f"{self.instance(name)}.socket"), "active")
        self.assertEqual(self.scope.state(f"{self.instance('agreed')}.service"), "inactive")
        self.assertEqual(self.scope.state(self.unit("agreed")), "inactive")
        self.assertIsNone(status(self.scope, self.instance("agreed"))["note"])

        harness.eventually(lambda: self.scope.state(self.unit("insisting")) == "active")
        harness.eventually(lambda: self.scope.state(f"{self.instance('insisting')}.service") == "active", timeout=50)
        note = status(self.scope, self.instance("insisting"))["note"]
        self.assertIn("--no-boot", note)
        for index in range(2):
            self.assertEqual(harness.redis(self.port(index), "ping"), "PONG")


class Pruned(harness.Case):
    """Sleeping containers look unused to the engine's prune commands."""

    def test_refused_with_a_reason_until_it_is_back(self):
        self.scope.container("cache", "redis")
        self.scope.instance("cache", f"127.0.0.1:{PORT}", 6379, "--idle-timeout=200ms")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.scope.fall_asleep("cache")
        self.scope.engine_run("container", "prune", "--force")
        self.assertEqual(self.scope.container_state("cache"), "")

        self.assertLess(harness.refusal(PORT), 5)
        [complaint] = harness.eventually(lambda: self.scope.complaints("cache", self.started))
        self.assertIn("no container", complaint)
        harness.eventually(lambda: self.scope.state("cache.service") == "failed")
        told = status(self.scope, "cache")
        self.assertEqual((told["state"], told["container_state"]), ("failed", "missing"))
        self.assertIn("no container", told["reason"])

        self.scope.container("cache", "redis")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
