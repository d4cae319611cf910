"""A keeper protects its locks and files from the proxy, its time from a user's processes, journal and CPU from clients
that may not wake, and its clients from missing or full resources."""

import contextlib
import os
import re
import signal
import socket
import threading
import time

import cells
import harness
import servers
import test_notifications

ANY_RELEASE = True
PORT = 7900
LIBEXEC = "/usr/libexec/sockwake"
PROMPT = 2  # seconds within which a client is served or reset without a cause to wait
STRANGER = "127.0.0.9"


class KeeperCase(harness.Case):
    def redis(self, *options, name="server"):
        self.scope.container(name, "redis", options=servers.STOP_AT_ONCE)
        self.scope.instance(name, PORT, 6379, "--idle-timeout=500ms", "--drain-timeout=200ms", *options)

    def assert_served(self):
        began = time.monotonic()
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        return time.monotonic() - began

    def assert_asleep(self):
        self.scope.fall_asleep("server")
        self.assertIn(self.scope.container_state("server"), ("exited", "created"))

    def processes(self, program, *words):
        """Our processes of the instance, found by their command lines."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    argv = file.read().decode(errors="replace").split("\0")
                if argv[0] == f"{LIBEXEC}/{program}" and all(word in argv for word in words):
                    found.append(int(pid))
        return found

    def process(self, program, *words):
        """Waits until there is one. A child has the command line of its parent until it executes a program."""

        def alone():
            found = self.processes(program, *words)
            return found if len(found) == 1 else None

        [pid] = harness.eventually(alone)
        return pid


class Person(test_notifications.NotificationCase):
    """The notified user can stop the notifying processes."""

    def test_nobody_waits_for_a_process_that_was_stopped(self):
        self.daemon()
        [daemon] = harness.run("pidof", test_notifications.DAEMON).stdout.split()
        harness.freeze(int(daemon))
        self.instance("--idle-timeout=500ms", port=PORT)
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.stop_notifier("started")
            # Longer than the keeper waits for the notifier; the client does not notice.
            harness.eventually(lambda: self.notifiers("started") == [], timeout=15)
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
        self.stop_notifier("stopped")
        began = time.monotonic()
        self.wake(PORT)
        self.assertLess(time.monotonic() - began, 1 + PROMPT)
        self.scope.fall_asleep("server")
        self.assertEqual(self.scope.container_state("server"), "exited")
        harness.eventually(lambda: self.notifiers() == [])

    def notifiers(self, *words):
        return KeeperCase.processes(self, "activator", "--notify", *words)

    def stop_notifier(self, what):
        for pid in harness.eventually(lambda: self.notifiers(what), interval=0.001):
            harness.freeze(pid)


class Proxy(KeeperCase):
    """A proxy that was taken over reaches only its own container and its statistics."""

    def test_holds_no_lock_and_writes_no_file(self):
        self.redis("--idle-timeout=10s")
        with harness.connect(PORT):
            harness.eventually(lambda: self.scope.state("server.service") == "active")
            pid = self.process("proxy")
            for fd, (what, access) in harness.descriptors(pid).items():
                with self.subTest(fd=fd, what=what):
                    if what.startswith("/") and not what.startswith(("/dev/null", "/memfd:sockwake")):
                        self.assertTrue(what.endswith("/server.stats"), what)
                        self.assertEqual(access, os.O_RDONLY)
                    else:
                        self.assertRegex(what, r"^(socket|pipe|anon_inode):|^/dev/null$|^/memfd:sockwake ")
            with open(f"/proc/{pid}/limits") as file:
                self.assertRegex(file.read(), r"Max file size +0 +0 ")
            with open("/proc/locks") as file:
                self.assertNotIn(str(pid), file.read().split())

    def test_shared_memory_neither_grows_nor_keeps_it_awake(self):
        """`sleep` works whatever the proxy reports, and no time that it reports lasts for ever."""
        self.redis()
        for byte in (b"\xff", b"\x7f", b"\0"):
            with self.subTest(byte):
                with harness.connect(PORT) as connection:
                    connection.sendall(b"PING\r\n")
                    self.assertEqual(connection.recv(64), b"+PONG\r\n")
                    harness.eventually(lambda: self.scope.state("server.service") == "active")
                    self.forge(byte)
                    self.scope.sockwake("sleep", "server")
                    self.assert_asleep()
                self.assert_served()
                self.assert_asleep()

    def forge(self, byte):
        """Writes to the shared memory of keeper and proxy, as a proxy could."""
        self.assertIn("/memfd:sockwake", self.maps(self.process("proxy")))
        keeper = self.process("keeper")
        [fd] = [fd for fd, (what, _) in harness.descriptors(keeper).items() if what.startswith("/memfd:")]
        with open(f"/proc/{keeper}/fd/{fd}", "r+b", buffering=0) as memory:
            size = os.fstat(memory.fileno()).st_size
            memory.write(byte * size)
            for other in (0, size + 1, 1 << 30):
                with self.assertRaises(PermissionError):
                    os.ftruncate(memory.fileno(), other)

    @staticmethod
    def maps(pid):
        with open(f"/proc/{pid}/maps") as file:
            return file.read()


class Excluded(KeeperCase):
    """A client that may not wake keeps connecting."""

    SECONDS = 5

    @staticmethod
    def cpu():
        """The CPU seconds of the managers and all services."""
        total = 0
        for group in ("init.scope", "system.slice", "user.slice"):
            with open(f"/sys/fs/cgroup/{group}/cpu.stat") as file:
                total += int(re.search(r"usage_usec (\d+)", file.read())[1]) / 1e6
        return total

    def test_costs_little_and_delays_nobody(self):
        self.redis(f"--no-wake-from={STRANGER}")
        over = threading.Event()
        resets = []

        def come_again():
            while not over.is_set():
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORT), 20, (STRANGER, 0)) as connection:
                    try:
                        connection.recv(1)
                    except ConnectionResetError:
                        resets.append(time.monotonic())

        stranger = threading.Thread(target=come_again, daemon=True)
        self.addCleanup(stranger.join, 10)
        self.addCleanup(over.set)
        before, since = self.cpu(), time.time()
        stranger.start()
        time.sleep(self.SECONDS)
        used, took = self.cpu() - before, time.time() - since
        lines = self.scope.unit_journal("server", since=since)
        starts = [line for line in lines if line.startswith("Starting ")]
        self.assertGreater(len(resets), self.SECONDS, "each is reset at once")
        self.assertLessEqual(len(starts), took + 1)
        self.assertLess(len(lines), 10 * took)
        self.assertLess(used, took / 4)
        self.assertEqual(self.scope.complaints("server", since), [])
        self.assertEqual(self.scope.state("server.socket"), "active")
        for _ in range(3):
            self.assertLess(self.assert_served(), PROMPT)
            self.scope.sockwake("sleep", "server")

    def test_handed_over_and_then_refused(self):
        """Clients that were accepted to check their address are reset if the wake fails."""
        self.redis(f"--no-wake-from={STRANGER}")
        self.scope.engine_run("rm", "server")
        for _ in range(3):
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(harness.connect(PORT)) for _ in range(5)]
                for client in clients:
                    with self.assertRaises(ConnectionResetError):
                        client.recv(1)
            self.scope.fall_asleep("server")

    def test_handed_over_to_a_server_that_never_listens(self):
        container = ("sleep", "1000")
        self.scope.container("server", *container, image=harness.BUSYBOX, options=servers.STOP_AT_ONCE)
        self.scope.instance("server", PORT, 6379, "--startup-timeout=1s", f"--no-wake-from={STRANGER}")
        with contextlib.ExitStack() as stack:
            for client in [stack.enter_context(harness.connect(PORT)) for _ in range(5)]:
                with self.assertRaises(ConnectionResetError):
                    client.recv(1)


class Crowd(KeeperCase):
    """Many clients connect at once, again and again, mostly while the instance falls asleep."""

    timeout = 240
    WAKES = 100 if harness.THOROUGH else 20
    CLIENTS = 50

    def test_nobody_is_lost(self):
        self.redis("--idle-timeout=100ms")
        for _ in range(self.WAKES):
            self.assertEqual(harness.crowd(PORT, self.CLIENTS), [b"+PONG\r\n"] * self.CLIENTS)
            self.scope.systemctl("stop", "--no-block", "server.service")
        self.assert_asleep()
        self.assertEqual(self.scope.complaints("server", self.started), [])


class Full(KeeperCase):
    """The runtime directory is full."""

    PAGE = os.sysconf("SC_PAGESIZE")

    def directory(self):
        return f"{self.scope.runtime_directory}/sockwake"

    @contextlib.contextmanager
    def file_system(self, options):
        """A small file system in place of the directory."""
        self.scope.run("mkdir", "-p", self.directory())
        owner = f"uid={self.scope.uid},gid={self.scope.uid},mode=0755"
        harness.run("mount", "-t", "tmpfs", "-o", f"{owner},{options}", "full", self.directory())
        try:
            yield
        finally:
            removed = self.scope.sockwake("remove", "--all", check=False)
            harness.run("umount", self.directory())
        self.assertEqual(removed.returncode, 0, removed.stderr)

    def fill(self, free=0):
        path = f"{self.directory()}/ballast"
        with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(self.PAGE)):
                pass
        os.truncate(path, max(0, os.path.getsize(path) // self.PAGE - free) * self.PAGE)

    def fill_inodes(self):
        with contextlib.suppress(OSError):
            for n in range(1000):
                with open(f"{self.directory()}/ballast{n}", "x"):
                    pass

    def check(self, notices):
        self.redis()
        since = time.time()
        for _ in range(2):
            self.assertLess(self.assert_served(), 2 * PROMPT)
            self.assert_asleep()
            self.assertEqual(self.scope.property("server.service", "Result"), "success")
        self.assertEqual(self.scope.complaints("server", since), [])
        found = self.scope.unit_journal("server", "--priority=notice", "--identifier=sockwake", since=since)
        self.assertEqual(len(found), 2 * notices, found)
        self.assertLess(len(self.scope.unit_journal("server", since=since)), 40)

    def test_no_page(self):
        with self.file_system("size=64k"):
            self.fill()
            self.check(notices=1)

    def test_one_page(self):
        with self.file_system("size=64k"):
            self.fill(free=2)  # `create` takes the other one: the lock names the container that sleeps
            self.check(notices=0)

    def test_no_inode(self):
        with self.file_system("size=64k,nr_inodes=16"):
            self.fill_inodes()
            self.check(notices=1)

    def test_no_page_from_one_wake_to_the_next(self):
        with self.file_system("size=64k"):
            self.redis()
            self.assert_served()
            self.fill()
            self.assert_asleep()
            self.assert_served()
            self.assert_asleep()
            self.assertEqual(self.scope.complaints("server", self.started), [])


class Missing(KeeperCase):
    """One of our programs is missing, or not executable."""

    timeout = 120

    @contextlib.contextmanager
    def without(self, program, how):
        path = f"{LIBEXEC}/{program}"
        mode = os.stat(path).st_mode
        if how == "missing":
            os.rename(path, f"{path}.away")
        else:
            os.chmod(path, 0o644)
        try:
            yield
        finally:
            if how == "missing":
                os.rename(f"{path}.away", path)
            else:
                os.chmod(path, mode & 0o7777)

    def heal(self):
        self.scope.systemctl("reset-failed", "server.socket", "server.service", check=False)
        self.scope.systemctl("start", "server.socket")

    def test_keeper(self):
        """No process of ours can refuse clients: the manager does, by closing the socket."""
        self.redis()
        for how in ("missing", "not executable"):
            with self.subTest(how):
                since = time.time()
                with self.without("keeper", how):
                    clients = [harness.connect(PORT) for _ in range(3)]
                    for client in clients:
                        with client, contextlib.suppress(ConnectionResetError):
                            self.assertEqual(client.recv(1), b"")
                    self.assertLess(time.time() - since, 10)
                    with self.assertRaises(ConnectionRefusedError):
                        harness.connect(PORT)
                    self.assertEqual(self.scope.state("server.socket"), "failed")
                self.heal()
                self.assert_served()
                self.assert_asleep()

    def test_others(self):
        self.redis()
        for program in ("activator", "nshelper", "proxy"):
            for how in ("missing", "not executable"):
                with self.subTest(program, how=how):
                    since = time.time()
                    with self.without(program, how):
                        for _ in range(3):
                            self.assertLess(harness.refusal(PORT), PROMPT)
                        self.scope.fall_asleep("server")
                        self.assertEqual(self.scope.state("server.socket"), "active")
                        complaints = set(harness.eventually(lambda: self.scope.complaints("server", since)))
                        [sentence] = complaints
                        self.assertIn(f"{LIBEXEC}/{program}", sentence)
                        self.assertIn("install", sentence)
                    self.assert_served()
                    self.assert_asleep()

    def test_while_it_is_awake(self):
        """Resources that exist when the keeper starts remain until it ends."""
        self.redis()
        with contextlib.ExitStack() as stack:
            with harness.connect(PORT) as connection:
                connection.sendall(b"PING\r\n")
                self.assertEqual(connection.recv(64), b"+PONG\r\n")
                for program in ("keeper", "nshelper", "proxy"):
                    stack.enter_context(self.without(program, "missing"))
                os.kill(self.process("proxy"), signal.SIGKILL)
                self.assert_served()
            self.assert_asleep()
        self.heal()
        self.assert_served()
