"""Other units that a Quadlet starts, and when they sleep with it."""

import os

import harness

PORT = 7750
QUADLET = os.path.exists("/usr/lib/systemd/system-generators/podman-system-generator")


class Needs(harness.Case):
    """site.service requires store.service, both Quadlets."""

    scopes = (harness.SYSTEM_PODMAN, harness.USER_PODMAN) if QUADLET else ()

    def setUp(self):
        super().setUp()
        self.directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
        self.scope.run("mkdir", "-p", self.directory)
        self.files = []
        self.addCleanup(self.forget)

    def forget(self):
        self.scope.sockwake("remove", "--all", check=False)
        for path in self.files:
            self.scope.systemctl("stop", os.path.basename(path).replace(".container", ".service"), check=False)
            os.unlink(path)
        self.scope.systemctl("daemon-reload")

    def define(self, name, server, unit=""):
        path = f"{self.directory}/{name}.container"
        self.files.append(path)
        self.scope.run("tee", path, input=f"""[Unit]
{unit}
[Container]
Image={harness.SERVERS}
Network=none
Exec=serve {server}
[Quadlet]
DefaultDependencies=false
""")

    def create(self, name="web", unit="site", port=PORT, inner=80):
        self.scope.systemctl("daemon-reload")
        self.scope.sockwake("create", name, "--backend=podman", "--unit", f"{unit}.service", "-p", f"{port}:{inner}",
                            "--idle-timeout=3s")

    def served_and_asleep(self):
        self.assertIn("nginx", harness.http(PORT))
        self.assertEqual(self.scope.state("store.service"), "active")
        self.scope.fall_asleep("web")
        self.assertEqual(self.scope.state("site.service"), "inactive")

    def test_sleeps_with_what_it_was_started_for(self):
        self.define("deep", "redis")
        self.define("store", "redis", "Wants=deep.service")
        self.define("site", "nginx", "Requires=store.service\nAfter=store.service")
        self.create()
        for _ in range(2):
            self.served_and_asleep()
            self.assertEqual([self.scope.state(f"{name}.service") for name in ("store", "deep")], ["inactive", "inactive"])
        self.assertEqual(self.scope.complaints("web", self.started), [])

    def test_what_somebody_started_stays(self):
        self.define("store", "redis")
        self.define("site", "nginx", "Requires=store.service")
        self.create()
        self.scope.systemctl("start", "store.service")
        self.served_and_asleep()
        self.assertEqual(self.scope.state("store.service"), "active")

    def test_what_another_unit_needs_stays_until_that_sleeps(self):
        self.define("store", "redis")
        self.define("site", "nginx", "BindsTo=store.service\nAfter=store.service")
        self.define("other", "nginx", "Requires=store.service")
        self.create()
        self.create("second", "other", PORT + 1)
        self.assertIn("nginx", harness.http(PORT))
        with harness.connect(PORT + 1):
            harness.eventually(lambda: self.scope.state("other.service") == "active")
            self.scope.fall_asleep("web")
            self.assertEqual(self.scope.state("store.service"), "active")
        self.scope.fall_asleep("second")
        harness.eventually(lambda: self.scope.state("store.service") == "inactive")

    def test_what_another_instance_serves_stays(self):
        self.define("store", "redis")
        self.define("site", "nginx", "Requires=store.service")
        self.create()
        self.create("cache", "store", PORT + 1, 6379)
        self.assertIn("nginx", harness.http(PORT))
        with harness.connect(PORT + 1) as client:
            client.sendall(b"PING\r\n")
            self.assertEqual(client.recv(16), b"+PONG\r\n")
            self.scope.fall_asleep("web")
            client.sendall(b"PING\r\n")
            self.assertEqual(client.recv(16), b"+PONG\r\n")
        self.scope.fall_asleep("cache")
        self.assertEqual(self.scope.state("store.service"), "inactive")
