"""An engine that misbehaves on demand: a proxy before the real one, on its own Unix socket.

    with fake_engine.FakeEngine("/run/user/1000/podman/podman.sock") as engine:
        scope.instance("db", 5432, 5432, f"--engine-socket={engine.path}")
        engine.behave(fake_engine.silent)

A behaviour is a function of the client's socket and of the path of the real engine. It runs in a thread of its own for
every connection, and ends the connection by returning."""

import contextlib
import os
import re
import socket
import tempfile
import threading
import time


def faithful(client, real):
    """Relays both ways, so that the real engine answers."""
    with socket.socket(socket.AF_UNIX) as engine:
        engine.connect(real)
        back = threading.Thread(target=relay, args=(engine, client), daemon=True)
        back.start()
        relay(client, engine)
        back.join()


def relay(source, destination):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            destination.sendall(data)
        destination.shutdown(socket.SHUT_WR)


def silent(client, _real):
    """Reads requests and never answers one."""
    while client.recv(65536):
        pass


def after(seconds):
    """The real engine, but slow."""

    def slow(client, real):
        time.sleep(seconds)
        faithful(client, real)

    return slow


def once_before(word, action):
    """The real engine, but `action` runs before the first request with this word reaches it."""
    done = threading.Event()

    def prepared(client, real):
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(real)
            threading.Thread(target=relay, args=(engine, client), daemon=True).start()
            while data := client.recv(65536):
                if word in data and not done.is_set():
                    done.set()
                    action()
                engine.sendall(data)

    return prepared


def away_after(word, seconds):
    """The real engine, until it has carried out a request with this word: it does not answer that, and is then away
    for some seconds."""
    gone = []

    def restarting(client, real):
        if gone and time.monotonic() - gone[0] < seconds:
            return
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(real)
            threading.Thread(target=relay, args=(engine, client), daemon=True).start()
            while data := client.recv(65536):
                engine.sendall(data)
                if word in data and not gone:
                    gone.append(time.monotonic())
                    with contextlib.suppress(OSError):
                        client.shutdown(socket.SHUT_RDWR)
                    break

    return restarting


def losing_the_answer_to(word):
    """The real engine, but it goes away while it answers a request with this word, which it has carried out."""

    def lossy(client, real):
        lost = threading.Event()

        def relay_back():
            with contextlib.suppress(OSError):
                while data := engine.recv(65536):
                    if lost.is_set():
                        break
                    client.sendall(data)
                client.shutdown(socket.SHUT_RDWR)

        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(real)
            back = threading.Thread(target=relay_back, daemon=True)
            back.start()
            while data := client.recv(65536):
                if word in data:
                    lost.set()
                engine.sendall(data)
            back.join()

    return lossy


class HoldingBack:
    """The real engine, but requests with one of these words reach it only after this many seconds, also those of
    clients that have gone meanwhile. Without seconds, never."""

    def __init__(self, *words, seconds=None):
        self.words = words
        self.seconds = seconds
        self.asked = self.answered = 0  # how many of those requests

    def __call__(self, client, real):
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(real)
            idle = threading.Event()  # no request is held back, or being answered later
            idle.set()
            back = threading.Thread(target=self.relay_answers, args=(engine, client, idle), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    if any(word in data for word in self.words):
                        self.asked += 1
                        if self.seconds is None:
                            continue
                        time.sleep(self.seconds)
                        idle.clear()
                    engine.sendall(data)
            idle.wait(30)  # an engine might drop the request of a client that hangs up
            engine.shutdown(socket.SHUT_WR)
            back.join()

    def relay_answers(self, engine, client, idle):
        with contextlib.suppress(OSError):
            while data := engine.recv(65536):
                self.answered += not idle.is_set()
                idle.set()
                with contextlib.suppress(OSError):
                    client.sendall(data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)


def answering(reply):
    """Gives the same answer to every request."""

    def parrot(client, _real):
        while client.recv(65536):
            client.sendall(reply)

    return parrot


def counting_elsewhere(pid):
    """The real engine, but every process has this PID, as may happen with another PID namespace."""

    def other(match):
        return match[1] + str(pid).encode().rjust(len(match[2]))

    def elsewhere(client, real):
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(real)
            threading.Thread(target=relay, args=(client, engine), daemon=True).start()
            while data := engine.recv(1 << 20):
                time.sleep(0.02)  # for the rest of an answer
                with contextlib.suppress(BlockingIOError):
                    data += engine.recv(1 << 20, socket.MSG_DONTWAIT)
                client.sendall(re.sub(rb'("Pid": ?)([1-9]\d*)', other, data))

    return elsewhere


def endless(client, _real):
    """An answer that never ends."""
    if client.recv(65536):
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
        while True:
            client.sendall(b"0," * 32768)


def closing(client, _real):
    """Hangs up in the middle of an answer."""
    if client.recv(65536):
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n{")


class FakeEngine:
    def __init__(self, real):
        self.real = real
        self.behaviour = faithful
        self.connections = set()

    def __enter__(self):
        # Not in /tmp: services may have a private one.
        self.directory = tempfile.TemporaryDirectory(dir="/run", prefix="fake-engine-")
        self.path = f"{self.directory.name}/engine.sock"
        os.chmod(self.directory.name, 0o755)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.hang_up()
        self.directory.cleanup()

    def behave(self, behaviour):
        """Applies from the next connection on; closes open connections."""
        self.behaviour = behaviour
        self.hang_up()

    def hang_up(self):
        for client in list(self.connections):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        self.connections.add(client)
        with client, contextlib.suppress(OSError):
            self.behaviour(client, self.real)
        self.connections.discard(client)
