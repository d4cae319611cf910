"""Many instances: `list` takes no longer than the manager needs to answer about them, `create` no longer than its reload."""

import json
import os
import re
import statistics
import time

import harness

ANY_RELEASE = True
INSTANCES = 1000 if harness.THOROUGH else 200
PORT = 20000
MORE = PORT - 10  # for those that are created one by one
ROUNDS = 3

MARGIN = 0.2  # seconds, for a machine on which other things happen meanwhile


def seconds(function):
    """The median of some calls."""
    times = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        function()
        times.append(time.monotonic() - began)
    return statistics.median(times)


class Many(harness.Case):
    timeout = 300

    def names(self):
        return [f"many-{number:04}" for number in range(INSTANCES)]

    def install_many(self):
        """What as many `create` would have left, with one reload for all of them."""
        wants = f"{self.scope.unit_directory}/sockets.target.wants"
        argv = ("create", "NAME", "-p127.0.0.1:54321:6379", "--container-name=db", "--dry-run")
        _, _, socket, _, service = re.split("^# --- (.*) ---\n", self.scope.sockwake(*argv).stdout, flags=re.MULTILINE)
        for number, name in enumerate(self.names()):
            for suffix, text in (("socket", socket), ("service", service)):
                with open(f"{self.scope.unit_directory}/{name}.{suffix}", "w") as file:
                    file.write(text.replace("NAME", name).replace("54321", str(PORT + number)))
            os.symlink(f"{self.scope.unit_directory}/{name}.socket", f"{wants}/{name}.socket")
        self.scope.systemctl("daemon-reload")
        self.scope.systemctl("start", *(f"{name}.socket" for name in self.names()))

    def reload(self):
        self.scope.systemctl("daemon-reload")

    def create_more(self):
        """The seconds of one `create`, of an instance that is new."""
        numbers = iter(range(ROUNDS))

        def create():
            number = next(numbers)
            self.scope.sockwake("create", f"more-{number}", f"-p127.0.0.1:{MORE + number}:6379", "--container-name=db")

        took = seconds(create)
        for number in range(ROUNDS):
            self.scope.sockwake("remove", f"more-{number}")
        return took

    def test_list_and_create(self):
        self.scope.container("db", "redis")
        self.scope.instance("first", PORT - 1, 6379, container="db")  # makes the directories
        reload_before, create_before = seconds(self.reload), self.create_more()
        self.install_many()
        reload_after, create_after = seconds(self.reload), self.create_more()

        patterns = ("many-*.socket", "many-*.service")
        ask = seconds(lambda: self.scope.systemctl("list-units", "--all", *patterns))
        show = seconds(lambda: self.scope.systemctl("show", "--property=ActiveState,SubState,Result", *patterns))
        listing = seconds(lambda: self.scope.sockwake("list", "--json"))
        engine = seconds(lambda: self.scope.engine_run("ps", "--all"))
        print(
            f"     {INSTANCES} instances: list {listing:.3f} s (systemctl list-units {ask:.3f} s, show {show:.3f} s; "
            f"{self.scope.engine} ps {engine:.3f} s); create {create_before:.3f} s, then {create_after:.3f} s "
            f"(reload {reload_before:.3f} s, then {reload_after:.3f} s)"
        )

        listed = json.loads(self.scope.sockwake("list", "--json").stdout)
        self.assertEqual([item["name"] for item in listed], ["first", *self.names()])
        self.assertEqual({item["state"] for item in listed}, {"asleep"})
        self.assertEqual({item["container_state"] for item in listed}, {self.scope.container_state("db")})
        self.assertEqual(len(self.scope.sockwake("list").stdout.splitlines()), INSTANCES + 3)  # titles, "first" and a count
        # `show` has the manager answer about one unit after the other, all in one process.
        self.assertLess(listing, show / 2 + engine)
        self.assertLess(create_after - create_before, reload_after - reload_before + MARGIN)

        self.assertEqual(harness.redis(PORT + INSTANCES - 1, "ping"), "PONG")
        listed = json.loads(self.scope.sockwake("list", "--json").stdout)
        self.assertEqual([item["name"] for item in listed if item["state"] == "awake"], [self.names()[-1]])

        began = time.monotonic()
        self.scope.sockwake("remove", "--all", timeout=120)
        print(f"     remove --all {time.monotonic() - began:.3f} s")
        self.assertEqual(self.scope.sockwake("list").stdout, "No managed instances.\n")
