"""Servers made of busybox or Python, for behaviour that real ones do not show on demand. Each function returns the
command of a container. As first process of a container it would ignore SIGTERM, so create it with
options=STOP_AT_ONCE."""

import shlex

STOP_AT_ONCE = ("--stop-signal=KILL",)


def escaped(data):
    """Bytes as printf(1) takes them."""
    return "".join(f"\\{byte:03o}" for byte in data)


def answering(port, per_connection, before=""):
    """Listens on `port` and runs a shell command for every connection."""
    return ("sh", "-c", f"{before}exec nc -ll -p {port} -e sh -c {shlex.quote(per_connection)}")


def hesitant(port, not_yet, ready, speaks_first=False):
    """Listens at once, but serves only a second later: answers `not_yet` until then."""
    listen = "" if speaks_first else "dd bs=4096 count=1 >/dev/null 2>&1; "
    answer = f"[ -e /tmp/ready ] && printf '{escaped(ready)}' || printf '{escaped(not_yet)}'"
    return answering(port, listen + answer, before="rm -f /tmp/ready; (sleep 1; touch /tmp/ready) & ")


def late(port, seconds, greeting="hello\\n"):
    """Listens only after some seconds, and greets."""
    return answering(port, f"printf '{greeting}'", before=f"sleep {seconds}; ")


# --- in the lab's Python: create it from the busybox image with options=PYTHON

PYTHON = (*STOP_AT_ONCE, "--volume=/usr:/usr:ro", "--volume=/usr/lib:/lib:ro", "--volume=/usr/lib64:/lib64:ro")


def python(script, *arguments):
    return ("/usr/bin/python3", "-c", script, *map(str, arguments))


def echo(port):
    """Over TCP and UDP. A datagram comes back with its source port before it."""
    return python(ECHO, port)


ECHO = """
import socketserver, sys, threading

class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, server = self.request
        server.sendto(b"%d " % self.client_address[1] + data, self.client_address)

class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)

socketserver.UDPServer.max_packet_size = 65536
socketserver.ThreadingTCPServer.allow_reuse_address = True
address = ("", int(sys.argv[1]))
streams = socketserver.ThreadingTCPServer(address, Stream)
threading.Thread(target=streams.serve_forever).start()
socketserver.UDPServer(address, Datagram).serve_forever()
"""


def full(port, first=0):
    """Accepts, greets and echoes only the first clients, then no more: its backlog is full. Then it listens on the next
    port too."""
    return python(FULL, port, first)


FULL = """
import socket, sys, threading

def serve(client):
    client.sendall(b"welcome\\n")
    while data := client.recv(65536):
        client.sendall(data)

listener = socket.create_server(("", int(sys.argv[1])), family=socket.AF_INET6, backlog=0, dualstack_ipv6=True)
served = [listener.accept()[0] for _ in range(int(sys.argv[2]))]
waiting = []
for address in ("127.0.0.1", "::1"):
    for _ in range(4):
        waiting.append(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET))
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex((address, int(sys.argv[1])))
is_full = socket.create_server(("", int(sys.argv[1]) + 1))
for client in served:
    threading.Thread(target=serve, args=(client,)).start()
threading.Event().wait()
"""


def unix_echo(kind, path):
    """On a Unix socket of this type ("SOCK_STREAM", "SOCK_SEQPACKET") with access for everybody."""
    return python(UNIX_ECHO, kind, path)


UNIX_ECHO = """
import os, socket, sys, threading

def serve(client):
    while data := client.recv(65536):
        client.sendall(data)
    client.close()

if os.path.lexists(sys.argv[2]):
    os.unlink(sys.argv[2])
with socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[1])) as listener:
    listener.bind(sys.argv[2])
    os.chmod(sys.argv[2], 0o777)
    listener.listen(64)
    while True:
        threading.Thread(target=serve, args=listener.accept()[:1]).start()
"""
