"""What people type: several names at once, words of other tools, slips."""

import json
from subprocess import PIPE

import harness

ANY_RELEASE = True
PORT = 7960


class Several(harness.Case):
    def setUp(self):
        super().setUp()
        for k, name in enumerate(("first", "second")):
            self.scope.container(name, "redis")
            self.scope.instance(name, PORT + k, 6379)

    def states(self):
        return {name: self.scope.container_state(name) for name in ("first", "second")}

    def test_each_command(self):
        woken = self.scope.sockwake("wake", "first", "second").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in woken], ["'first'", "'second'"])
        self.assertRegex(woken[0], r"^'first' is awake after \d+(\.\d+)? ?m?s\.$")
        self.assertEqual(self.states(), {"first": "running", "second": "running"})
        self.assertEqual(self.scope.sockwake("wake", "--all").stdout, "".join(f"'{name}' is awake, as it was before.\n" for name in ("first", "second")))
        shown = self.scope.sockwake("status", "second", "first").stdout.splitlines()
        self.assertEqual([line.split()[1] for line in shown if not line.startswith(" ")], ["second", "first"])
        self.assertEqual(self.scope.sockwake("sleep", "--all").stdout, "'first' sleeps.\n'second' sleeps.\n")
        self.assertEqual(self.states(), {"first": "exited", "second": "exited"})
        self.assertEqual(
            self.scope.sockwake("rm", "second", "first").stdout,
            "Removed instance 'second'.\nRemoved instance 'first'.\n",
        )
        self.assertEqual(self.scope.sockwake("sleep", "--all").stdout, "No managed instances found.\n")

    def test_one_that_fails(self):
        """Does not stop the other, and is reported."""
        self.scope.engine_run("rm", "first")
        result = self.scope.sockwake("wake", "first", "second", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertTrue(result.stdout.startswith("'second' is awake"), result.stdout)
        first, last = result.stderr.splitlines()
        self.assertIn("'first' did not wake: ", first)
        self.assertEqual(last, "sockwake: 1 of 2 failed: the reasons are above")
        result = self.scope.sockwake("wake", "first", check=False)  # one alone needs no total
        self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_in_the_order_of_what_happens(self):
        """Also if both outputs go into one file."""
        self.scope.engine_run("rm", "second")
        both = self.scope.run("sh", "-c", "sockwake wake first second 2>&1", check=False).stdout.splitlines()
        self.assertTrue(both[0].startswith("'first' is awake"), both)
        self.assertIn("'second' did not wake", both[1])

    def test_removed_while_a_removal_waits(self):
        """Changes by others meanwhile count."""
        lock = f"{self.scope.runtime_directory}/sockwake/units.lock"
        holder = self.scope.spawn("flock", lock, "sh", "-c", "echo held; read line", stdin=PIPE, stdout=PIPE)
        self.addCleanup(holder.communicate)
        self.assertEqual(holder.stdout.readline(), "held\n")
        both = [self.scope.spawn("sockwake", "remove", "first", stdout=PIPE, stderr=PIPE) for _ in range(2)]
        for remove in both:
            harness.eventually(lambda: lock in (what for what, _ in harness.descriptors(remove.pid).values()))
        holder.stdin.write("\n")
        holder.stdin.flush()
        said = sorted("".join(remove.communicate()) for remove in both)
        self.assertEqual(said[0], "Removed instance 'first'.\n")
        self.assertIn("there is no instance 'first'", said[1])

    def test_none_unless_all_exist(self):
        for command in ("wake", "remove", "sleep", "refresh"):
            result = self.scope.sockwake(command, "first", "third", check=False)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn("'third'", result.stderr)
        self.assertLessEqual(set(self.states().values()), {"created", "configured"})
        self.assertEqual(self.scope.state("first.socket"), "active")


class Words(harness.Case):
    def test_of_other_tools(self):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379)
        overview = self.scope.sockwake("list").stdout
        self.assertIn("server", overview)
        for words in (["ls"], ["ps"], ["status"]):
            self.assertEqual(self.scope.sockwake(*words).stdout.split(), overview.split())
        self.assertEqual(json.loads(self.scope.sockwake("status", "--json").stdout)[0]["name"], "server")
        for word, meant in (("stop", "sleep"), ("start", "wake"), ("run", "create"), ("inspect", "status")):
            self.asked(word, meant=meant, status=2)
        self.assertIn(self.scope.container_state("server"), ("created", "configured"))

    def test_slips(self):
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379)
        self.asked("stauts", meant="status", status=2)
        self.asked("lsit", meant="list", status=2)
        self.asked("create", "x", "--idel-timeout=1min", meant="--idle-timeout", status=2)
        self.asked("list", "--jsno", meant="--json", status=2)
        # No short forms: least of all of what is done to everybody.
        self.asked("remove", "--a", meant="--all", status=2)
        self.asked("create", "x", "--idle-time", "1min", meant="--idle-timeout", status=2)
        self.asked("list", "--sco=user", meant="--scope", status=2)
        self.asked("status", "sever", meant="server", status=1)
        for argv, words in (
            (("list", "--json=yes"), "takes no value"),
            (("sleep", "--name", "a", "--name=b"), "two names"),
            (("list", "--nonsense"), "'sockwake help list'"),
            (("status", "quite-another"), "'sockwake list"),
        ):
            result = self.scope.sockwake(*argv, check=False)
            self.assertIn(words, result.stderr)
            self.assertNotIn("did you mean", result.stderr)

    def asked(self, *argv, meant, status):
        result = self.scope.sockwake(*argv, check=False)
        self.assertEqual((result.returncode, result.stdout), (status, ""))
        self.assertIn(f"did you mean '{meant}'?", result.stderr)
