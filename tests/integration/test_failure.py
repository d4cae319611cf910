"""After a failure a client gets an answer or a prompt reset, the journal one sentence; once the cause is gone, clients
are served again without any help."""

import collections
import contextlib
import os
import signal
import subprocess
import threading
import time

import fake_engine
import harness
import servers

PORT = 7200
CROWD = 1000 if harness.THOROUGH else 200
FAILED_WAKES = 200 if harness.THOROUGH else 20
LIBEXEC = "/usr/libexec/sockwake"

PROMPT = 5  # seconds within which a refused client is reset, beyond necessary waits
LINES_A_WAKE = 10  # in the journal about one failed wake, the manager's own included
LINES_A_SECOND = 10  # while clients try again and again


class FailureCase(harness.Case):
    """With a Redis whose instance is called `server`."""

    def redis(self, *options):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379, *options)

    def drop_in(self, service, line):
        kind = "system" if self.scope.is_system else "user"
        directory = f"{self.scope.runtime_directory}/systemd/{kind}/{service}.d"
        self.scope.run("mkdir", "-p", directory)
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(self.scope.run, "rm", "-rf", directory)
        self.scope.run("tee", f"{directory}/test.conf", input=f"[Service]\n{line}\n")
        self.scope.systemctl("daemon-reload")
        return directory

    def assert_served(self):
        """Served now, at the first try; the units show no failure."""
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertEqual(self.scope.state("server.socket"), "active")
        harness.eventually(lambda: self.scope.state("server.service") == "active")

    def reason(self, since):
        """The one sentence in the journal, also shown by `sockwake status`."""
        (sentence,) = harness.eventually(lambda: self.scope.complaints("server", since))
        harness.eventually(lambda: sentence in self.scope.sockwake("status", "server").stdout)
        return sentence

    def assert_refused(self, *words, within=PROMPT):
        """A reset, and one sentence that says why."""
        since = self.refuse(within)
        self.assert_reason(since, *words)

    def refuse(self, within):
        """Returns the time of the beginning, once all has ended."""
        since = time.time()
        self.assertLess(harness.refusal(PORT, timeout=within + 5), within)
        self.scope.fall_asleep("server")
        self.assertEqual(self.scope.state("server.socket"), "active")
        return since

    def assert_reason(self, since, *words):
        reason = self.reason(since)
        for word in words:
            self.assertIn(word, reason)
        self.assertLessEqual(len(self.scope.unit_journal("server", since=since)), LINES_A_WAKE)


