#!/usr/bin/python3
"""forward.py [--rounds N] [--seconds N] [--budget N] [--only PATTERN]: measures what forwards, inside a lab. Prints
JSON, and on standard error how far it is.

In every round each load goes over all paths, one after the other and in each round from another one on, so that what
disturbs the machine disturbs all alike. A measurement in which others than this lab had much of the processors is made
again, within limits. What it costs to start is not measured: all have served before."""

import argparse
import fnmatch
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../integration")

import driver
import harness
import loads
import measure
import paths

QUIET = 0.1  # the share of all processors that others may use during a measurement; with more, it is made again ...
ATTEMPTS = 4  # ... until there were so many; the least disturbed one counts
PAUSE = 0.5  # seconds before that


# By name: the load, and the service it needs.
REDIS = loads.Redis(50)
LOADS = {
    "redis-50": (REDIS, "redis"),
    "redis-1": (loads.Redis(1), "redis"),
    "stream-1": (loads.Stream(1), "iperf3"),
    "stream-8": (loads.Stream(8), "iperf3"),
    "connections": (loads.Http(keep_alive=False), "http"),
    "requests": (loads.Http(keep_alive=True), "http"),
    "echo": (loads.Echo(), "echo"),
    "crowded": (loads.Crowded(REDIS), "idle"),
}


def is_meant(path, load, service):
    """Only sockwake has a promise to keep about idle connections."""
    return path.carries(service) and (load != "crowded" or isinstance(path, paths.Sockwake))


def set_up(chosen):
    for path in chosen:
        measure.tell(f"setting up {path.title}")
        path.set_up()
        for load, service in map(LOADS.get, ("redis-1", "requests", "echo")):
            if path.carries(service):
                harness.eventually(lambda: load(path, 1), timeout=20, interval=0.5)


def machine():
    def version(package):
        return harness.run("dpkg-query", "--show", "--showformat=${Version}", package).stdout

    packages = ("haproxy", "passt", "redis-tools", "wrk", "iperf3")
    return {**measure.machine(), **{package: version(package) for package in packages}}


class Others:
    """How much of all processors others than this lab use, 0 to 1, since it was made. The lab is its control group;
    where the kernel accounts interrupts apart (CONFIG_IRQ_TIME_ACCOUNTING), those of the lab's own traffic look like
    others'."""

    def __init__(self):
        self.busy, self.total = driver.processor_time()
        self.own = lab_time()

    def share(self):
        busy, total = driver.processor_time()
        own = (lab_time() - self.own) * loads.TICK
        return max(busy - self.busy - own, 0) / max(total - self.total, 1)


def lab_time():
    """Seconds that the processes of this lab have had (cgroup-v2.rst, cpu.stat)."""
    with open("/sys/fs/cgroup/cpu.stat") as stat:
        return int(dict(line.split() for line in stat)["usage_usec"]) / 1e6


def least_disturbed(load, path, seconds, deadline):
    attempts = []
    for _ in range(ATTEMPTS):
        others = Others()
        figures = load(path, seconds)
        attempts.append({**figures, "busy": others.share()})
        if attempts[-1]["busy"] <= QUIET or time.monotonic() > deadline:
            break
        time.sleep(PAUSE)
    return min(attempts, key=lambda attempt: attempt["busy"])


def pipe_size():
    """Bytes that a new pipe of the proxies' user can hold, for splice(2): less than a proxy asks for when there are
    many pipes already (pipe(7), pipe-user-pages-soft), also those of other labs, which share the user's number."""
    program = "import fcntl, os; pipe, _ = os.pipe(); print(fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ))"
    return int(harness.USER_PODMAN.run("python3", "-c", program).stdout)


def measure_round(turn, chosen, seconds, deadline, figures):
    first = turn % len(chosen)
    for name, (load, service) in LOADS.items():
        for path in chosen[first:] + chosen[:first]:
            if is_meant(path, name, service):
                figures[path.name].setdefault(name, []).append(least_disturbed(load, path, seconds, deadline))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--budget", type=int, default=600, help="seconds; then no round begins, nothing is repeated")
    parser.add_argument("--only", default="")
    options = parser.parse_args()

    deadline = time.monotonic() + options.budget
    chosen = [path for path in paths.all_paths() if fnmatch.fnmatchcase(path.name, f"*{options.only}*")]
    set_up(chosen)
    described = {**machine(), "pipe": pipe_size()}
    memory = {path.name: loads.memory(path) for path in chosen if not isinstance(path, paths.Direct)}
    figures = {path.name: {} for path in chosen}
    rounds = 0
    while rounds == 0 or rounds < options.rounds and time.monotonic() < deadline:
        measure.tell(f"round {rounds + 1} of {options.rounds}")
        measure_round(rounds, chosen, options.seconds, deadline, figures)
        rounds += 1
    json.dump({
        "machine": described,
        "rounds": rounds,
        "seconds": options.seconds,
        "titles": {path.name: path.title for path in chosen},
        "figures": figures,
        "memory": memory,
    }, sys.stdout)


if __name__ == "__main__":
    main()
