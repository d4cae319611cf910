#!/usr/bin/python3
"""storm.py [--wakes N] [--clients N] [--only PATTERN]: wakes under many clients at once, inside a lab. Prints JSON.

In each wake every client connects once, at its own moment while the container wakes, asks `select 1` and stays connected
until all have their outcome: answered, lost (reset, closed, turned away) or hanging (no outcome within TIMEOUT)."""

import argparse
import collections
import json
import random
import sys
import threading
import time

import measure
import clients
import subjects

TIMEOUT = 20  # seconds after which a client counts as hanging
SPREAD = 0.3  # seconds over which the clients arrive; the first one at once


class Client(threading.Thread):
    def __init__(self, port, delay):
        super().__init__(daemon=True)
        self.port = port
        self.delay = delay
        self.session = None
        self.outcome = "hanging"
        self.seconds = None

    def run(self):
        time.sleep(self.delay)
        began = time.monotonic()
        try:
            self.session = clients.Session(self.port, timeout=TIMEOUT)
            self.session.select_1()
            self.outcome = "answered"
        except TimeoutError:
            pass
        except (OSError, clients.NotServed) as error:
            self.outcome = f"lost: {error}"
        self.seconds = time.monotonic() - began


def one_wake(subject, count):
    """The clients of one wake, each with its outcome."""
    crowd = [Client(subject.port, random.uniform(0, SPREAD) if number else 0) for number in range(count)]
    for client in crowd:
        client.start()
    for client in crowd:
        client.join(TIMEOUT + SPREAD)
    for client in crowd:
        if client.session:
            client.session.close()
    return crowd


def storm(subject, wakes, count):
    subject.set_up()
    subject.measure()  # a wake that is not counted: it makes the statistics
    subject.sleep()
    before = subject.statistics()["wakes"]
    outcomes = collections.Counter()
    slowest = 0
    for number in range(wakes):
        crowd = one_wake(subject, count)
        outcomes.update(client.outcome for client in crowd)
        slowest = max(slowest, *(client.seconds or TIMEOUT for client in crowd))
        subject.sleep()
        if number % 10 == 9:
            measure.tell(f"{subject.title}: {number + 1} of {wakes} wakes")
    return {
        "title": subject.title,
        "wakes": subject.statistics()["wakes"] - before,
        "clients": count,
        "outcomes": outcomes,
        "slowest": slowest,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wakes", type=int, default=100)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--only", default="*", metavar="PATTERN")
    options = parser.parse_args()

    ours = [subject for subject in measure.choose(options.only) if isinstance(subject, subjects.Sockwake)]
    storms = [storm(subject, options.wakes, options.clients) for subject in ours if not subject.cold]
    json.dump({"machine": measure.machine(), "storms": storms}, sys.stdout)


if __name__ == "__main__":
    main()
