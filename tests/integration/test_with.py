"""Several containers, one instance: `--with` wakes them first, in order, and puts them to sleep last. See
docs/with.md."""

import datetime
import json
import os
import random
import threading
import time

import harness
import servers

PORT = 7800
ROUNDS = 20 if harness.THOROUGH else 5
PAGE = os.path.join(os.path.dirname(__file__), "../../docs/with.md")
HAS_QUADLET = os.path.exists("/usr/lib/systemd/system-generators/podman-system-generator")


class WithCase(harness.Case):
    timeout = 90 + 10 * ROUNDS

    def setUp(self):
        super().setUp()
        if self.scope.engine == "podman":
            self.scope.systemctl("start", "podman.socket")

    def create(self, *options, name="app", port=PORT, **more):
        """An instance of nginx; by default with a short idle timeout."""
        return self.scope.instance(
            name, port, 80, "--backend", self.scope.engine, "--idle-timeout=500ms", *options, **more
        )

    def busybox(self, name, *command):
        self.scope.container(name, *command, image=harness.BUSYBOX, options=servers.STOP_AT_ONCE)

    def at(self, container, moment):
        """When a container was started ("StartedAt") or ended ("FinishedAt") last."""
        state = json.loads(self.scope.engine_run("inspect", "--type=container", container).stdout)[0]["State"]
        return datetime.datetime.fromisoformat(state[moment])

    def assert_order(self, moment, *containers):
        moments = [self.at(container, moment) for container in containers]
        self.assertEqual(moments, sorted(moments), containers)

    def assert_states(self, **states):
        for container, state in states.items():
            with self.subTest(container):
                self.assertEqual(self.scope.container_state(container), state)

    def with_of(self, name="app"):
        """The dependencies of an instance, as in its JSON output."""
        return json.loads(self.scope.sockwake("status", "--json", name).stdout).get("with", [])

    def assert_served(self, port=PORT):
        self.assertEqual(harness.http(port), "hello from nginx\n")


