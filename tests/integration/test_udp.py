"""Datagrams: the one that wakes is answered, each client has its own flow, answers come from the address that was
asked, and the ports of an instance share one idle timeout."""

import json
import socket
import time

import harness
import servers

ANY_RELEASE = True
PORT = 7800
IDLE = 1.5  # seconds
# The kernel would not choose the first one as source address by itself.
ADDRESSES = ("127.0.0.2", "127.0.0.1", "::1", *harness.INSIDE)


def client(host="127.0.0.1", timeout=20):
    """An unconnected socket, which receives answers from any address."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(timeout)
    return sock


def ask(sock, data, host="127.0.0.1"):
    """Returns the answer, the port that the server saw, and the address that the answer came from."""
    sock.sendto(data, (host, PORT))
    return answer(sock)


def answer(sock):
    reply, source = sock.recvfrom(65536)
    port, _, data = reply.partition(b" ")
    return data, int(port), source[:2]


class Datagrams(harness.Case):
    def setUp(self):
        super().setUp()
        options = ("--network=none", *servers.PYTHON)
        self.scope.container("dns", *servers.echo(53), image=harness.BUSYBOX, options=options)

    def create(self, *options, listen=f"{PORT}"):
        self.scope.sockwake("create", "dns", "-p", f"{listen}:53/udp", *options)

    def test_the_one_that_wakes_is_answered(self):
        self.create()
        with client() as sock:
            self.assertEqual(ask(sock, b"first")[0], b"first")
            # A second delivery would have been answered before this one.
            self.assertEqual(ask(sock, b"second")[0], b"second")
        self.assertEqual(self.scope.complaints("dns", self.started), [])

    def test_all_that_queue_during_the_wake_are_answered_in_order(self):
        self.create()
        asked = [str(number).encode() for number in range(20)]
        with client() as sock:
            for data in asked:
                sock.sendto(data, ("127.0.0.1", PORT))
            self.assertEqual([answer(sock)[0] for _ in asked], asked)

    def test_beside_a_unix_socket(self):
        """Then datagrams reach the server without messages, which could carry descriptors to a client of that socket."""
        path = f"{self.scope.runtime_directory}/beside.sock"
        self.create("-p", f"{path}:53")
        asked = [str(number).encode() for number in range(20)]
        with client() as sock:
            for _ in range(2):
                for data in asked:
                    sock.sendto(data, ("127.0.0.1", PORT))
                self.assertEqual([answer(sock)[0] for _ in asked], asked)
            self.assertEqual(ask(sock, b"")[0], b"")
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(path)
            stream.sendall(b"x")
            self.assertEqual(stream.recv(1), b"x")

    def test_two_clients_are_two_flows(self):
        self.create()
        with client() as one, client() as other:
            one.sendto(b"one", ("127.0.0.1", PORT))
            other.sendto(b"other", ("127.0.0.1", PORT))
            self.assertEqual([answer(one)[0], answer(other)[0]], [b"one", b"other"])
            ports = [{ask(sock, b"%d" % number)[1] for number in range(5)} for sock in (one, other)]
        self.assertEqual([len(seen) for seen in ports], [1, 1])
        self.assertNotEqual(*ports)
        found = json.loads(self.scope.sockwake("status", "--json", "dns").stdout)["statistics"]
        self.assertEqual((found["flows_total"], found["datagrams_dropped"]), (2, 0))

    def test_sizes(self):
        self.create()
        with client() as sock:
            for size in (0, 1, 1472, 1473, 9000, 65000):
                data = bytes(size)
                self.assertEqual(ask(sock, data)[0], data)

    def check_answers(self, addresses):
        """Also to the very first datagram that wakes, before our programs could request its destination address: that
        setting stays with the socket."""
        for first in addresses:
            with self.subTest(first):
                for host in (first, *addresses):
                    with client(host) as sock:
                        self.assertEqual(ask(sock, b"who?", host)[2], (host, PORT))
                self.scope.systemctl("stop", "dns.service")

    def test_answers_come_from_the_address_that_was_asked(self):
        self.create("--drain-timeout=0")
        self.check_answers(ADDRESSES)

    def test_answers_of_an_ipv4_port_come_from_the_address_that_was_asked(self):
        self.create("--drain-timeout=0", listen=f"0.0.0.0:{PORT}")
        self.check_answers([host for host in ADDRESSES if ":" not in host])


class OneIdleClock(harness.Case):
    """A container whose server speaks TCP and UDP."""

    def test_datagrams_keep_the_tcp_port_awake(self):
        options = ("--network=none", *servers.PYTHON)
        self.scope.container("dns", *servers.echo(53), image=harness.BUSYBOX, options=options)
        self.scope.sockwake("create", "dns", f"-p{PORT}:53", f"-p{PORT}:53/udp", f"--idle-timeout={IDLE}s")
        self.assertEqual(harness.exchange(PORT, b"hello"), b"hello")
        container = self.scope.container_pid("dns")
        until = time.monotonic() + 2 * IDLE
        with client() as sock:
            while time.monotonic() < until:
                self.assertEqual(ask(sock, b"ping")[0], b"ping")
                time.sleep(IDLE / 10)
        self.assertEqual(harness.exchange(PORT, b"again"), b"again")
        used = time.monotonic()
        self.assertEqual(self.scope.container_pid("dns"), container)
        harness.eventually(lambda: self.scope.container_state("dns") == "exited")
        self.assertGreater(time.monotonic() - used, IDLE)
        self.scope.fall_asleep("dns")
        with client() as sock:
            self.assertEqual(ask(sock, b"good morning")[0], b"good morning")
        self.assertEqual(harness.exchange(PORT, b"hello"), b"hello")

    def test_an_open_connection_keeps_the_udp_port_awake(self):
        options = ("--network=none", *servers.PYTHON)
        self.scope.container("dns", *servers.echo(53), image=harness.BUSYBOX, options=options)
        self.scope.sockwake("create", "dns", f"-p{PORT}:53/udp", f"-p{PORT}:53", "--idle-timeout=300ms")
        with client() as sock, harness.connect(PORT) as connection:
            connection.sendall(b"x")
            self.assertEqual(connection.recv(1), b"x")
            port = ask(sock, b"before")[1]
            # A flow outlives the idle timeout; another proxy would have made another one.
            connection.settimeout(1)
            with self.assertRaises(TimeoutError):
                connection.recv(1)
            self.assertEqual(ask(sock, b"after")[:2], (b"after", port))
        harness.eventually(lambda: self.scope.container_state("dns") == "exited")
