"""Unix sockets: to listen on, and the server's own in the container's file system as the target."""

import contextlib
import json
import os
import socket

import harness
import servers

ANY_RELEASE = True
PORT = 7850
PG_SOCKET = ".s.PGSQL.5432"


class UnixCase(harness.Case):
    def setUp(self):
        super().setUp()
        self.directory = f"{self.scope.runtime_directory}/door"
        self.addCleanup(harness.run, "rm", "-rf", self.directory)

    def connect(self, path, kind=socket.SOCK_STREAM):
        sock = socket.socket(socket.AF_UNIX, kind)
        sock.settimeout(20)
        sock.connect(path)
        return sock

    def psql(self, sql, user=None, **options):
        """Over the Unix socket in our directory."""
        argv = ("psql", "--no-psqlrc", "-tA", "-h", self.directory, "-U", "postgres", "-c", sql)
        return harness.run(*argv, user=user or self.scope.user, **options)


class Listening(UnixCase):
    def test_psql_by_its_directory(self):
        self.scope.container("pg", "postgres", options=("--network=none",))
        path = f"{self.directory}/{PG_SOCKET}"
        self.scope.sockwake("create", "pg", "-p", f"{path}:5432", "--idle-timeout=1s")
        self.assertTrue(os.path.exists(path))
        for _ in range(2):
            # The server sees TCP: only the listener is a Unix socket.
            self.assertEqual(self.psql("select host(inet_server_addr())").stdout, "127.0.0.1\n")
            harness.eventually(lambda: self.scope.container_state("pg") == "exited")
            self.scope.fall_asleep("pg")
        self.scope.sockwake("remove", "pg")
        self.assertFalse(os.path.exists(path))

    def test_mode_decides_who_may_come_in(self):
        self.scope.container("pg", "postgres", options=("--network=none",))
        directory = harness.run("mktemp", "-d", "/run/sockwake-test-XXXXXX").stdout.strip()
        self.addCleanup(harness.run, "rm", "-rf", directory)
        harness.run("chown", self.scope.user, directory)
        os.chmod(directory, 0o755)
        self.directory = directory
        create = ("create", "pg", "-p", f"{directory}/{PG_SOCKET}:5432")
        self.scope.sockwake(*create)
        self.assertIn("Permission denied", self.psql("select 1", user="other", check=False).stderr)
        self.assertNotEqual(self.scope.container_state("pg"), "running")
        self.scope.sockwake(*create, "--force", "--socket-mode=0666")
        self.assertEqual(self.psql("select 1", user="other").stdout, "1\n")


class Target(UnixCase):
    """Servers without any TCP port."""

    def postgres(self, *publish):
        self.scope.container("pg", "postgres", "-c", "listen_addresses=", options=("--network=none",))
        # /var/run is a link to /run, an absolute one.
        target = f"--target=unix:/var/run/postgresql/{PG_SOCKET}"
        self.scope.sockwake("create", "pg", *publish, target, "--idle-timeout=1s")
        self.assertEqual(json.loads(self.scope.sockwake("status", "--json", "pg").stdout)["health_check"], "postgres")

    def assert_asleep(self, name):
        harness.eventually(lambda: self.scope.container_state(name) == "exited")
        self.scope.fall_asleep(name)

    def test_postgres_woken_by_tcp_and_by_a_unix_listener(self):
        self.postgres("-p", f"{PORT}:0", "-p", f"{self.directory}/{PG_SOCKET}:0")
        for _ in range(2):
            self.assertEqual(harness.psql(PORT, "select inet_server_addr() is null"), "t")
            self.assert_asleep("pg")
            self.assertEqual(self.psql("select inet_server_addr() is null").stdout, "t\n")
            self.assert_asleep("pg")
        self.assertEqual(self.scope.complaints("pg", self.started), [])

    def test_redis_woken_by_tcp_and_by_a_unix_listener(self):
        options = ("--port", "0", "--unixsocket", "/tmp/redis.sock", "--unixsocketperm", "777")
        self.scope.container("cache", "redis", *options, options=("--network=none",))
        door = f"{self.directory}/redis"
        listeners = ("-p", f"{PORT}:0", "-p", f"{door}:0")
        self.scope.sockwake("create", "cache", *listeners, "--target=unix:/tmp/redis.sock", "--idle-timeout=1s")
        self.assertEqual(self.scope.run("redis-cli", "-s", door, "set", "key", "value").stdout, "OK\n")
        self.assertEqual(harness.redis(PORT, "get", "key"), "value")
        self.assert_asleep("cache")
        self.assertEqual(harness.redis(PORT, "get", "key"), "value")

    def test_messages_stay_messages(self):
        """SOCK_SEQPACKET on both sides."""
        command = servers.unix_echo("SOCK_SEQPACKET", "/tmp/echo")
        self.scope.container("echo", *command, image=harness.BUSYBOX, options=("--network=none", *servers.PYTHON))
        door = f"{self.directory}/echo"
        self.scope.sockwake("create", "echo", "-p", f"{door}:0/seqpacket", "--target=unix:/tmp/echo")
        messages = [b"one", b"two", b"x" * 60000, b"y"]
        with self.connect(door, socket.SOCK_SEQPACKET) as sock:
            for message in messages:
                sock.sendall(message)
            self.assertEqual([sock.recv(65536) for _ in messages], messages)


class Links(UnixCase):
    """Links in the container never lead to a socket of the host."""

    def setUp(self):
        super().setUp()
        # The target of a link: it exists, and everybody may use it.
        os.mkdir(self.directory)
        os.chmod(self.directory, 0o755)
        self.decoy = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.decoy.close)
        self.decoy.bind(f"{self.directory}/decoy")
        os.chmod(f"{self.directory}/decoy", 0o777)
        self.decoy.listen(8)
        self.decoy.setblocking(False)

    def create(self, name, port, before, target):
        """A container that does `before`, then serves /tmp/real."""
        echo = servers.unix_echo("SOCK_STREAM", "/tmp/real")
        command = ("sh", "-c", f'{before}; exec "$@"', "sh", *echo)
        self.scope.container(name, *command, image=harness.BUSYBOX, options=("--network=none", *servers.PYTHON))
        self.scope.sockwake("create", name, f"-p{port}:0", f"--target=unix:{target}", "--startup-timeout=3")

    def test_none_leads_out(self):
        climb = "../../../../../.."
        links = {
            "directory": (self.directory, "/tmp/out/decoy"),
            "climbing-directory": (climb + self.directory, "/tmp/out/decoy"),
            "process": ("/proc/self/root", f"/tmp/out{self.directory}/decoy"),
            "socket": (f"{self.directory}/decoy", "/tmp/out"),
            "climbing-socket": (f"{climb}{self.directory}/decoy", "/tmp/out"),
        }
        for port, (name, (to, target)) in enumerate(links.items(), PORT):
            self.create(name, port, f"ln -s {to} /tmp/out", target)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(harness.connect(PORT + number)) for number in range(len(links))]
            for name, client in zip(links, clients):
                with self.subTest(name):
                    with self.assertRaises(ConnectionResetError):
                        client.recv(1)
                    status = harness.eventually(lambda name=name: self.scope.sockwake("status", name).stdout)
                    self.assertIn("still starting", status)
        with self.assertRaises(BlockingIOError):
            self.decoy.accept()

    def test_inside_they_are_followed(self):
        self.create("echo", PORT, "mkdir -p /tmp/in; ln -s /tmp /tmp/in/door", "/tmp/in/door/real")
        self.assertEqual(harness.exchange(PORT, b"hello"), b"hello")
