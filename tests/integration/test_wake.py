"""The main job: create an instance, connect, be served, and nothing runs before or after."""

import json
import os

import harness


def ours(user_id):
    """The processes of sockwake that run as this user or, in system scope, as any."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                program = cmdline.read().split(b"\0")[0].decode()
            if "/libexec/sockwake/" in program and os.stat(f"/proc/{pid}").st_uid in user_id:
                found.append(int(pid))
        except OSError:
            continue
    return found


class MainJob(harness.Case):
    """PostgreSQL that knows nothing of us, in a container that nobody can reach otherwise."""

    def processes(self):
        return ours({0, harness.pwd.getpwnam("sockwake").pw_uid} if self.scope.is_system else {self.scope.uid})

    def asleep(self):
        return self.scope.container_state("pg") in ("exited", "created") and not self.processes()

    def check_wake_and_sleep(self, port):
        self.assertTrue(self.asleep())
        self.assertEqual(harness.psql(port, "select 40 + 2"), "42")
        # Keeper and proxy, and for a moment the notification.
        harness.eventually(lambda: len(self.processes()) == 2)
        harness.eventually(self.asleep, timeout=20)
        harness.eventually(lambda: self.scope.state("pg.service") == "inactive")
        self.assertEqual(harness.psql(port, "select 'again'"), "again")

    def test_no_network_at_all(self):
        self.scope.container("pg", "postgres", options=("--network=none",))
        self.scope.sockwake(
            *("create", "--backend", self.scope.engine, "--name", "pg", "--listen-port", "5432"),
            *("--container-port", "5432", "--container-name", "pg", "--idle-timeout", "1"),
        )
        self.check_wake_and_sleep(5432)

    def test_bridge_without_a_published_port(self):
        network = "bridge" if self.scope.engine == "docker" else "podman"
        self.scope.container("pg", "postgres", options=(f"--network={network}",))
        self.scope.sockwake("create", "pg", "-p", "127.0.0.1:5433:5432", "--container-name", "pg", "--idle-timeout", "1s")
        self.check_wake_and_sleep(5433)

    def test_host_network(self):
        self.scope.container("pg", "postgres", "-p", "6543", options=("--network=host",))
        self.scope.sockwake(
            *("create", "pg", "-p", "5434:6543", "--container-name", "pg", "--idle-timeout", "1s"),
            *("--health-check", "postgres"),
        )
        self.check_wake_and_sleep(5434)

    def test_other_servers_and_both_families(self):
        self.scope.container("cache", "redis", options=("--network=none",))
        self.scope.container("web", "nginx", options=("--network=none",))
        self.scope.sockwake("create", "cache", "-p", "6379:6379", "--container-name", "cache")
        self.scope.sockwake("create", "web", "-p", "8080:80", "--container-name", "web")
        self.assertEqual(harness.redis(6379, "set", "key", "value"), "OK")
        self.assertEqual(harness.http(8080, host="[::1]"), "hello from nginx\n")
        self.assertEqual(harness.redis(6379, "get", "key", host="::1"), "value")

    def test_clients_on_another_machine(self):
        self.scope.container("web", "nginx", options=("--network=none",))
        self.scope.sockwake("create", "web", "-p", "8080:80", "--container-name", "web")
        for host in harness.INSIDE:
            url = f"http://[{host}]:8080/" if ":" in host else f"http://{host}:8080/"
            self.assertEqual(harness.outside("curl", "-gsSf", url).stdout, "hello from nginx\n")


class OriginalCommandLine(harness.Case):
    """Every line of the original tool's README, word for word."""

    scopes = (harness.SYSTEM_DOCKER,)

    def test_every_line(self):
        self.scope.container("mysql5ram", "redis", "--port", "3303")
        create = ("create --name mysql5ram --listen-port 53303 --container-port 3303 --container-name mysql5ram").split()
        flags = ["--startup-timeout", "30", "--idle-timeout", "15min", "--health-check", "none", "--no-notifications"]
        self.scope.sockwake(*create, *flags, "--no-selinux", "--dry-run")
        self.assertEqual(json.loads(self.scope.sockwake("list", "--json").stdout), [])
        self.scope.sockwake(*create, "--user", "wake", "--no-selinux")
        self.assertEqual(harness.redis(53303, "ping"), "PONG")
        self.scope.sockwake(*create, *flags, "--force")
        [instance] = json.loads(self.scope.sockwake("list", "--json").stdout)
        self.assertEqual((instance["name"], instance["listen_port"]), ("mysql5ram", 53303))
        self.assertEqual((instance["container_port"], instance["container_name"]), (3303, "mysql5ram"))
        self.assertIn("mysql5ram", self.scope.sockwake("list").stdout)
        self.assertIn("53303", self.scope.sockwake("status", "--name", "mysql5ram").stdout)
        self.scope.sockwake("remove", "--name", "mysql5ram", "--no-selinux")
        self.scope.sockwake("remove", "--all")
        self.assertEqual(os.listdir("/etc/systemd/system").count("mysql5ram.socket"), 0)

    def test_own_health_check(self):
        self.scope.container("web", "nginx")
        self.scope.sockwake(
            *"create --name web --listen-port 8080 --container-port 80 --container-name web --health-check".split(),
            "curl --silent --fail http://127.0.0.1:{container_port}/ >/dev/null",
        )
        self.assertEqual(harness.http(8080), "hello from nginx\n")
