"""A client is accepted once the server serves, not earlier, and does not wait for a server that never will."""

import json
import struct
import time

import harness
import servers

PORT = 7100
COLD_STARTS = 100 if harness.THOROUGH else 10
LATE = 60 if harness.THOROUGH else 8


def postgres_message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


# PostgreSQL's protocol, version 3: the answer of a server that listens but does not serve yet, and of one that serves.
STARTING_UP = postgres_message(b"E", b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0")
SERVES = postgres_message(b"R", struct.pack("!i", 0)) + postgres_message(b"Z", b"I")


class RealServers(harness.Case):
    """Every kind of health check with a suitable server."""

    any_release = True

    def wake(self, server, container_port, *options):
        self.scope.container("server", server)
        self.scope.instance("server", PORT, container_port, *options)

    def test_postgres(self):
        self.wake("postgres", 5432, "--health-check=postgres")
        self.assertEqual(harness.psql(PORT, "select 1"), "1")

    def test_redis(self):
        self.wake("redis", 6379, "--health-check=redis")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def test_http(self):
        self.wake("nginx", 80, "--health-check=http")
        self.assertEqual(harness.http(PORT), "hello from nginx\n")

    def test_http_with_a_path(self):
        self.wake("nginx", 80, "--health-check=http:/index.html")
        self.assertEqual(harness.http(PORT), "hello from nginx\n")

    def test_listen(self):
        self.wake("redis", 6379, "--health-check=listen")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def test_none(self):
        self.wake("redis", 6379, "--health-check=none")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def test_chosen_by_the_port(self):
        self.wake("postgres", 5432)
        self.assertIn("postgres", self.scope.sockwake("status", "server").stdout)
        self.assertEqual(harness.psql(PORT, "select 1"), "1")

    def test_shell_command_runs_in_the_namespace_without_privileges(self):
        unprivileged = "grep -q '^CapEff:\t0*$' /proc/self/status"
        self.wake("nginx", 80, f"--health-check={unprivileged} && nc -z 127.0.0.1 {{container_port}}")
        self.assertEqual(harness.http(PORT), "hello from nginx\n")


class ListensBeforeItServes(harness.Case):
    """The port is open a second before the server serves; the client sees the server that serves."""

    any_release = True

    def check(self, health_check, not_yet, ready, speaks_first=False, options=()):
        command = servers.hesitant(9000, not_yet, ready, speaks_first)
        options = (*servers.STOP_AT_ONCE, *options)
        self.scope.container("hesitant", *command, image=harness.BUSYBOX, options=options)
        self.scope.instance("hesitant", PORT, 9000, f"--health-check={health_check}")
        self.assertEqual(harness.exchange(PORT, b"" if speaks_first else b"request"), ready)

    def test_postgres(self):
        self.check("postgres", STARTING_UP, SERVES)

    def test_redis(self):
        self.check("redis", b"-LOADING Redis is loading the dataset in memory\r\n", b"+PONG\r\n")

    def test_http(self):
        self.check("http", b"HTTP/1.0 503 Busy\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n")

    def test_greeting(self):
        self.check("greeting", b"", b"220 ready\r\n", speaks_first=True)

    def test_shell_command(self):
        get = "busybox wget -q -O - http://127.0.0.1:{container_port}/"
        self.check(get, b"HTTP/1.0 503 Busy\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nserved\n")

    def test_healthcheck_of_the_image(self):
        """Runs now: the engine itself would run it only half a minute later."""
        health = ("--health-cmd=test -e /tmp/ready", "--health-interval=30s")
        began = time.monotonic()
        self.check("healthy", b"ill", b"well", options=health)
        self.assertLess(time.monotonic() - began, 15)


class Tls(harness.Case):
    """A server with TLS only, behind a check without TLS."""

    any_release = True
    PAIR = ("/tmp/cert.pem", "/tmp/key.pem")  # in the container

    def redis(self, *options):
        cert, key = self.PAIR
        make = f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=server -days 2 -out {cert} -keyout {key} 2>/dev/null"
        serve = f"exec redis-server --protected-mode no --port 0 --tls-port 6379 --tls-cert-file {cert} --tls-key-file {key}"
        trust = f"--tls-ca-cert-file {cert} --tls-auth-clients no"
        self.scope.container("server", "sh", "-c", f"{make}; {serve} {trust}", options=("--network=none",))
        self.scope.instance("server", PORT, 6379, *options)

    def ping(self):
        return harness.redis(PORT, "--tls", "--insecure", "ping")

    def test_redis(self):
        self.redis()
        self.assertEqual(self.ping(), "PONG")
        self.assertIn("speaks TLS", "".join(self.scope.unit_journal("server", since=self.started)))

    def test_without_a_question(self):
        self.redis("--health-check=listen")
        self.assertEqual(self.ping(), "PONG")
        self.assertNotIn("speaks TLS", "".join(self.scope.unit_journal("server", since=self.started)))


class Initialisation(harness.Case):
    """Images run a temporary server on loopback before the real one."""

    any_release = True
    HERE = "httpd -f -h /tmp/$1 -p $2 & pid=$!"
    SERVE = "serve() { mkdir -p /tmp/$1; echo $1 >/tmp/$1/index.html; " + HERE + "; }; "

    def create(self, script, *options):
        command = ("sh", "-c", self.SERVE + script)
        options = ("--startup-timeout=4s", *options)
        self.scope.container("server", *command, image=harness.BUSYBOX, options=(*servers.STOP_AT_ONCE, "--network=none"))
        self.scope.instance("server", PORT, 8080, *options)

    def test_the_temporary_server_is_not_met(self):
        self.create("serve temporary 127.0.0.1:8080; sleep 1; kill $pid; sleep 0.5; serve real 8080; wait")
        self.assertEqual(harness.http(PORT), "real\n")

    def test_one_that_stays_is_waited_for_once(self):
        self.create("serve real 127.0.0.1:8080; wait")
        took = []
        for _ in range(2):
            self.assertEqual(harness.http(PORT), "real\n")
            status = json.loads(self.scope.sockwake("status", "server", "--json").stdout)
            took.append(status["statistics"]["last_wake_ms"]["readiness"])
            self.scope.systemctl("stop", "server.service")
        self.assertGreater(took[0], 1000)
        self.assertLess(took[1], 700)
        notes = [line for line in self.scope.unit_journal("server", since=self.started) if "loopback alone" in line]
        self.assertEqual(len(notes), 1)


class ColdStarts(harness.Case):
    """A cleanly stopped PostgreSQL listens tens of milliseconds before it serves: no client may see that."""

    any_release = True
    timeout = 60 + 5 * COLD_STARTS

    def test_every_session_is_answered(self):
        self.scope.container("db", "postgres")
        self.scope.instance("db", PORT, 5432)
        for n in range(COLD_STARTS):
            self.assertEqual(harness.psql(PORT, f"select {n}"), str(n))
            self.assertEqual(self.scope.container_state("db"), "running")
            self.scope.systemctl("stop", "db.service")
            self.assertEqual(self.scope.container_state("db"), "exited")


class NoCheck(harness.Case):
    """A container's own health check, where it has none."""

    any_release = True

    def container(self, *options):
        self.scope.container("slow", *servers.late(9000, 0), image=harness.BUSYBOX, options=(*servers.STOP_AT_ONCE, *options))

    def test_refused_at_create(self):
        self.container(f"--label=sockwake.publish={PORT}:9000", "--label=sockwake.health-check=healthy")
        create = ("create", "slow", "-p", f"{PORT}:9000", "--health-check=healthy")
        for command in (create, ("adopt", "slow")):
            with self.subTest(command[0]):
                refused = self.scope.sockwake(*command, check=False)
                self.assertEqual(refused.returncode, 1)
                for word in ("'slow' has no health check", f"'{self.scope.engine} create --health-cmd COMMAND ...'"):
                    self.assertIn(word, refused.stderr)
        self.assertEqual(self.scope.sockwake("list", "--json").stdout.strip(), "[]")

    def test_an_instance_that_exists_goes_on(self):
        self.container("--health-cmd=true")
        self.scope.instance("slow", PORT, 9000, "--health-check=healthy", "--idle-timeout=1s")
        self.assertEqual(harness.exchange(PORT, b""), b"hello\n")
        self.scope.fall_asleep("slow")
        self.scope.engine_run("rm", "slow")
        self.container()
        self.scope.sockwake("refresh", "slow")
        self.assertEqual(self.scope.state("slow.socket"), "active")


class Patience(harness.Case):
    """Clients wait for slow servers up to --startup-timeout, and not for hopeless ones. What still starts then:
    test_slow.py."""

    timeout = LATE + 60
    any_release = True

    def busybox(self, *command):
        self.scope.container("slow", *command, image=harness.BUSYBOX, options=servers.STOP_AT_ONCE)

    def test_late_server_is_waited_for(self):
        self.busybox(*servers.late(9000, LATE))
        self.scope.instance("slow", PORT, 9000, f"--startup-timeout={LATE + 30}")
        began = time.monotonic()
        self.assertEqual(harness.exchange(PORT, b"", timeout=LATE + 30), b"hello\n")
        self.assertGreater(time.monotonic() - began, LATE - 1)
        self.assertEqual(self.scope.complaints("slow", self.started), [])

    def test_container_that_ends_first_fails_at_once(self):
        self.busybox("sh", "-c", "sleep 1; exit 3")
        self.scope.instance("slow", PORT, 9000, "--startup-timeout=60")
        self.assertLess(harness.refusal(PORT), 5)
        self.expect_reason("container")

    def test_startup_timeout(self):
        self.busybox("sleep", "1000")
        self.scope.instance("slow", PORT, 9000, "--startup-timeout=2")
        waited = harness.refusal(PORT)
        self.assertGreater(waited, 1.9)
        self.assertLess(waited, 5)
        self.expect_still_starting("nothing listens on port 9000")

    def test_startup_timeout_of_a_server_that_never_serves(self):
        self.busybox(*servers.answering(9000, "dd bs=4096 count=1 >&2; printf 'HTTP/1.0 503 Busy\\r\\n\\r\\n'"))
        self.scope.instance("slow", PORT, 9000, "--startup-timeout=2", "--health-check=http")
        self.assertLess(harness.refusal(PORT), 5)
        self.expect_still_starting("503")

    def test_startup_timeout_of_a_shell_command(self):
        self.busybox("sleep", "1000")
        self.scope.instance("slow", PORT, 9000, "--startup-timeout=2", "--health-check=sleep 987654")
        self.assertLess(harness.refusal(PORT), 5)
        self.expect_still_starting("the health-check command has not ended")
        self.scope.sockwake("sleep", "slow")
        self.assertEqual(harness.run("pgrep", "-fx", "sleep 987654", check=False).stdout, "")

    def test_a_second_port_without_a_listener(self):
        """It is refused soon once the first one is ready, and who refused is named."""
        self.busybox("httpd", "-f", "-p", "9000")
        self.scope.instance("slow", PORT, 9000, "-p", f"{PORT + 1}:9001")
        self.assertLess(harness.refusal(PORT + 1), 10)
        self.assertLess(harness.refusal(PORT + 1), 5)
        words = "nothing listens on port 9001 in the container; it does listen on port 9000 ('-p PORT:9000' forwards there)"
        (line,) = [line for line in self.scope.unit_journal("slow", since=self.started) if words in line]
        self.assertIn("a client was reset, as others may be", line)
        self.assertIn(f"failed: {words}", " ".join(self.scope.sockwake("status", "slow").stdout.split()))

    def expect_still_starting(self, word):
        harness.eventually(lambda: word in self.scope.sockwake("status", "slow").stdout)
        self.assertEqual(self.scope.complaints("slow", self.started), [])

    def expect_reason(self, word):
        """One sentence in the journal, the same in `sockwake status`."""
        (reason,) = harness.eventually(lambda: self.scope.complaints("slow", self.started))
        self.assertIn(word, reason)
        self.scope.fall_asleep("slow")
        self.assertIn(reason, self.scope.sockwake("status", "slow").stdout)
