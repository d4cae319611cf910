"""The choice of the engine, and the messages if it is missing."""

import json
import os
import re
import socket
import subprocess

import fake_engine
import harness

PORT = 7600
SOCKETS = {"docker": "docker.sock", "podman": "podman/podman.sock"}
VARIABLES = {"docker": "DOCKER_HOST", "podman": "CONTAINER_HOST"}


class BackendCase(harness.Case):
    def usual_socket(self):
        return f"{self.scope.runtime_directory}/{SOCKETS[self.scope.engine]}"

    def create(self, *options, environment=(), **arguments):
        argv = ("create", "server", f"-p{PORT}:6379", f"--backend={self.scope.engine}", *options)
        return self.scope.run("env", *environment, "sockwake", *argv, **arguments)

    def refused(self, *words, **arguments):
        result = self.create(check=False, **arguments)
        self.assertIn(result.returncode, (1, 2))
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(json.loads(self.scope.sockwake("list", "--json").stdout), [])
        return result.stderr

    def assert_wakes_and_sleeps(self):
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        [instance] = json.loads(self.scope.sockwake("list", "--json").stdout)
        self.assertEqual((instance["backend"], instance["container_state"]), (self.scope.engine, "running"))
        self.scope.sockwake("sleep", "server")
        self.assertEqual(self.scope.container_state("server"), "exited")


class EveryEngine(BackendCase):
    """Docker and Podman, of the system and of a user."""

    scopes = harness.ALL
    timeout = 180  # rootless Docker has to start, and to load its images

    def test_wakes_a_container(self):
        self.scope.container("server", "redis")
        self.create()
        for _ in range(2):
            self.assert_wakes_and_sleeps()

    def test_pauses_a_container(self):
        self.scope.container("server", "redis")
        self.create("--idle-action=pause")
        self.assertEqual(harness.redis(PORT, "set", "here", "still"), "OK")
        self.scope.sockwake("sleep", "server")
        self.assertEqual(self.scope.container_state("server"), "paused")
        self.assertEqual(harness.redis(PORT, "get", "here"), "still")

    def test_socket_missing(self):
        """The message has the command that helps."""
        self.scope.container("server", "redis")
        units = [f"{self.scope.engine}.socket", f"{self.scope.engine}.service"]
        units = [unit for unit in units if self.scope.property(unit, "LoadState") == "loaded"]
        self.scope.systemctl("stop", *units)
        self.addCleanup(self.scope.systemctl, "start", units[0])
        message = self.refused(self.usual_socket(), "systemctl")
        command = re.search(r"'(systemctl [^']+)'", message).group(1)
        self.scope.run(*command.split())
        if not self.scope.is_system and self.scope.engine == "podman":  # enabled for all users already
            self.addCleanup(self.scope.systemctl, "disable", units[0])
        self.create()
        self.assert_wakes_and_sleeps()


class Sockets(BackendCase):
    """Where the engine's socket is: the option, then the variable, then the usual place; kept for the wakes to come."""

    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis")
        engine = fake_engine.FakeEngine(self.usual_socket())
        engine.__enter__()
        self.addCleanup(engine.__exit__)
        self.addCleanup(self.scope.sockwake, "remove", "--all")  # while its engine answers
        self.engine = engine
        self.asked = 0
        engine.behave(self.count)

    def count(self, client, real):
        self.asked += 1
        fake_engine.faithful(client, real)

    def assert_asked(self):
        """By `create`, and by a wake."""
        self.assertGreater(self.asked, 0)
        self.asked = 0
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertGreater(self.asked, 0)
        [instance] = json.loads(self.scope.sockwake("list", "--json").stdout)
        self.assertEqual(instance["engine_socket"], self.engine.path)

    def variable(self, value):
        return (f"{VARIABLES[self.scope.engine]}={value}",)

    def test_option(self):
        self.create(f"--engine-socket={self.engine.path}")
        self.assert_asked()

    def test_option_beats_the_variable(self):
        self.create(f"--engine-socket={self.engine.path}", environment=self.variable("unix:///nonexistent"))
        self.assert_asked()

    def test_variable(self):
        self.create(environment=self.variable(f"unix://{self.engine.path}"))
        self.assert_asked()

    def test_variable_of_the_other_engine(self):
        [other] = [name for engine, name in VARIABLES.items() if engine != self.scope.engine]
        self.create(environment=(f"{other}=unix://{self.engine.path}",))
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertEqual(self.asked, 0)

    def test_unusable_variables(self):
        name = VARIABLES[self.scope.engine]
        for value in ("tcp://192.0.2.1:2375", "ssh://me@example.org", "/run/docker.sock", "unix://relative", "unix:///a\nb"):
            with self.subTest(value):
                self.refused(name, environment=self.variable(value))
        self.assertEqual(self.asked, 0)

    def test_nothing_behind_the_socket(self):
        path = f"{self.scope.runtime_directory}/left-behind.sock"
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(path)
        self.addCleanup(os.unlink, path)
        os.chmod(path, 0o666)
        self.refused(path, "systemctl", environment=self.variable(f"unix://{path}"))


class Rights(BackendCase):
    """Docker's socket is for its group."""

    scopes = (harness.USER_PODMAN,)

    def test_socket_of_others(self):
        self.scope.container("server", "redis")
        argv = ("create", "server", f"-p{PORT}:6379", "--backend=docker", "--engine-socket=/run/docker.sock")
        result = self.scope.sockwake(*argv, check=False)
        self.assertEqual(result.returncode, 1)
        for word in ("'/run/docker.sock' is root's", "not even as a member of the group 'docker'", "sudo sockwake"):
            self.assertIn(word, result.stderr)

    def test_a_member_of_the_group(self):
        """Who may start root's containers cannot enter them: nothing is asked, made or started."""
        harness.SYSTEM_DOCKER.container("roots", "redis")
        self.addCleanup(harness.SYSTEM_DOCKER.clean)
        member = ("setpriv", "--reuid=wake", "--regid=wake", "--groups=docker", "sockwake")
        engine = ("--backend=docker", "--engine-socket=/run/docker.sock")
        environment = {**os.environ, "HOME": self.scope.home, "XDG_RUNTIME_DIR": self.scope.runtime_directory}
        for command in ("create", "roots", f"-p{PORT}:6379"), ("adopt", "--all"), ("create", "--dry-run", "roots", "-p1234"):
            with self.subTest(command):
                result = subprocess.run((*member, *command, *engine), capture_output=True, text=True, env=environment)
                self.assertNotEqual(result.returncode, 0)
                self.assertEqual(result.stdout, "")
                self.assertIn("not even as a member of the group 'docker'; do this as root", result.stderr)
        self.assertEqual(harness.SYSTEM_DOCKER.container_state("roots"), "created")

    def test_root_with_a_users_engine(self):
        path = self.usual_socket()
        for command in ("create", "server", f"-p{PORT}:6379"), ("adopt", "--dry-run", "server"):
            with self.subTest(command[0]):
                argv = (command[0], "--backend=podman", f"--engine-socket={path}", *command[1:])
                result = harness.run("sockwake", *argv, check=False)
                self.assertNotEqual(result.returncode, 0)
                for word in (f"'{path}'", f"user {self.scope.user}", f"sudo -u {self.scope.user}"):
                    self.assertIn(word, result.stderr)
