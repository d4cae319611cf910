#!/usr/bin/python3
"""measure.py [--rounds N] [--quick] [--only PATTERN]: measures wakes, inside a lab. Prints JSON, and on standard error how far it is.

All subjects take turns, in every round from another one on, so that what disturbs the machine disturbs all alike. A
first round that nobody counts warms caches; --quick does without it and without waiting for quiet moments."""

import argparse
import fnmatch
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../integration")

import harness
import subjects
from driver import processor_time

SETTLE = 0.3  # seconds in which engines and systemd finish what the subject before has left them
QUIET = 0.25  # the share of all processors that others may use meanwhile; with more, it waits longer ...
PATIENCE = 4  # ... but not longer than so many times


def all_subjects():
    ports = iter(range(15001, 15100))
    yield subjects.Activation(harness.SYSTEM_DOCKER, next(ports))
    yield subjects.Activation(harness.USER_PODMAN, next(ports))
    yield subjects.EngineAlone(subjects.DOCKER, "stop")
    yield subjects.EngineAlone(subjects.DOCKER, "pause")
    yield subjects.EngineAlone(subjects.PODMAN, "stop")
    yield subjects.EngineAlone(subjects.PODMAN, "pause")
    yield subjects.EngineAlone(subjects.PODMAN, "stop", cold=True)
    yield subjects.QuadletAlone()
    yield subjects.OriginalWithDocker(next(ports), next(ports))
    yield subjects.LabWithPodman(next(ports))
    for engine in (subjects.DOCKER, subjects.PODMAN):
        yield subjects.Sockwake(engine, next(ports), "stop")
        yield subjects.Sockwake(engine, next(ports), "pause")
    yield subjects.Sockwake(subjects.PODMAN, next(ports), "stop", cold=True)
    yield subjects.SockwakeQuadlet(next(ports))


def choose(pattern):
    return [subject for subject in all_subjects() if fnmatch.fnmatchcase(subject.name, f"*{pattern}*")]


def settle(patience):
    """Waits for a quiet moment; returns how busy the machine was in the last part of it, 0 to 1."""
    for _ in range(patience):
        busy, total = processor_time()
        time.sleep(SETTLE)
        busy_later, total_later = processor_time()
        share = (busy_later - busy) / max(total_later - total, 1)
        if share <= QUIET:
            break
    return share


def measure(chosen, rounds, quick):
    """A list of measurements for each subject's name."""
    for subject in chosen:
        tell(f"setting up {subject.title}")
        subject.set_up()
    measurements = {subject.name: [] for subject in chosen}
    for turn in range(1 if quick else 0, rounds + 1):
        tell(f"round {turn} of {rounds}")
        first = turn % len(chosen)
        for subject in chosen[first:] + chosen[:first]:
            busy = settle(1 if quick else PATIENCE)
            subject.prepare()
            measurement = {"busy": busy, **subject.measure()}
            subject.sleep()
            if turn > 0:
                measurements[subject.name].append(measurement)
    return measurements


def machine():
    def first_line(*argv):
        return harness.run(*argv).stdout.splitlines()[0]

    with open("/etc/os-release") as release:
        system = dict(line.rstrip().split("=", 1) for line in release)["PRETTY_NAME"].strip('"')
    with open("/proc/cpuinfo") as cpuinfo:
        models = [line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")]
    return {
        "system": system,
        "kernel": os.uname().release,
        "processors": len(os.sched_getaffinity(0)),
        "model": models[0] if models else os.uname().machine,
        "systemd": first_line("systemctl", "--version").split()[1],
        "docker": harness.run("docker", "version", "--format={{.Server.Version}}").stdout.strip(),
        "podman": first_line("podman", "--version").split()[-1],
    }


def tell(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="*", metavar="PATTERN")
    options = parser.parse_args()

    chosen = choose(options.only)
    measurements = measure(chosen, options.rounds, options.quick)
    json.dump({
        "machine": machine(),
        "rounds": options.rounds,
        "titles": {subject.name: subject.title for subject in chosen},
        "measurements": measurements,
        "asleep": {subject.name: subject.asleep() for subject in chosen if isinstance(subject, subjects.Sockwake)},
    }, sys.stdout)


if __name__ == "__main__":
    main()
