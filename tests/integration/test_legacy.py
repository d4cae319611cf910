"""Instances that the original tool made: listed, removed, and taken over."""

import json
import os

import harness

PORT = 7500
PUBLISHED = 7501  # the original goes through a port that the container publishes on the host


class Legacy(harness.Case):
    """Three units an instance, as the original's README describes them: NAME.socket starts NAME-proxy.service, which
    forwards to a published port and needs NAME.service, which runs `docker start -a`."""

    scopes = (harness.SYSTEM_DOCKER,)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.scope.container("old", "redis", options=(f"--publish={PUBLISHED}:6379",))
        self.install("old", PORT, PUBLISHED)

    def path(self, unit):
        return f"{self.scope.unit_directory}/{unit}"

    def units(self, name="old"):
        return (f"{name}.socket", f"{name}-proxy.service", f"{name}.service")

    def install(self, name, port, published, mark_services=True):
        config = {"name": name, "listen_port": port, "container_port": published, "container_name": "old"}
        marks = f"X-ManagedBy=sockwake\nX-InstanceConfig={json.dumps(config)}"
        service_marks = marks if mark_services else "X-ManagedBy=sockwake"
        check = f"until nc -z 127.0.0.1 {published}; do sleep 0.1; done"
        texts = (
            f"""[Unit]
Description=sockwake: socket for {name}
{marks}

[Socket]
ListenStream={port}
Service={name}-proxy.service

[Install]
WantedBy=sockets.target
""",
            f"""[Unit]
Description=sockwake: proxy for {name}
{service_marks}
Requires={name}.service
After={name}.service

[Service]
ExecStart=/usr/lib/systemd/systemd-socket-proxyd --exit-idle-time=15min 127.0.0.1:{published}
""",
            f"""[Unit]
Description=sockwake: container of {name}
{service_marks}
StopWhenUnneeded=true

[Service]
Type=notify
NotifyAccess=all
ExecStart=/bin/bash -c 'docker start -a old & {check}; systemd-notify --ready; wait'
ExecStop=/usr/bin/docker stop old
TimeoutStartSec=30
""",
        )
        for unit, text in zip(self.units(name), texts):
            with open(self.path(unit), "w") as file:
                file.write(text)
            self.addCleanup(lambda path=file.name: os.path.exists(path) and os.unlink(path))
        self.scope.systemctl("daemon-reload")
        self.scope.systemctl("enable", "--now", f"{name}.socket")
        self.addCleanup(self.scope.systemctl, "stop", *self.units(name), check=False)

    def listed(self):
        return {item["name"]: item for item in json.loads(self.scope.sockwake("list", "--json").stdout)}

    def assert_gone(self, name="old", port=PORT):
        for unit in self.units(name):
            self.assertFalse(os.path.exists(self.path(unit)), unit)
            self.assertEqual(self.scope.property(unit, "LoadState"), "not-found", unit)
        self.assertFalse(os.path.lexists(self.path(f"sockets.target.wants/{name}.socket")))
        with self.assertRaises(ConnectionRefusedError):
            harness.connect(port)

    def test_listed(self):
        instance = self.listed()["old"]
        self.assertEqual((instance["listen_port"], instance["container_port"]), (PORT, PUBLISHED))
        self.assertEqual((instance["container_name"], instance["legacy"]), ("old", True))
        self.assertEqual((instance["state"], instance["container_state"]), ("asleep", "created"))
        self.assertIn("old", self.scope.sockwake("list").stdout)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertEqual(self.listed()["old"]["state"], "awake")
        self.assertIn("create --force", self.scope.sockwake("status", "old").stdout)

    def test_wake_and_sleep(self):
        self.scope.sockwake("wake", "old")
        self.assertEqual(self.scope.container_state("old"), "running")
        self.scope.sockwake("sleep", "old")
        harness.eventually(lambda: self.scope.container_state("old") == "exited", timeout=20)

    def test_removed(self):
        for awake in (False, True):
            for mark_services in (False, True):
                with self.subTest(awake=awake, mark_services=mark_services):
                    self.install("old", PORT, PUBLISHED, mark_services)
                    if awake:
                        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
                    self.scope.sockwake("remove", "--name", "old")
                    self.assert_gone()
                    self.assertIn(self.scope.container_state("old"), ("created", "exited"))

    def test_taken_over(self):
        argv = ("create", "--name=old", f"--listen-port={PORT}", f"--container-port={PUBLISHED}", "--container-name=old")
        self.assertIn("--force", self.scope.sockwake(*argv, check=False).stderr)
        for awake in (False, True):
            with self.subTest(awake=awake):
                self.install("old", PORT, PUBLISHED)
                if awake:
                    self.assertEqual(harness.redis(PORT, "ping"), "PONG")
                self.scope.sockwake(*argv, "--force")
                self.assertFalse(os.path.exists(self.path("old-proxy.service")))
                self.assertEqual(self.scope.property("old-proxy.service", "LoadState"), "not-found")
                instance = self.listed()["old"]
                self.assertEqual((instance["legacy"], instance["container_port"]), (False, 6379))
                self.assertEqual(harness.redis(PORT, "ping"), "PONG")
                self.scope.sockwake("sleep", "old")
                self.assertEqual(self.scope.container_state("old"), "exited")
                self.scope.sockwake("remove", "old")
                self.assert_gone()

    def test_taken_over_in_vain(self):
        os.symlink("/no/such/directory", "/run/leads-nowhere")
        self.addCleanup(os.unlink, "/run/leads-nowhere")
        argv = ("create", "old", "--force", "--container-name=old", "-p/run/leads-nowhere/old.sock:6379")
        self.assertEqual(self.scope.sockwake(*argv, check=False).returncode, 1)
        self.assertTrue(self.listed()["old"]["legacy"])
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def test_instance_that_is_called_like_its_proxy(self):
        """old-proxy.service belongs to the instance `old`, and would to one that is called `old-proxy`."""
        argv = ("create", "old-proxy", f"-p{PORT + 2}:6379", "--container-name=old")
        refused = self.scope.sockwake(*argv, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("old-proxy.service", refused.stderr)
        self.scope.sockwake("remove", "old")
        self.scope.sockwake(*argv)
        self.install("old", PORT, PUBLISHED)
        os.unlink(self.path("old-proxy.service"))
        self.scope.systemctl("daemon-reload")
        self.scope.sockwake("create", "old-proxy", "--force", f"-p{PORT + 2}:6379", "--container-name=old")
        self.scope.sockwake("remove", "old")
        self.assertEqual(harness.redis(PORT + 2, "ping"), "PONG")

    def test_all_removed(self):
        self.install("older", PORT + 3, PUBLISHED)
        self.scope.sockwake("create", "new", f"-p{PORT + 4}:6379", "--container-name=old")
        self.scope.sockwake("remove", "--all")
        self.assertEqual(self.listed(), {})
        self.assert_gone("old", PORT)
        self.assert_gone("older", PORT + 3)
