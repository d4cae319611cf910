"""`set` changes what is named, and keeps all else, connections too. What `status` says of the client that woke it."""

import json
import time

import fake_engine
import harness

PORT = 8330


class SetCase(harness.Case):
    """With an instance `server` of a Redis that takes two seconds to stop."""

    any_release = True
    scopes = (harness.SYSTEM_DOCKER, harness.USER_PODMAN)

    def setUp(self):
        super().setUp()
        self.started = time.time()
        self.scope.container("server", "redis", options=("--stop-signal=CONT", "--stop-timeout=2"))
        self.scope.instance("server", PORT, 6379, "--warm-for=20min", "--keep-running")

    def set(self, *options, check=True):
        return self.scope.sockwake("set", "server", *options, check=check)

    def status(self):
        return json.loads(self.scope.sockwake("status", "server", "--json").stdout)


class Set(SetCase):
    def assert_answers(self, connection):
        connection.sendall(b"PING\r\n")
        self.assertEqual(connection.recv(64), b"+PONG\r\n")

    def test_awake(self):
        before = self.status()
        with harness.connect(PORT) as connection:
            self.assert_answers(connection)
            said = self.set("--idle-timeout", "1s", "--unset", "keep-running", "--warm-for", "").stdout
            self.assertEqual(said, "Changed 'server'; it is awake: that counts from its next wake on.\n")
            refused = self.set("-p", f"{PORT + 1}:6379", check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("'sockwake sleep server' first", refused.stderr)
            self.assertIn("Changed: since it woke", self.scope.sockwake("status", "server").stdout)
            self.assertTrue(self.status()["changed_since_wake"])
            self.assert_answers(connection)
        harness.eventually(lambda: self.status()["sleeps_at"])
        after = self.status()
        changed = {key for key in after if key in before and after[key] != before[key]}
        self.assertLessEqual({"idle_timeout"}, changed)
        self.assertEqual(after["idle_timeout"], "1s")
        later = "(changed: from the next wake on)"
        self.assertIn(later, self.scope.sockwake("status", "server").stdout)
        self.assertFalse(after.get("keep_running") or after.get("warm_for"))
        self.assertGreater(after["sleeps_at"], time.time() + 60, "the proxy still has the old time-out")
        self.scope.sockwake("sleep", "server")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertNotIn("hanged", self.scope.sockwake("status", "server").stdout)
        self.scope.fall_asleep("server")

    def test_asleep(self):
        self.assertEqual(self.set("-p", f"{PORT + 1}:6379").stdout, "Changed 'server'.\n")
        self.assertEqual(self.set("-p", f"{PORT + 1}:6379").stdout, "'server' is so already.\n")
        self.assertEqual(self.status()["keep_running"], True)
        self.assertEqual(harness.redis(PORT + 1, "ping"), "PONG")
        with self.assertRaises(ConnectionRefusedError):
            harness.connect(PORT)
        with harness.connect(PORT + 1) as connection:
            self.assert_answers(connection)
            self.set("--schedule", "00:00-24:00")
            self.assertEqual(self.scope.state("server.timer"), "active")
            self.set("--unset", "schedule")
            self.assertEqual(self.scope.state("server.timer"), "inactive")
            self.assert_answers(connection)

    def test_several(self):
        self.scope.instance("other", PORT + 2, 6379, container="server")
        said = self.scope.sockwake("set", "--all", "--idle-timeout", "7min").stdout
        self.assertEqual(said, "Changed 'other'.\nChanged 'server'.\n")
        for words, status in (
            (("server",), 2),
            (("--all", "-p", "1:1"), 2),
            (("nobody", "--workers", "1"), 1),
            (("server", "--idle-timeout", "5x"), 2),
            (("--all", "--workers", "100"), 2),
            (("server", "--health-check", "bogus"), 2),
            (("server", "--unset", "idletimeout"), 2),
        ):
            with self.subTest(words):
                self.assertEqual(self.scope.sockwake("set", *words, check=False).returncode, status)
        self.assertEqual(self.status()["idle_timeout"], "7min")


    def test_what_is_not_changed_is_not_checked(self):
        """Neither a dependency that is gone, nor an engine that would not answer."""
        self.scope.container("db", "redis")
        self.scope.sockwake("set", "server", "--with", "db:6379")
        self.scope.engine_run("rm", "db")
        self.assertEqual(self.set("--idle-timeout", "8min").stdout, "Changed 'server'.\n")
        self.assertIn("Changed 'server'", self.set("-p", f"{PORT + 1}:6379").stdout)
        self.assertIn("there is no container 'db'", self.set("--with", "db:6380", check=False).stderr)
        self.set("--unset", "with")
        socket = "/run/docker.sock" if self.scope.is_system else f"{self.scope.runtime_directory}/podman/podman.sock"
        with fake_engine.FakeEngine(socket) as engine:
            self.scope.instance("hung", PORT + 2, 6379, f"--engine-socket={engine.path}", container="server")
            engine.behave(fake_engine.silent)
            began = time.monotonic()
            changed = self.scope.sockwake("set", "hung", "--idle-timeout", "9min", "--ignore-from", "192.0.2.1")
            self.assertLess(time.monotonic() - began, 2)
            self.assertEqual(changed.stdout, "Changed 'hung'.\n")
            engine.behave(fake_engine.faithful)
            self.scope.sockwake("remove", "hung")


class WhoWokeIt(SetCase):
    def test_a_client_that_waited_for_the_last_sleep(self):
        self.set("--unset", "keep-running")
        self.scope.sockwake("wake", "server")
        self.assertEqual(self.status()["statistics"]["woken_by"], {"kind": "start"})
        sleeps = self.scope.spawn("sockwake", "sleep", "server")
        harness.eventually(lambda: self.scope.state("server.service") == "deactivating")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        sleeps.wait()
        by = self.status()["statistics"]["woken_by"]
        self.assertEqual((by["kind"], by["address"]), ("client", "127.0.0.1"))
        self.assertGreater(by["waited_ms"], 1000, "it waited while the container was being stopped")
        text = self.scope.sockwake("status", "server").stdout
        self.assertRegex(text, r"Woken by: 127\.0\.0\.1 at [0-9:]+, waited [0-9.]+ s, .* of it before this wake began\n")

        def is_journaled():
            matches = ("SOCKWAKE_INSTANCE=server", "SOCKWAKE_CLIENT=127.0.0.1")
            return "for which 127.0.0.1 has waited " in self.scope.journal(*matches, since=self.started)

        harness.eventually(is_journaled)
