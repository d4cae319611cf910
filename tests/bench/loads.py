"""What the bench of the proxy lets clients do on a path. Each load returns a dictionary of figures."""

import contextlib
import csv
import json
import os
import re
import resource
import socket
import time

import harness
import paths
import subjects

TICK = os.sysconf("SC_CLK_TCK")
IDLE = 1000  # connections, to see what memory each takes
MANY = 9000  # and to see whether they are in the way: two descriptors each, out of a limit of 20,000
KEY = "key:__rand_int__"  # what redis-benchmark asks for unless told to vary it


class Redis:
    """GET of three bytes. redis-benchmark takes a number of requests, not a time: the last run's rate gives it."""

    def __init__(self, connections):
        self.connections = connections
        self.rates = {}

    def __call__(self, path, seconds):
        if path.name not in self.rates:
            run(path, "redis-cli", "-p", str(path.ports["redis"]), "set", KEY, "abc")
            self.rates[path.name] = self.run(path, 2000)["rate"]
        figures = self.run(path, int(self.rates[path.name] * seconds))
        self.rates[path.name] = figures["rate"]
        return figures

    def run(self, path, requests):
        port, connections = str(path.ports["redis"]), str(self.connections)
        options = ("-p", port, "-c", connections, "-n", str(requests), "-t", "get", "--csv")
        row = list(csv.DictReader(run(path, "redis-benchmark", *options).splitlines()))[-1]
        return {"rate": float(row["rps"]), "p99": float(row["p99_latency_ms"]) / 1e3}


class Http:
    """wrk with 32 connections, which last, or each for one request only."""

    def __init__(self, keep_alive):
        self.headers = () if keep_alive else ("-H", "Connection: close")

    def __call__(self, path, seconds):
        url = f"http://127.0.0.1:{path.ports['http']}/"
        output = run(path, "wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", *self.headers, url)
        errors = re.search(r"Socket errors:.*|Non-2xx.*", output)
        if errors:
            raise harness.Failed(f"{path.title}: {errors[0]}")
        number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
        return {
            "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
            "p99": float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1}[unit],
        }


class Stream:
    """iperf3 from client to server; how much the server got, and what processor time the proxy spent on it."""

    def __init__(self, streams):
        self.streams = streams

    def __call__(self, path, seconds):
        processes = path.processes("iperf3")
        before = processor_time(processes)
        options = ("-p", str(path.ports["iperf3"]), "-P", str(self.streams), "-t", str(seconds), "--json")
        end = json.loads(run(path, "iperf3", "-c", "127.0.0.1", *options))["end"]
        spent = processor_time(processes) - before
        received = end["sum_received"]
        figures = {"rate": received["bits_per_second"]}
        if processes:
            figures["processor"] = spent / (received["bytes"] / 1e9)
        return figures


class Echo:
    """64 bytes of UDP there and back, one at a time."""

    def __call__(self, path, seconds):
        rate, p99, lost = run(path, paths.PEER, "ping", str(path.ports["echo"]), str(seconds)).split()
        return {"rate": float(rate), "p99": float(p99) / 1e6, "lost": int(lost)}


class Crowded:
    """How much of the traffic on 50 connections is left beside idle ones. These are kept by a server of their own, so
    that redis has nothing to do with them."""

    def __init__(self, traffic):
        self.traffic = traffic

    def __call__(self, path, seconds):
        alone = self.traffic(path, seconds)
        with idle_connections(path, MANY):
            crowded = self.traffic(path, seconds)
        return {"ratio": crowded["rate"] / alone["rate"]}


@contextlib.contextmanager
def idle_connections(path, count):
    """So many, each seen to have reached the server."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    connections = []
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", path.ports["idle"]), 20))
            connections.append(connection)
        for connection in connections:
            if connection.recv(1) != b"!":
                raise harness.Failed(f"{path.title}: of {count} idle connections, one was closed")
        yield
    time.sleep(0.2)


def memory(path):
    """Private bytes of the processes that forward, without a connection and for each idle one. To be called before
    there was much traffic: what is used once is often kept."""
    with idle_connections(path, 1):
        processes = path.processes("idle")
    empty = private_memory(processes)
    with idle_connections(path, IDLE):
        return {"empty": empty, "connection": (private_memory(processes) - empty) / IDLE}


def private_memory(processes):
    return sum(map(subjects.private_memory, processes))


def processor_time(processes):
    """Seconds in user and kernel mode (proc(5), /proc/PID/stat)."""
    ticks = 0
    for pid in processes:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def run(path, *argv):
    return harness.run(*path.client(*argv)).stdout