class RealServers(WithCase):
    """A web server that comes after PostgreSQL and Redis."""

    def setUp(self):
        super().setUp()
        self.scope.container("db", "postgres")
        self.scope.container("cache", "redis")
        self.scope.container("app", "nginx")

    def test_woken_in_order_and_put_to_sleep_in_the_opposite_one(self):
        told = self.create("--with", "db:5432", "--with", "cache:6379").stdout
        self.assertIn("first wakes db:5432 (postgres)\n", told)
        self.assertIn("then cache:6379 (redis)\n", told)
        for _ in range(2):
            with harness.connect(PORT):
                self.assert_served()
                self.assert_order("StartedAt", "db", "cache", "app")
                self.assertEqual({one["container_state"] for one in self.with_of()}, {"running"})
            self.scope.fall_asleep("app")
            self.assert_states(app="exited", cache="exited", db="exited")
            self.assert_order("FinishedAt", "app", "cache", "db")
        self.assertEqual(self.scope.complaints("app", self.started), [])

    def test_status_shows_them(self):
        self.create("--with", "db:5432", "--with", "cache")
        self.assertRegex(self.scope.sockwake("status", "app").stdout, r"After: db:5432 \(postgres\): created\n +cache: created")
        expected = {"container": "db", "port": 5432, "health_check": "postgres", "container_state": "created"}
        self.assertEqual({key: self.with_of()[0][key] for key in expected}, expected)
        self.assertNotIn("port", self.with_of()[1])
        self.scope.engine_run("rm", "cache")
        self.assertEqual(self.with_of()[1]["container_state"], "missing")

    def test_paused_together(self):
        self.create("--with", "db:5432", "--with", "cache:6379", "--idle-action=pause")
        self.assert_served()
        pids = [self.scope.container_pid(name) for name in ("app", "cache", "db")]
        for _ in range(2):
            self.scope.fall_asleep("app")
            self.assert_states(app="paused", cache="paused", db="paused")
            self.assert_served()
        self.assertEqual([self.scope.container_pid(name) for name in ("app", "cache", "db")], pids)

    def test_shared_with_the_last_user(self):
        self.scope.container("admin", "nginx")
        self.create("--with", "db:5432", "--with", "cache:6379")
        self.create("--with", "db:5432", name="admin", port=PORT + 1)
        self.scope.instance("db", PORT + 2, 5432, "--backend", self.scope.engine, "--idle-timeout=500ms")
        with harness.connect(PORT + 1) as connection:
            self.assert_served()
            started = self.at("db", "StartedAt")
            self.scope.fall_asleep("app")
            self.assert_states(app="exited", cache="exited", db="running", admin="running")
            # Nor does its own instance stop it.
            self.assertEqual(harness.psql(PORT + 2, "select 1"), "1")
            self.scope.fall_asleep("db")
            self.assert_states(db="running")
            self.assert_served()
            self.scope.fall_asleep("app")
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn(b"hello from nginx", harness.read_all(connection))
        self.assertEqual(self.at("db", "StartedAt"), started)
        self.scope.fall_asleep("admin")
        self.assert_states(db="exited", admin="exited")
        self.assertEqual(self.scope.complaints("app", self.started) + self.scope.complaints("admin", self.started), [])

    def test_each_needs_the_other(self):
        self.create("--with", "db:5432")
        self.scope.instance(
            "db", PORT + 2, 5432, "--backend", self.scope.engine, "--idle-timeout=500ms", "--with", "app:80"
        )
        for _ in range(3):
            with harness.connect(PORT):
                self.assertEqual(harness.psql(PORT + 2, "select 1"), "1")
            self.assert_served()
            self.scope.fall_asleep("app")
            self.scope.fall_asleep("db")
            self.assert_states(app="exited", db="exited")

    def test_started_by_hand(self):
        self.scope.engine_run("start", "db")
        pid = self.scope.container_pid("db")
        self.create("--with", "db:5432", "--with", "cache:6379", "--keep-running")
        self.assert_served()
        self.scope.fall_asleep("app")
        self.assert_states(app="exited", cache="exited", db="running")
        self.assertEqual(self.scope.container_pid("db"), pid)
        self.create("--with", "db:5432", "--force")
        self.assert_served()
        self.scope.fall_asleep("app")
        self.assert_states(app="exited", db="exited")

    def test_left_running_with_the_one_that_needs_them(self):
        self.scope.engine_run("start", "app")
        self.create("--with", "db:5432", "--keep-running")
        self.assert_served()
        self.scope.fall_asleep("app")
        self.assert_states(app="running", db="running")

    def test_asked_without_privileges_and_sockets(self):
        check = "test -z \"$LISTEN_FDS\" && grep -q '^CapEff:[[:space:]]*0*$' /proc/self/status"
        if self.scope.is_system:
            check += ' && test "$(id -un)" = sockwake'
        self.create("--with", f"db:5432:{check}")
        self.assert_served()


