"""What the bench measures with: clients that live in the driver's own process, so that nothing of theirs has to start
while the clock runs. Times are seconds of CLOCK_MONOTONIC, the clock of systemd's and sockwake's own time stamps."""

import contextlib
import ctypes
import http.client
import os
import socket
import struct
import time

CLONE_NEWNET = 0x40000000
RETRY_INTERVAL = 0.0005  # what a retry may add to a time; the product's clients are not expected to need one

libc = ctypes.CDLL(None, use_errno=True)


class NotServed(Exception):
    """The server's side of the connection ended, or answered that it cannot serve yet."""


# --- PostgreSQL, as much of it as `psql -c 'select 1'` speaks (PostgreSQL documentation, "Frontend/Backend Protocol")


def message(kind, payload):
    return kind + struct.pack("!I", 4 + len(payload)) + payload


STARTUP = message(b"", struct.pack("!I", 3 << 16) + b"user\0postgres\0database\0postgres\0\0")
QUERY = message(b"Q", b"select 1\0")
TERMINATE = message(b"X", b"")


class Session:
    """One PostgreSQL session; usable as a context manager. Whatever goes wrong is an OSError or NotServed."""

    def __init__(self, port, host="127.0.0.1", timeout=30):
        self.socket = socket.create_connection((host, port), timeout)
        try:
            self.stream = self.socket.makefile("rb")
            self.socket.sendall(STARTUP)
            self.until_ready()
        except BaseException:
            self.socket.close()
            raise

    def select_1(self):
        self.socket.sendall(QUERY)
        rows = [payload for kind, payload in self.until_ready() if kind == b"D"]
        if rows != [struct.pack("!HI", 1, 1) + b"1"]:
            raise NotServed(f"select 1 answered {rows}")

    def until_ready(self):
        """All messages up to ReadyForQuery."""
        messages = []
        while not messages or messages[-1][0] != b"Z":
            kind, length = struct.unpack("!cI", self.exactly(5))
            messages.append((kind, self.exactly(length - 4)))
            if kind == b"E":
                raise NotServed(messages[-1][1].replace(b"\0", b" ").decode(errors="replace"))
        return messages

    def exactly(self, size):
        data = self.stream.read(size)
        if len(data) != size:
            raise NotServed("the connection was closed")
        return data

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.sendall(TERMINATE)
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def until_answered(port, host="127.0.0.1", timeout=30):
    """A session that has answered `select 1`, and how many connections were lost before it."""
    deadline = time.monotonic() + timeout
    lost = 0
    while True:
        try:
            session = Session(port, host, timeout)
            session.select_1()
            return session, lost
        except (OSError, NotServed):
            if time.monotonic() > deadline:
                raise
            lost += 1
            time.sleep(RETRY_INTERVAL)


# --- other clients


def first_byte(port, timeout=30):
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        if connection.recv(1) != b"!":
            raise NotServed("the connection was closed")


@contextlib.contextmanager
def network_of(pid):
    """Sockets made meanwhile by this thread belong to the network namespace of that process."""
    with open("/proc/thread-self/ns/net") as own, open(f"/proc/{pid}/ns/net") as other:
        enter(other)
        try:
            yield
        finally:
            enter(own)


def enter(namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class UnixHTTPConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def request(socket_path, method, path):
    """One request to an engine's API; returns the answer's body."""
    with contextlib.closing(UnixHTTPConnection(socket_path)) as connection:
        connection.request(method, path)
        reply = connection.getresponse()
        body = reply.read()
    if reply.status >= 400:
        raise RuntimeError(f"{method} {path}: {reply.status} {body.decode(errors='replace')}")
    return body