class Container(FailureCase):
    """The container is the cause."""

    waits = True
    timeout = 60 + 2 * FAILED_WAKES

    def broken(self, *command, options=()):
        """An instance whose container cannot serve."""
        options = (*servers.STOP_AT_ONCE, *options)
        self.scope.container("server", *command, image=harness.BUSYBOX, options=options)
        self.scope.instance("server", PORT, 6379, "--startup-timeout=2")

    def mend(self):
        self.scope.engine_run("rm", "--force", "server")
        self.scope.container("server", "redis")

    def test_missing(self):
        self.redis()
        self.scope.engine_run("rm", "server")
        self.assert_refused("server")
        self.scope.container("server", "redis")
        self.assert_served()

    def test_cannot_start(self):
        self.broken("x", options=("--entrypoint=/nonexistent",))
        self.assert_refused("/nonexistent")
        self.mend()
        self.assert_served()

    def test_too_few_descriptors(self):
        self.redis()
        directory = self.drop_in("server.service", "LimitNOFILE=12")
        self.assert_refused("may open 12 files, and needs at least 129: raise LimitNOFILE=")
        self.scope.run("rm", "-r", directory)
        self.scope.systemctl("daemon-reload")
        self.assert_served()

    def test_no_file_may_grow(self):
        """Not even those in the runtime directory: what cannot be written there is done without."""
        self.redis()
        self.drop_in("server.service", "LimitFSIZE=0")
        self.assert_served()
        self.scope.sockwake("sleep", "server")
        self.assert_served()

    def test_exits_at_once(self):
        self.broken("false")
        self.assert_refused("ended")
        self.mend()
        self.assert_served()

    def test_never_listens(self):
        """It may serve later: waiting clients are refused, and it keeps starting until told to sleep."""
        self.broken("sleep", "1000")
        self.assertLess(harness.refusal(PORT), 2 + PROMPT)
        harness.eventually(lambda: "nothing listens on port 6379" in self.scope.sockwake("status", "server").stdout)
        self.assertEqual(self.scope.container_state("server"), "running")
        self.scope.sockwake("sleep", "server")
        self.assertEqual(self.scope.container_state("server"), "exited")
        self.mend()
        self.assert_served()

    def test_a_target_that_is_never_reached(self):
        """Only a client notices: the wake succeeds."""
        self.redis("--target=192.0.2.1", "--startup-timeout=2s", "--health-check=listen")
        since = time.time()
        harness.refusal(PORT)
        harness.eventually(lambda: any("its server cannot be connected to (it does not accept in time)" in line or
                                       "its server cannot be connected to (Network is unreachable)" in line
                                       for line in self.scope.unit_journal("server", since=since)))

    def test_many_failed_wakes_in_a_row(self):
        self.redis()
        self.scope.engine_run("rm", "server")
        for _ in range(FAILED_WAKES):
            self.refuse(PROMPT)
        lines = self.scope.unit_journal("server", since=self.started)
        self.assertLessEqual(len(lines), LINES_A_WAKE * FAILED_WAKES)
        self.assertEqual(len(self.scope.complaints("server", self.started)), FAILED_WAKES)
        self.scope.container("server", "redis")
        self.assert_served()

    def test_client_that_comes_again_at_once(self):
        """Clients are refused at once, again and again, without filling the journal."""
        self.redis()
        self.scope.engine_run("rm", "server")
        since = time.time()
        while time.time() - since < 3:
            self.assertLess(harness.refusal(PORT), PROMPT)
        lines = self.scope.unit_journal("server", since=since)
        self.assertLess(len(lines) / (time.time() - since), LINES_A_SECOND)

    def test_killed_under_load(self):
        self.redis()
        self.assert_served()
        with Load(PORT) as load:
            harness.eventually(lambda: load.answers > 1000)
            killed = time.monotonic()
            self.scope.engine_run("kill", "server")
            # Each client is cut off, reconnects, and is served by the next wake.
            harness.eventually(lambda: len(load.lost) >= load.clients, timeout=PROMPT)
            harness.eventually(lambda: load.came_back == load.clients, timeout=20)
        self.assertLess(max(load.lost) - killed, PROMPT)
        self.assertEqual(load.hung, 0)
        self.assertEqual(self.scope.state("server.socket"), "active")