class Sharing(WithCase):
    any_release = True

    def test_never_put_to_sleep_under_a_user(self):
        """Connects at random moments, mostly about when another instance falls asleep."""
        self.scope.container("cache", "redis")
        for number, name in enumerate(("app", "admin", "shop")):
            self.scope.container(name, "nginx")
            self.create("--with", "cache:6379", "--idle-timeout=200ms", name=name, port=PORT + number)
        failures = []
        threads = [threading.Thread(target=self.visits, args=(n, failures), daemon=True) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        for name in ("app", "admin", "shop"):
            self.scope.fall_asleep(name)
            self.assertEqual(self.scope.complaints(name, self.started), [])
        self.assert_states(app="exited", admin="exited", shop="exited", cache="exited")

    def visits(self, visitor, failures):
        chance = random.Random(visitor)
        for n in range(ROUNDS):
            try:
                with harness.connect(PORT + visitor) as connection:
                    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    answer = connection.recv(64)
                    states = {self.scope.container_state("cache") for _ in range(3)}
                    if not answer.startswith(b"HTTP/1.1 200") or states != {"running"}:
                        failures.append((visitor, n, answer, states))
            except OSError as error:
                failures.append((visitor, n, error))
            time.sleep(chance.uniform(0, 0.8))


class Ready(WithCase):
    """Each is ready, not only started, before the next is woken."""

    any_release = True

    def setUp(self):
        super().setUp()
        self.scope.container("app", "nginx")

    def seconds_between(self, first, second):
        return (self.at(second, "StartedAt") - self.at(first, "StartedAt")).total_seconds()

    def test_one_that_listens_before_it_serves(self):
        self.busybox("db", *servers.hesitant(6379, b"-LOADING wait\r\n", b"+PONG\r\n"))
        self.busybox("cache", *servers.late(9000, 1))
        self.create("--with", "db:6379", "--with", "cache:9000", "--idle-timeout=5min")
        self.assert_served()
        self.assertGreater(self.seconds_between("db", "cache"), 0.9)
        self.assertGreater(self.seconds_between("cache", "app"), 0.9)

    def test_a_health_check_of_the_image(self):
        health = ("--health-cmd=test -e /tmp/ready", "--health-interval=30s")
        command = ("sh", "-c", "rm -f /tmp/ready; sleep 1; touch /tmp/ready; sleep 1000")
        self.scope.container("db", *command, image=harness.BUSYBOX, options=(*servers.STOP_AT_ONCE, *health))
        self.create("--with", "db")
        self.assertEqual(self.with_of()[0]["health_check"], "healthy")
        self.assert_served()
        self.assertGreater(self.seconds_between("db", "app"), 0.9)

    def test_the_port_that_it_exposes(self):
        image = "localhost/exposing"
        self.scope.container("seed", "postgres")
        self.addCleanup(self.scope.engine_run, "rmi", image)
        self.addCleanup(self.scope.clean)  # no container may use it
        self.scope.engine_run("commit", "--change", "EXPOSE 9999", "--change", "EXPOSE 5432", "seed", image)
        self.scope.container("db", "postgres", image=image)
        self.create("--with", "db")
        self.assertEqual((self.with_of()[0]["port"], self.with_of()[0]["health_check"]), (5432, "postgres"))
        self.assert_served()


class Failure(WithCase):
    """If a dependency fails, the client is told at once, and all woken containers sleep again."""

    any_release = True

    def setUp(self):
        super().setUp()
        self.scope.container("app", "nginx")
        self.scope.container("cache", "redis")

    def assert_refused(self, *reasons, within=5):
        """One sentence says which container and why, in the journal and in `sockwake status`."""
        self.assertLess(harness.refusal(PORT), within)
        (reason,) = harness.eventually(lambda: self.scope.complaints("app", self.started))
        for word in ("'db', which comes before 'app': ", *reasons):
            self.assertIn(word, reason)
        self.scope.fall_asleep("app")
        self.assertIn(reason, self.scope.sockwake("status", "app").stdout)
        self.assertEqual(self.scope.container_state("app"), "created")
        self.assertIn(self.scope.container_state("cache"), ("created", "exited"))

    def test_one_that_is_gone(self):
        self.scope.container("db", "redis")
        self.create("--with", "cache:6379", "--with", "db:6379")
        self.scope.engine_run("rm", "db")
        self.assert_refused("no container 'db'")
        self.assertEqual(self.scope.container_state("cache"), "exited")
        self.scope.container("db", "redis")
        harness.eventually(lambda: self.assert_served() is None)

    def test_one_that_ends(self):
        self.busybox("db", "sh", "-c", "exit 3")
        self.create("--with", "db:9000", "--with", "cache:6379")
        self.assert_refused(" ended")  # right after the start, or before it was ready
        self.assertEqual(self.scope.container_state("cache"), "created")

    def test_one_that_ends_before_it_is_ready(self):
        self.busybox("db", "sh", "-c", "sleep 1; exit 3")
        self.create("--with", "db:9000")
        self.assert_refused("ended before it was ready")

    def test_one_that_is_never_ready(self):
        """The reason names the port, and those that have a listener."""
        self.busybox("db", "httpd", "-f", "-p", "9001")
        self.create("--with", "cache:6379", "--with", "db:9000", "--startup-timeout=2s")
        self.assertLess(harness.refusal(PORT), 5)
        reason = "'db', which comes before 'app', is not ready: nothing listens on port 9000; it does listen on port 9001;"
        harness.eventually(lambda: reason in " ".join(self.scope.sockwake("status", "app").stdout.split()))
        self.assert_states(cache="running", db="running")
        self.scope.sockwake("sleep", "app")
        self.assert_states(cache="exited", db="exited")

    def test_told_to_stop_meanwhile(self):
        self.busybox("db", "sleep", "1000")
        self.create("--with", "db:9000", "--startup-timeout=1min")
        with harness.connect(PORT) as connection:
            harness.eventually(lambda: self.scope.container_state("db") == "running")
            # The socket first: the waiting client would wake it again.
            self.scope.systemctl("stop", "app.socket", "app.service", timeout=20)
            with self.assertRaises(ConnectionResetError):
                connection.recv(1)
        self.assert_states(db="exited", app="created")

    def refused(self, *options):
        publish = ("-p", f"{PORT}:80", "--backend", self.scope.engine)
        result = self.scope.sockwake("create", "app", *publish, *options, check=False)
        self.assertEqual(result.returncode, 1, result.stdout)
        return result.stderr

    def test_what_create_refuses(self):
        self.assertIn("no container 'nobody'", self.refused("--with", "nobody"))
        identifier = self.scope.engine_run("inspect", "--format={{.Id}}", "app").stdout.strip()
        self.assertIn("own container", self.refused("--with", identifier))
        self.assertIn("HEALTHCHECK", self.refused("--with", "cache::healthy"))
        self.assertIn("no compose project", self.refused("--with-project"))
        identifier = self.scope.engine_run("inspect", "--format={{.Id}}", "cache").stdout.strip()
        self.assertIn("twice", self.refused("--with", "cache:6379", "--with", identifier))
        self.scope.container("shortlived", "redis", options=("--rm",))
        self.assertIn("is removed when it stops", self.refused("--with", "shortlived:6379"))
        self.assertEqual(json.loads(self.scope.sockwake("list", "--json").stdout), [])


class Compose(WithCase):
    """--with-project, with the labels that compose writes."""

    def member(self, service, server, depends_on=None, project="com.docker.compose.project", options=()):
        labels = [f"--label={project}=shop", f"--label=com.docker.compose.service={service}"]
        if depends_on is not None:
            labels.append(f"--label=com.docker.compose.depends_on={depends_on}")
        self.scope.container(f"shop-{service}-1", server, options=(*labels, *options))

    def containers(self):
        return [one["container"] for one in self.with_of()]

    def job(self, name, command, labels=()):
        options = [f"--label={label}" for label in labels]
        self.scope.container(name, "sh", "-c", command, image=harness.BUSYBOX, options=(*servers.STOP_AT_ONCE, *options))

    def test_what_depends_on_says(self):
        self.member("mail", "redis", "")
        self.member("web", "nginx", "api:service_started:false,migrate:service_completed_successfully:false")
        self.member("api", "redis", "cache:service_started:true,db:service_started:false", options=("--expose=6379",))
        self.job("shop-migrate-1", "true", labels=(
            "com.docker.compose.project=shop", "com.docker.compose.service=migrate",
            "com.docker.compose.depends_on=db:service_healthy:false"))
        self.member("cache", "redis", "")
        self.member("db", "postgres", "", options=("--expose=5432",))
        self.assertIn("then shop-migrate-1 (completed)\n", self.create("--with-project", container="shop-web-1").stdout)
        self.assertEqual(self.containers(), ["shop-cache-1", "shop-db-1", "shop-api-1", "shop-migrate-1"])
        self.assert_served()
        self.assert_order("StartedAt", "shop-cache-1", "shop-db-1", "shop-api-1", "shop-migrate-1", "shop-web-1")
        self.assertLess(self.at("shop-migrate-1", "FinishedAt"), self.at("shop-web-1", "StartedAt"))
        self.assert_states(**{"shop-mail-1": "created", "shop-migrate-1": "exited"})
        self.scope.fall_asleep("app")
        self.assert_order("FinishedAt", "shop-web-1", "shop-api-1", "shop-db-1", "shop-cache-1")
        changed = self.scope.sockwake("set", "app", "--with", "shop-db-1:5432").stdout
        self.assertEqual(changed, "Changed 'app'.\n first wakes shop-db-1:5432 (postgres)\n")
        self.assertEqual(self.scope.sockwake("set", "app", "--idle-timeout=3s").stdout, "Changed 'app'.\n")
        changed = self.scope.sockwake("set", "app", "--unset", "with-project").stdout
        self.assertEqual(changed, "Changed 'app'.\n  wakes no other container\n")

    def test_else_in_the_order_of_their_creation(self):
        project = "io.podman.compose.project"
        unit = ("--label=PODMAN_SYSTEMD_UNIT=podman-compose@shop.service",)  # as podman-compose writes; there is none
        self.member("zebra", "redis", project=project, options=unit)
        self.member("web", "nginx", project=project, options=unit)
        self.member("ape", "redis", project=project, options=unit)
        self.scope.container("other", "redis")
        self.create("--with-project", "--with", "shop-ape-1:6379", container="shop-web-1")
        self.assertEqual(self.containers(), ["shop-ape-1", "shop-zebra-1"])
        self.create("--with-project", "--force", container="shop-web-1")
        self.assertEqual(self.containers(), ["shop-zebra-1", "shop-ape-1"])
        self.assert_served()
        self.assert_order("StartedAt", "shop-zebra-1", "shop-ape-1", "shop-web-1")

    def test_hostile_labels(self):
        self.member("web", "nginx", "db,;rm -rf /,$(reboot)")
        self.member("db", "redis", "web")
        result = self.scope.sockwake(
            "create", "app", "-p", f"{PORT}:80", "--container-name=shop-web-1", "--backend", self.scope.engine,
            "--with-project", check=False,
        )
        self.assertEqual(result.returncode, 1)
        self.assertIn("in a circle, at 'web'", result.stderr)

    def test_labels_adopt_them(self):
        wishes = (f"--label=sockwake.publish={PORT}:80", "--label=sockwake.name=app", "--label=sockwake.idle-timeout=500ms")
        self.member("web", "nginx", "db", options=(*wishes, "--label=sockwake.with-project=true"))
        self.member("db", "postgres", "", options=("--expose=5432",))
        adopt = ("adopt", "--all", "--backend", self.scope.engine)
        self.scope.sockwake(*adopt)
        self.assertEqual(self.containers(), ["shop-db-1"])
        self.assertIn("Unchanged", self.scope.sockwake(*adopt).stdout)
        self.assert_served()
        self.scope.fall_asleep("app")
        self.assert_states(**{"shop-db-1": "exited", "shop-web-1": "exited"})
        # A label cannot stop a container that somebody else runs; the sentence names no option that nobody gave.
        self.scope.engine_run("start", "shop-db-1")
        self.assert_served()
        self.scope.fall_asleep("app")
        self.assert_states(**{"shop-db-1": "running", "shop-web-1": "exited"})
        journal = "\n".join(self.scope.unit_journal("app", since=self.started))
        self.assertIn("'shop-db-1' was not started by sockwake, and stays up because a label names it", journal)
        self.assertNotIn("--keep-running", journal)
        self.scope.sockwake("remove", "app")
        self.assertIn(f"'{self.scope.engine} stop shop-db-1'", self.scope.sockwake(*adopt).stderr)


class Jobs(WithCase):
    """`--with NAME::completed`: runs at each wake, to its end, before the next container."""

    def setUp(self):
        super().setUp()
        self.scope.container("app", "nginx")

    def job(self, name, script):
        self.busybox(name, "sh", "-c", script)

    def runs(self, name="job"):
        return self.scope.engine_run("logs", name).stdout.count("ran")

    def test_at_each_wake_and_once_while_awake(self):
        self.job("job", "sleep 0.5; echo ran")
        self.scope.container("admin", "nginx")
        self.create("--with", "job::completed")
        self.create("--with", "job::completed", name="admin", port=PORT + 1)
        with harness.connect(PORT):
            self.assert_served()
            self.assertLess(self.at("job", "FinishedAt"), self.at("app", "StartedAt"))
            self.assertRegex(self.scope.sockwake("status", "app").stdout, r"After: job \(completed\): exited")
            self.assert_served(PORT + 1)
            self.assertEqual(self.runs(), 1)
        self.scope.fall_asleep("app")
        self.scope.fall_asleep("admin")
        self.assert_served()
        self.assertEqual(self.runs(), 2)
        self.scope.fall_asleep("app")
        self.assertEqual(self.scope.complaints("app", self.started), [])
        # Somebody has run both, as `compose up` does.
        self.scope.engine_run("start", "job")
        harness.eventually(lambda: self.scope.container_state("job") == "exited")
        self.scope.engine_run("start", "app")
        self.assert_served()
        self.assertEqual(self.runs(), 3)

    def test_its_failure_refuses_the_clients(self):
        self.job("job", "echo why; exit 3")
        self.create("--with", "job::completed")
        self.assertLess(harness.refusal(PORT), 5)
        (reason,) = harness.eventually(lambda: self.scope.complaints("app", self.started))
        self.assertIn(f"the job ended with status 3: '{self.scope.engine} logs job' may say why", reason)
        self.assertIn(reason, self.scope.sockwake("status", "app").stdout)
        self.assertEqual(self.scope.container_state("app"), "created")

    def test_one_that_outlasts_the_wake_is_left_to_its_end(self):
        self.job("job", "until [ -e /go ]; do sleep 0.1; done; rm /go; echo ran")
        self.create("--with", "job::completed", "--startup-timeout=1s")
        self.assertLess(harness.refusal(PORT), 5)
        harness.eventually(lambda: "the job 'job', which comes before 'app', has not ended"
                           in self.scope.sockwake("status", "app").stdout)
        self.scope.systemctl("stop", "app.socket", "app.service", timeout=20)
        self.assertEqual(self.scope.container_state("job"), "running")
        self.scope.systemctl("start", "app.socket")
        self.scope.engine_run("exec", "job", "touch", "/go")
        self.assert_served()  # that run counts
        self.assertEqual(self.runs(), 1)

    def test_what_create_says(self):
        publish = ("create", "app", "-p", f"{PORT}:80", "--backend", self.scope.engine)
        self.job("job", "echo ran")
        # A job that looks like a server without a port.
        self.assertIn("'--with job::completed' for the end of a job", self.scope.sockwake(*publish, "--with", "job").stderr)
        self.assertNotIn("counts as ready", self.scope.sockwake(*publish, "--with", "job::none", "--force").stderr)
        self.scope.container("always", "true", image=harness.BUSYBOX, options=("--restart=always",))
        refused = self.scope.sockwake(*publish, "--with", "always::completed", "--force", check=False)
        self.assertIn("the job 'always' never ends", refused.stderr)


class Pod(WithCase):
    """--with-project in a pod of Podman's."""

    scopes = (harness.USER_PODMAN,)

    def setUp(self):
        super().setUp()
        infra = ("--infra-image", harness.BUSYBOX, "--infra-command", "sleep 1000")
        self.scope.engine_run("pod", "create", "--name=shop", "--network=none", *infra)
        self.addCleanup(self.scope.engine_run, "pod", "rm", "--force", "--time=0", "shop")
        for name, server, port in (("db", "postgres", 5432), ("app", "nginx", 80), ("cache", "redis", 6379)):
            self.scope.engine_run(
                "create", "--pull=never", "--pod=shop", f"--expose={port}", "--name", name, harness.SERVERS, server
            )

    def test_its_other_containers_come_first(self):
        self.create("--with-project")
        self.assertEqual([one["container"] for one in self.with_of()], ["db", "cache"])
        for _ in range(2):
            self.assert_served()
            self.assert_order("StartedAt", "db", "cache", "app")
            self.scope.fall_asleep("app")
            self.assert_states(app="exited", cache="exited", db="exited")


class Quadlet(WithCase):
    """A container unit is woken and put to sleep by that unit."""

    scopes = (harness.SYSTEM_PODMAN, harness.USER_PODMAN) if HAS_QUADLET else ()

    def setUp(self):
        super().setUp()
        directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
        network = "" if self.scope.is_system else "DefaultDependencies=false"
        self.scope.run("mkdir", "-p", directory)
        self.scope.run(
            "tee", f"{directory}/cache.container",
            input=f"[Container]\nImage={harness.SERVERS}\nNetwork=none\nExec=redis\n[Quadlet]\n{network}\n",
        )
        self.scope.systemctl("daemon-reload")
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(self.scope.run, "rm", f"{directory}/cache.container")
        self.addCleanup(self.scope.systemctl, "stop", "cache.service", check=False)
        self.scope.container("app", "nginx", options=("--network=none",))

    def test_through_its_unit(self):
        told = self.create("--with", "cache:6379").stderr
        self.assertIn("cache.service runs 'cache'", told)
        self.assertEqual(self.with_of()[0]["unit"], "cache.service")
        for _ in range(2):
            self.assertEqual(self.scope.state("cache.service"), "inactive")
            self.assert_served()
            self.assertEqual(self.scope.state("cache.service"), "active")
            self.scope.fall_asleep("app")
            self.assertEqual(self.scope.container_state("app"), "exited")
        # Found by its label while it runs, too.
        self.scope.systemctl("start", "cache.service")
        self.create("--with", "systemd-cache:6379", "--force")
        self.assertEqual(self.with_of()[0]["unit"], "cache.service")
        self.assert_served()
        self.scope.fall_asleep("app")
        self.assertEqual(self.scope.state("cache.service"), "inactive")


class QuadletJob(WithCase):
    """A job that a unit runs."""

    scopes = (harness.SYSTEM_PODMAN, harness.USER_PODMAN) if HAS_QUADLET else ()

    def test_oneshot(self):
        directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
        self.scope.run("mkdir", "-p", directory)
        self.scope.run(
            "tee", f"{directory}/job.container",
            input=f"[Container]\nImage={harness.BUSYBOX}\nNetwork=none\nExec=sh -c 'sleep 0.3; echo ran'\n"
            "[Service]\nType=oneshot\n[Quadlet]\nDefaultDependencies=false\n",
        )
        self.scope.systemctl("daemon-reload")
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(self.scope.run, "rm", f"{directory}/job.container")
        self.scope.container("app", "nginx", options=("--network=none",))
        self.create("--with", "job::completed")
        self.assertEqual(self.with_of()[0]["unit"], "job.service")
        for number in (1, 2):
            self.assert_served()
            journal = self.scope.unit_journal("job", since=self.started)
            self.assertEqual(sum(line.startswith("Finished job.service") for line in journal), number, journal)
            self.scope.fall_asleep("app")
        self.assertEqual(self.scope.complaints("app", self.started), [])


class ManualsExamples(WithCase):
    """Runs the commands of docs/with.md, in their order."""

    def do(self, block):
        for line in block.splitlines():
            self.scope.run(*line.split(), "--backend", self.scope.engine)

    def test_the_examples(self):
        with open(PAGE) as page:
            blocks = [part[3:] for part in page.read().split("```")[1::2] if part.startswith("sh\n")]
        first, jobs, shared, project = blocks
        self.scope.container("db", "postgres", options=("--expose=5432",))
        self.scope.container("cache", "redis")
        for name in ("shop", "admin"):
            self.scope.container(name, "nginx")
        self.do(first)
        self.assert_served(8080)
        self.assert_order("StartedAt", "db", "cache", "shop")
        self.scope.sockwake("sleep", "shop")
        self.assert_states(shop="exited", cache="exited", db="exited")
        self.scope.sockwake("remove", "shop")

        self.busybox("migrate", "true")
        self.do(jobs)
        self.assert_served(8080)
        self.assert_order("StartedAt", "db", "migrate", "shop")
        self.scope.sockwake("sleep", "shop")
        self.scope.sockwake("remove", "shop")

        self.do(shared)
        self.assert_served(8080)
        self.assert_served(8081)
        self.assertEqual(harness.psql(5432, "select 1"), "1")
        self.scope.sockwake("sleep", "shop")
        self.scope.sockwake("sleep", "db")
        self.assert_states(shop="exited", db="running")
        self.scope.sockwake("sleep", "admin")
        self.assert_states(db="exited")
        self.scope.sockwake("remove", "--all")

        labels = ("--label=com.docker.compose.project=shop", "--label=com.docker.compose.service=web")
        self.scope.container("shop-web-1", "nginx", options=labels)
        self.do(project)
        self.assert_served(8080)
