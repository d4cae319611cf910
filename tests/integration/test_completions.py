"""What the shells complete: every option of every command, instances, and containers of the engine that is meant."""

import os
import pty
import re
import select
import shlex
import time

import harness

ANY_RELEASE = True
PORT = 7970
COMMANDS = "create set adopt remove list status wake sleep refresh attend router logs".split()
DATA = "/usr/share"
BASH = f"{DATA}/bash-completion/completions/sockwake"
READY, ASKED = "READY> ", "ASKED> "


class Terminal:
    """A zsh of somebody who types."""

    def __init__(self, case):
        # The prompt is put together, so that the echo of this line is none.
        start = "bindkey -e; autoload -Uz compinit; compinit -u -D; setopt NO_BEEP; a=READY b=ASKED; PS1=$a'> '\n"
        self.output = ""
        self.master, slave = pty.openpty()
        case.addCleanup(os.close, self.master)
        self.shell = case.scope.spawn("zsh", "-f", "-i", stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        case.addCleanup(self.shell.wait)
        case.addCleanup(self.shell.kill)
        os.close(slave)
        os.write(self.master, start.encode())
        self.expect(READY)

    def expect(self, text, timeout=20):
        """Returns what came before it."""
        end = time.monotonic() + timeout
        while text not in self.output:
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {text!r} in {self.output!r}")
            self.output += os.read(self.master, 65536).decode(errors="replace")
        before, _, self.output = self.output.partition(text)
        return before

    def complete(self, line):
        """The words that the tabulator makes of this line, which the shell prints, and does not run."""
        os.write(self.master, f"{line}\t\x01print -r -- $b'> ' \n".encode())
        self.expect(ASKED)
        return self.expect("\n").split()


class Completions(harness.Case):
    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379)

    def bash(self, *words):
        complete = '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _sockwake; printf "%s\\n" "${COMPREPLY[@]}"'
        return set(self.scope.run("bash", "-c", complete, "bash", BASH, *words).stdout.split())

    def helped(self, command):
        """The options that the short help names."""
        text = self.scope.sockwake("help", command).stdout
        return set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", text, re.MULTILINE))

    def test_every_option(self):
        """As the shell does it; cli_option_table_test has the texts of all three, and the manual."""
        for command in COMMANDS:
            with self.subTest(command):
                self.assertEqual(self.helped(command) | {"--help"}, self.bash("sockwake", command, "--"))

    def test_bash(self):
        self.assertEqual(self.bash("sockwake", "wake", ""), {"server"})
        self.assertIn("server", self.bash("sockwake", "create", ""))
        self.assertIn("server", self.bash("sockwake", "create", "--backend", self.scope.engine, "--with", "s"))
        self.assertEqual(self.bash("sockwake", "sleep", "--al"), {"--all"})
        self.assertEqual(self.bash("sockwake", "set", "ser"), {"server"})
        self.assertIn("localhost/busybox:latest", self.bash("sockwake", "create", "--backend", self.scope.engine, "--image", ""))
        self.assertIn("none", self.bash("sockwake", "create", "--network", "n"))
        units = self.bash("sockwake", "create", "--unit", "")
        self.assertIn("server.service", units)
        self.assertEqual([unit for unit in units if not unit.endswith(".service") or unit.endswith("@.service")], [])
        self.assertEqual(self.bash("sockwake", "status", "server", ""), set())
        self.assertEqual(self.bash("sockwake", "logs", ""), {"server"})
        self.assertEqual(self.bash("sockwake", "set", "server", "--unset", "sche"), {"schedule"})

    def test_zsh(self):
        terminal = Terminal(self)
        for typed, completed in (
            ("sockwake wa", "sockwake wake"),
            ("sockwake wake ser", "sockwake wake server"),
            ("sockwake sleep --al", "sockwake sleep --all"),
            ("sockwake set ser", "sockwake set server"),
            ("sockwake status server ser", "sockwake status server ser"),
            ("sockwake create --image localhost/bus", "sockwake create --image localhost/busybox:latest"),
            ("sockwake create ser", "sockwake create server"),
            (f"sockwake create --backend {self.scope.engine} --with ser", None),
            ("sockwake adopt ser", "sockwake adopt server"),
        ):
            with self.subTest(typed):
                expected = shlex.split(completed) if completed else [*shlex.split(typed)[:-1], "server"]
                self.assertEqual(terminal.complete(typed), expected)