class Load:
    """Clients that send requests without pause, and reconnect when cut off."""

    clients = 8

    def __init__(self, port):
        self.port = port
        self.answers = self.hung = self.came_back = 0
        self.lost = []  # when connections broke
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.client, daemon=True) for _ in range(self.clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(30)

    def client(self):
        self.ask_until_it_breaks()
        while not self.over.is_set():
            with contextlib.suppress(OSError), harness.connect(self.port) as connection:
                if self.ask(connection):
                    self.came_back += 1
                    return

    def ask_until_it_breaks(self):
        try:
            with harness.connect(self.port) as connection:
                while not self.over.is_set() and self.ask(connection):
                    self.answers += 1
        except TimeoutError:
            self.hung += 1
        except OSError:
            pass
        self.lost.append(time.monotonic())

    @staticmethod
    def ask(connection):
        connection.sendall(b"PING\r\n")
        return connection.recv(64) == b"+PONG\r\n"


class Engine(FailureCase):
    """The engine is the cause."""

    def engine_units(self):
        return [f"{self.scope.engine}.{kind}" for kind in ("socket", "service")]

    def start_engine(self):
        self.scope.systemctl("start", self.engine_units()[0])

    def test_down(self):
        self.redis()
        self.addCleanup(self.start_engine)
        self.scope.systemctl("stop", *self.engine_units())
        self.assert_refused("systemctl", self.engine_units()[0].removesuffix(".socket"))
        self.start_engine()
        self.assert_served()

    def test_restarted_for_a_long_time(self):
        """Jobs of systemd for the engine do not extend the time limit of a wake."""
        self.redis("--startup-timeout=5s")
        service = self.engine_units()[1]
        self.drop_in(service, "ExecStop=sleep 60")
        self.scope.systemctl("start", service)
        manager = [] if self.scope.is_system else ["--user"]
        restart = self.scope.spawn("systemctl", *manager, "restart", service)
        harness.eventually(lambda: self.scope.state(service) == "deactivating")
        self.scope.sockwake("attend")  # as after each boot; like create and refresh it starts the target
        self.assertNotIn("sockwake-engines", self.scope.systemctl("list-jobs", "--no-legend").stdout)
        self.assert_served()  # it still lives
        self.assertEqual(self.scope.state(service), "deactivating")
        self.assertEqual(self.scope.state("sockwake-engines.target"), "active")
        self.scope.systemctl("kill", "--kill-whom=control", service)
        self.assertEqual(restart.wait(60), 0)

    def test_restarted_while_connections_are_open(self):
        self.redis("--idle-timeout=1s")
        with harness.connect(PORT) as connection:
            self.assertTrue(Load.ask(connection))
            pid = self.scope.container_pid("server")
            self.scope.systemctl("restart", *self.engine_units())
            if self.scope.container_pid("server") == pid:  # the engine lets its containers live: so does the connection
                self.assertTrue(Load.ask(connection))
            else:
                self.assertEqual(connection.recv(1), b"")
        self.assert_served()
        harness.eventually(lambda: self.scope.container_state("server") == "exited", timeout=20)
        self.assert_served()


class Misbehaving(FailureCase):
    """Something else answers in the engine's place."""

    waits = True
    any_release = True

    def engine_socket(self):
        if self.scope.engine == "docker":
            return "/run/docker.sock"
        return f"{self.scope.runtime_directory}/podman/podman.sock"

    def misbehaving(self, behaviour, *words, within=PROMPT, options=()):
        with fake_engine.FakeEngine(self.engine_socket()) as engine:
            self.redis(f"--engine-socket={engine.path}", "--startup-timeout=3", *options)
            engine.behave(behaviour)
            since = time.time()
            self.assertLess(harness.refusal(PORT, timeout=within + 5), within)
            # The engine may have started the container: ask it until its answers make sense again.
            engine.behave(fake_engine.faithful)
            self.scope.fall_asleep("server")
            self.assert_reason(since, *words)
            self.assert_served()
            self.scope.systemctl("stop", "server.service")

    def test_list_does_not_wait_for_long(self):
        with fake_engine.FakeEngine(self.engine_socket()) as engine:
            self.redis(f"--engine-socket={engine.path}")
            engine.behave(fake_engine.silent)
            began = time.monotonic()
            result = self.scope.sockwake("list")
            self.assertLess(time.monotonic() - began, 5)
            self.assertIn(f"did not answer in time on '{engine.path}'", result.stderr)
            self.assertRegex(result.stdout, r"server .* asleep .* unknown")
            engine.behave(fake_engine.faithful)

    def test_silent(self):
        self.misbehaving(fake_engine.silent, within=3 + PROMPT)

    def test_slow(self):
        with fake_engine.FakeEngine(self.engine_socket()) as engine:
            self.redis(f"--engine-socket={engine.path}")
            engine.behave(fake_engine.after(2))
            self.assert_served()
            self.scope.systemctl("stop", "server.service")
            self.assertEqual(self.scope.container_state("server"), "exited")

    def test_not_http(self):
        self.misbehaving(fake_engine.answering(b"220 mail.example ready\r\n" * 1000))

    def test_not_json(self):
        self.misbehaving(fake_engine.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<xml>"))

    def test_json_of_another_shape(self):
        body = b'{"Id": 7, "State": {"Pid": "-1e99", "Status": ["running"]}}'
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        self.misbehaving(fake_engine.answering(head + body))

    def test_endless_answer(self):
        self.misbehaving(fake_engine.endless, within=3 + PROMPT)

    def test_hangs_up(self):
        self.misbehaving(fake_engine.closing)

    def test_fails(self):
        body = b'{"message": "the disk is full"}'
        head = f"HTTP/1.1 500 Internal Server Error\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        self.misbehaving(fake_engine.answering(head + body), "the disk is full")


class Ourselves(FailureCase):
    """Our own programs are killed or missing."""

    any_release = True

    def main_pid(self):
        return int(self.scope.property("server.service", "MainPID"))

    def test_proxy_killed(self):
        """Another one takes over, without a request to the engine."""
        self.redis()
        with harness.connect(PORT) as connection:
            self.assertTrue(Load.ask(connection))
            container, keeper = self.scope.container_pid("server"), self.main_pid()
            os.kill(self.scope.process("server"), signal.SIGKILL)
            self.assertEqual(connection.recv(1), b"")
        self.assert_served()
        self.assertEqual((self.scope.container_pid("server"), self.main_pid()), (container, keeper))

    def test_keeper_killed(self):
        """The proxy ends with it, the container is put to sleep, and the next client wakes it."""
        self.redis()
        with harness.connect(PORT) as connection:
            self.assertTrue(Load.ask(connection))
            os.kill(self.main_pid(), signal.SIGKILL)
            self.assertEqual(connection.recv(1), b"")
        harness.eventually(lambda: self.scope.container_state("server") == "exited")
        self.assert_served()

    def test_killed_during_the_wake(self):
        """The next try serves clients in the backlog."""
        self.scope.container(
            "server", *servers.late(6379, 2), image=harness.BUSYBOX, options=servers.STOP_AT_ONCE
        )
        self.scope.instance("server", PORT, 6379)
        with harness.connect(PORT) as connection:
            pid = harness.eventually(self.main_pid)
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(harness.read_all(connection), b"hello\n")

    def test_terminated_during_the_wake(self):
        """By somebody who is not the manager: it starts nothing again, and who waits for the start hears of it."""
        self.scope.container("server", "sleep", "1000", image=harness.BUSYBOX, options=servers.STOP_AT_ONCE)
        self.scope.instance("server", PORT, 6379)
        for wake in (("sockwake", "wake", "server"), ("sockwake", "wake", "server", "--for=1h")):
            with self.subTest(wake), self.scope.spawn(*wake, stderr=subprocess.PIPE) as woken:
                harness.eventually(lambda: self.scope.process("server"))
                with harness.connect(PORT) as connection:
                    os.kill(self.main_pid(), signal.SIGTERM)
                    with self.assertRaises(ConnectionResetError):
                        connection.recv(1)
                self.assertIn("'server' did not wake: it was told to stop before", woken.stderr.read())
                self.assertEqual(woken.wait(), 1)
                self.scope.fall_asleep("server")
                self.assertEqual(self.scope.property("server.service", "NRestarts"), "0")
                self.assertEqual(self.scope.container_state("server"), "exited")
        self.assertIn("it was told to stop before", self.scope.sockwake("status", "server").stdout)

    def test_stopped_during_the_wake(self):
        """By the manager: to it that is a success."""
        self.scope.container("server", "sleep", "1000", image=harness.BUSYBOX, options=servers.STOP_AT_ONCE)
        self.scope.instance("server", PORT, 6379)
        with harness.connect(PORT) as connection:
            harness.eventually(lambda: self.scope.process("server"))
            self.scope.systemctl("stop", "server.service")
            with self.assertRaises(ConnectionResetError):
                connection.recv(1)
        self.assertEqual(self.scope.state("server.service"), "inactive")
        self.assertEqual(self.scope.container_state("server"), "exited")

    def test_program_missing(self):
        for program in ("activator", "nshelper", "proxy"):
            with self.subTest(program):
                self.scope.clean()
                self.redis()
                with harness.missing(f"{LIBEXEC}/{program}"):
                    since = self.refuse(PROMPT)
                    (sentence,) = harness.eventually(lambda: self.scope.complaints("server", since))
                    self.assertIn(program, sentence)
                    self.assertIn(f"'{LIBEXEC}/{program}' is missing: ", self.scope.sockwake("status", "server").stdout)
                self.assert_served()

    def test_keeper_missing(self):
        """No process of ours can refuse clients: the manager closes the socket, which refuses all."""
        self.redis()
        with harness.missing(f"{LIBEXEC}/keeper"):
            harness.refusal(PORT)
            harness.eventually(lambda: self.scope.state("server.socket") == "failed")
            with self.assertRaises(ConnectionRefusedError):
                harness.connect(PORT)
        self.scope.sockwake("refresh", "server")
        self.assert_served()

    def test_a_crowd_during_one_wake(self):
        self.redis()
        answers = collections.Counter(map(repr, harness.crowd(PORT, CROWD)))
        self.assertEqual(answers, {repr(b"+PONG\r\n"): CROWD})

    def test_a_crowd_during_one_failed_wake(self):
        self.scope.container("server", "sleep", "1000", image=harness.BUSYBOX, options=servers.STOP_AT_ONCE)
        self.scope.instance("server", PORT, 6379, "--startup-timeout=3")
        began = time.monotonic()
        answers = collections.Counter(type(answer) for answer in harness.crowd(PORT, CROWD))
        self.assertEqual(answers, {ConnectionResetError: CROWD})
        self.assertLess(time.monotonic() - began, 3 + PROMPT)
