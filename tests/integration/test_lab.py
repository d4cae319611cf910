"""The lab meets the assumptions of the other tests."""

import os

import harness


class Engines(harness.Case):
    """Every engine runs real servers, which stop at once and cleanly."""

    scopes = harness.ALL

    def test_postgres_answers_inside_its_namespace(self):
        self.scope.container("lab-postgres", "postgres", options=("--network=none",))
        self.scope.engine_run("start", "lab-postgres")
        argv = ("exec", "lab-postgres", "/usr/lib/postgresql/current/bin/psql", "-U", "postgres", "-tAc", "select 1")
        harness.eventually(lambda: self.scope.engine_run(*argv).stdout == "1\n")

    def test_redis_and_nginx_answer(self):
        self.scope.container("lab-redis", "redis", options=("--network=none",))
        self.scope.container("lab-nginx", "nginx", options=("--network=none",))
        self.scope.engine_run("start", "lab-redis", "lab-nginx")
        ping = ("exec", "lab-redis", "redis-cli", "ping")
        harness.eventually(lambda: self.scope.engine_run(*ping).stdout == "PONG\n")
        get = ("exec", "lab-nginx", "busybox", "wget", "-qO-", "http://127.0.0.1/")
        harness.eventually(lambda: self.scope.engine_run(*get).stdout == "hello from nginx\n")

    def test_servers_stop_cleanly(self):
        for server in ("postgres", "redis", "nginx"):
            with self.subTest(server):
                self.scope.container(server, server)
                self.scope.engine_run("start", server)
                # Once it is up: a signal before the server handles it would kill it.
                harness.eventually(lambda: self.listens(server))
                self.scope.engine_run("stop", server, timeout=5)
                self.assertEqual(self.scope.container_state(server), "exited")
                argv = ("inspect", "--format={{.State.ExitCode}}", server)
                self.assertEqual(self.scope.engine_run(*argv).stdout, "0\n")

    def test_busybox_runs(self):
        """Docker may lose what a container says that ends before its output is read: this one waits for its input."""
        argv = ("run", "--rm", "--interactive", "--network=none", harness.BUSYBOX, "cat")
        self.assertEqual(self.scope.engine_run(*argv, input="hello\n").stdout, "hello\n")

    def listens(self, container):
        namespaces = f"--net=/proc/{self.scope.container_pid(container)}/ns/net"
        return harness.run("nsenter", namespaces, "ss", "--no-header", "--listening", "--tcp").stdout


class Managers(harness.Case):
    """Service managers, the real ones, of the machine and of its users."""

    def test_manager_runs(self):
        self.assertEqual(self.scope.systemctl("is-system-running", "--wait", check=False).stdout, "running\n")
        with open("/proc/1/comm") as comm:
            self.assertEqual(comm.read(), "systemd\n")

    def test_units_run_as_who_owns_them(self):
        manager = [] if self.scope.is_system else ["--user"]
        argv = ("systemd-run", *manager, "--wait", "--pipe", "--quiet", "id", "--user")
        self.assertEqual(self.scope.run(*argv).stdout, f"{self.scope.uid}\n")

    def test_journal_keeps_what_they_say(self):
        manager = [] if self.scope.is_system else ["--user"]
        word = f"lab-{os.getpid()}-{self.scope}"
        self.scope.run("systemd-run", *manager, "--wait", "--quiet", "--unit", word, "echo", word)
        harness.eventually(lambda: word in self.scope.journal("--unit" if self.scope.is_system else "--user-unit", word))


class Outside(harness.Case):
    """The second machine reaches what listens here, and is seen by its own address."""

    scopes = (harness.USER_PODMAN,)

    def test_published_port_from_outside(self):
        self.scope.container("web", "nginx", options=("--network=slirp4netns", "--publish=8080:80"))
        self.scope.engine_run("start", "web")
        for address in harness.INSIDE:
            url = f"http://[{address}]:8080/" if ":" in address else f"http://{address}:8080/"
            with self.subTest(address):
                harness.eventually(lambda: harness.outside("curl", "-gsf", url).stdout == "hello from nginx\n")


class Reboot(harness.RebootCase):
    """A reboot keeps the disk and starts everything anew."""

    def before_reboot(self):
        os.makedirs("/var/tmp/lab", exist_ok=True)
        with open(f"/var/tmp/lab/{self.scope}", "w") as file:
            file.write(self.start_of_init())
        self.scope.container("lab-reboot", "redis")
        self.scope.engine_run("start", "lab-reboot")

    def test_disk_is_kept_and_processes_are_not(self):
        with open(f"/var/tmp/lab/{self.scope}") as file:
            self.assertNotEqual(file.read(), self.start_of_init())
        self.assertEqual(self.scope.container_state("lab-reboot"), "exited")

    @staticmethod
    def start_of_init():
        with open("/proc/1/stat") as stat:
            return stat.read().split()[21]
