"""The container's process: an engine in a virtual machine, or in another PID namespace, reports PIDs that are other
processes here."""

import time

import fake_engine
import harness
import servers

PORT = 7810
INNER = 7811


def greeter(scope, name, greeting, options=()):
    command = servers.late(INNER, 0, greeting)
    scope.container(name, *command, image=harness.BUSYBOX, options=(*servers.STOP_AT_ONCE, *options))


class Elsewhere(harness.Case):
    def real_socket(self):
        return f"{self.scope.runtime_directory}/{'docker' if self.scope.is_system else 'podman/podman'}.sock"

    def test_another_containers_process(self):
        """Its server answers on the same port, in its own network: no client ever gets that answer."""
        greeter(self.scope, "other", "another")
        self.scope.engine_run("start", "other")
        greeter(self.scope, "mine", "mine")
        pid = self.scope.container_pid("other")
        with fake_engine.FakeEngine(self.real_socket()) as engine:
            self.scope.instance("mine", PORT, INNER, f"--engine-socket={engine.path}", "--startup-timeout=10s")
            self.assertEqual(harness.exchange(PORT, b""), b"mine")
            self.scope.sockwake("sleep", "mine")
            engine.behave(fake_engine.counting_elsewhere(pid))
            since = time.time()
            self.assertLess(harness.refusal(PORT), 10)
            complaint = harness.eventually(lambda: "".join(self.scope.complaints("mine", since)))
            self.assertIn(f"process {pid}", complaint)
            self.assertIn("engines in a virtual machine", complaint)
            self.scope.sockwake("remove", "mine")

            self.scope.engine_run("start", "mine")
            create = ("create", "mine", f"-p{PORT}:{INNER}", f"--engine-socket={engine.path}")
            result = self.scope.sockwake(*create, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn("engines in a virtual machine", result.stderr)


class WithoutGroup(harness.Case):
    """The container's monitor shows it. Docker has no such containers."""

    scopes = (harness.USER_PODMAN,)

    def test_a_wake(self):
        greeter(self.scope, "mine", "mine", ("--cgroups=disabled",))
        self.scope.instance("mine", PORT, INNER)
        self.assertEqual(harness.exchange(PORT, b""), b"mine")
        with open(f"/proc/{self.scope.container_pid('mine')}/cgroup") as groups:
            self.assertNotIn("libpod", groups.read())
