"""Bad input is rejected with a sentence that names the value and the rule; accepted input cannot change the directives
of a unit."""

import contextlib
import itertools
import json
import os
import re
import socket

import harness

PORT = 7800
PUBLISH = f"{PORT}:6379"
DURATIONS = ("startup-timeout", "idle-timeout", "keepalive", "connection-timeout", "flow-timeout", "drain-timeout")
LINE = "\n[Service]\nExecStart=/bin/sh"


def shown(value):
    """A value as it stands in a message: on one line."""
    return re.sub("[\x00-\x1f\x7f]", "?", value)


class HostileCase(harness.Case):
    def sockwake(self, *argv, **options):
        """A command whose arguments, and words, need not be text."""
        return self.scope.run("sockwake", *argv, check=False, errors="surrogateescape", **options)

    def dry_run(self, *options, name="server", publish=PUBLISH):
        ports = () if publish is None else (f"--publish={publish}",)
        return self.sockwake("create", *ports, *options, "--dry-run", "--", name)


class Rejected(HostileCase):
    """Each bad value, with a word of the rule that it breaks."""

    any_release = True

    def check(self, bad, rule, call):
        """`call` says which options, and which other arguments, a value makes."""
        for value in bad:
            with self.subTest(value=value):
                options, arguments = call(value)
                result = self.dry_run(*options, **arguments)
                self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
                self.assertRegex(result.stderr, r"\Asockwake: [^\n]+\n\Z")
                self.assertIn(f"'{shown(value)[:200]}", result.stderr)
                self.assertIn(rule, result.stderr)

    def check_option(self, option, bad, rule):
        self.check(bad, rule, lambda value: ((f"--{option}={value}",), {}))

    def check_publish(self, bad, rule, form="{}"):
        self.check(bad, rule, lambda value: ((), {"publish": form.format(value)}))

    def test_names(self):
        bad = ("", ".", "a.b", "a b", "a/b", "../a", "%i", "$a", "a\nb", 'a"b', "a'b", "a@b", "a\\b", "ä", "a" * 241)
        self.check(bad, "1 to 240 of the characters", lambda value: ((), {"name": value}))
        self.check_option("name", ("a b", LINE), "two names")

    def test_container_names(self):
        bad = ("", "-a", ".a", "a b", "a/b", "a?x=y", "%i", "${a}", "a\nb", 'a"b', "ä", "a" * 256)
        self.check_option("container-name", bad, "letter or digit")

    def test_ports(self):
        numbers = ("", "0", "-1", "65536", "99999999999999999999", "1x", "0x10", " 1", "1 ", "1.0", "+1", "%p", "1\n2")
        for option, other in (("listen-port", "container-port"), ("container-port", "listen-port")):
            for value in numbers:
                options = (f"--{option}={value}", f"--{other}=80")
                self.check((value,), "from 1 to 65535", lambda _, options=options: (options, {"publish": None}))
        self.check_publish(("", "0", "65536", "a", "80 ", "1-2"), "", "{}:80")
        self.check_publish(("65536", "b", "%p", "$a"), "from 0 to 65535", "80:{}")
        self.check_publish(("80:", "127.0.0.1:80", "127.0.0.1:80-81", "127.0.0.1:80:", "127.0.0.1::80", "80-", "-80"), "PORT:CPORT")
        self.check_publish((f"80:80{LINE}", "80:80/", "80:80/TCP", "80-81:80-81/TCP", "/", ""), "PORT:CPORT")
        self.check_publish(("80:80/sctp", "80/sctp"), "SCTP")
        self.check_publish(("80-90:80", "80:80-90", "1-3:1-2"), "same length")
        self.check_publish((":", "0", "9-8"), "")
        self.check_publish(("80:80",), "neither an IPv4", "{}:80:80")
        self.check_publish(("80:0",), "from 1 to 65535")

    def test_addresses(self):
        addresses = ("localhost", "1.2.3", "1.2.3.256", "01.2.3.4", "::1", "[::1", "[1.2.3.4]", "[::1%eth0]", "%h", "[]")
        self.check_publish(addresses, "neither an IPv4 address nor an IPv6 address", "{}:80:80")
        self.check_option("target", ("localhost", "1.2.3", "[::1]", "1.2.3.4:80", "", "%h", f"::1{LINE}"), "IP address")
        networks = ("1.2.3.4/33", "::/129", "1.2.3.4/", "x/8", "1.2.3.4/8 ", "1.2.3.4/-1", "$x", f"::/0{LINE}")
        for option in ("no-wake-from", "no-hold-from", "ignore-from"):
            self.check_option(option, networks, f"--{option}")

    def test_durations(self):
        bad = ("", "x", "5 parsecs", "-1", "1h-", "1e3", "5min5", "1,5s", "0x5", "%t", "99999999999999y", "1s;", "5\n")
        for option in DURATIONS:
            self.check_option(option, (value for value in bad if value != "5min5"), "time")
        self.check_option("idle-timeout", ("0", "0s"), "more than 0")

    def test_paths(self):
        bad = ("relative", "/a/../b", "/a/..", "/a\nb", "/a\tb", "/a\x7fb", "/" + "a" * 108)
        self.check_option("engine-socket", bad, "absolute path")
        self.check_option("target", (f"unix:{path}" for path in bad[:6]), "unix:/PATH")
        listening = ("/a b", "/a\\b", "/a//b", "/a/./b", "/a/", "/")
        self.check_publish(bad[1:], "", "{}:80")
        self.check_publish(listening, "without spaces", "{}:80")

    def test_words(self):
        self.check_option("backend", ("", "lxc", "Docker", f"podman{LINE}"), "docker nor podman")
        self.check_option("scope", ("", "both", "System"), "system nor user")
        self.check_option("idle-action", ("", "kill", "pause\n"), "stop nor pause")
        self.check_option("proxy-protocol", ("", "v3", "v1 "), "v1 nor v2")
        self.check_option("workers", ("0", "65", "-1", "two", "%n"), "from 1 to 64")
        self.check_option("socket-mode", ("", "660", "0888", "u+rw", "0660\n"), "octal")
        self.check_option("socket-group", ("", "a b", "%g", "-x", "0", "65535", "4294967295", f"root{LINE}"), "group")
        self.check_option("unit", ("", "x", "x.socket", ".service", "a b.service", "%i.service", "x@.service", "a\nb.service"), "NAME.service")
        self.check_option("user", ("", "nobody-of-that-name", f"wake{LINE}"), "user")

    def test_health_checks(self):
        for bad in ("", "a\nb", "a\x7fb", "a\x1bb", "http:relative", "http:/a b", "x" * 4097):
            with self.subTest(bad):
                result = self.dry_run(f"--health-check={bad}")
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertRegex(result.stderr, r"\Asockwake: the health check [^\n]+\n\Z")

    def test_too_many(self):
        many = [f"--publish={PORT + 1 + n}:{n + 1}" for n in range(64)]
        result = self.dry_run(*many)
        self.assertEqual(result.returncode, 2)
        self.assertIn("64", result.stderr)
        for option, value in (("target", "::1"), ("no-wake-from", "::/0"), ("no-hold-from", "::/0")):
            result = self.dry_run(*(f"--{option}={value}" for _ in range(65)))
            self.assertEqual(result.returncode, 2)
            self.assertIn("64", result.stderr)

    def test_not_text(self):
        """Bytes that are not UTF-8, in every option that takes a value."""
        usage = self.scope.sockwake("help", "create").stdout
        options = set(re.findall(r"--([a-z-]+) [A-Z]", usage)) | {"backend", "proxy-protocol", "target", "scope", "idle-action"}
        self.assertGreater(len(options), 20)
        for option in sorted(options):
            for value in ("\udcff", "a\udcc3", "/\udced\udca0\udc80", "unix:/\udcff", "\udcff:80"):
                with self.subTest(option=option, value=value):
                    result = self.dry_run(f"--{option}={value}")
                    self.assertEqual((result.returncode, result.stdout), (2, ""))
                    self.assertRegex(result.stderr, r"\Asockwake: [^\n]+\n\Z")
                    json.loads(self.dry_run(f"--{option}={value}", "--json").stderr.encode(errors="surrogateescape").decode())


class Harmless(HostileCase):
    """Accepted input is only data, in every unit."""

    NASTY = ("%h", "%%", "$HOME", "${HOME}", "'", '"', "\\", "\\n", ";", "#", "|| reboot", "a\tb", "ä€𝄞", "{}", "-", "!", "@", ":")

    def lines(self, *options, **arguments):
        """The lines of both units up to their values, for what is accepted; else None."""
        result = self.dry_run(*options, **arguments)
        if result.returncode == 2:
            self.assertEqual(result.stdout, "")
            return None
        self.assertEqual(result.returncode, 0, result.stderr)
        return [line.split("=")[0] for line in result.stdout.splitlines()]

    def test_every_option_with_every_character(self):
        """No value makes another line."""
        tame = {
            **{"container-name": "{}x", "engine-socket": "/run/{}", "health-check": "x {}", "target": "unix:/run/{}"},
            **{"unit": "x{}.service", "user": "wake{}", "socket-group": "g{}", "startup-timeout": "5{}"},
        }
        accepted = 0
        for (option, form), nasty in itertools.product(tame.items(), (*self.NASTY, LINE, "\r", "\x00"[:0])):
            with self.subTest(option=option, nasty=nasty):
                expected = self.lines(f"--{option}={form.format('')}")
                lines = self.lines(f"--{option}={form.format(nasty)}")
                if lines is not None:
                    accepted += 1
                    self.assertEqual(lines, expected)
        self.assertGreater(accepted, 40)

    def bus_property(self, name, kind, member):
        """Unlike systemctl(1), busctl(1) has a form for every value."""
        path = f"/org/freedesktop/systemd1/unit/{name}_2e{kind.lower()}"
        scope = "--system" if self.scope.is_system else "--user"
        argv = ("busctl", scope, "--json=short", "get-property", "org.freedesktop.systemd1", path)
        return json.loads(self.scope.run(*argv, f"org.freedesktop.systemd1.{kind}", member).stdout)["data"]

    def command_lines(self, name):
        """What the manager will execute, argument by argument, and how."""
        lines = []
        for kind in ("ExecStart", "ExecStartPost", "ExecStopPost"):
            commands = self.bus_property(name, "Service", f"{kind}Ex")
            lines += [(kind, argv, flags) for _program, argv, flags, *_ in commands]
        return lines

    def properties(self, unit):
        """All properties of a unit, except those that differ between two of the same kind."""
        names = ("Id", "Names", "Description", "FragmentPath", "SourcePath", "InvocationID", "FileDescriptorName")
        relations = ("Listen", "Triggers", "TriggeredBy", "Requires", "RequiresMountsFor", "RequiredBy", "After", "Before")
        counters = "Exec|.*Timestamp|ControlGroup|CPUUsage|Memory|IO|IP|Tasks"
        lines = self.scope.systemctl("show", "--all", unit).stdout.splitlines()
        return {line for line in lines if not re.match(counters, line) and line.split("=")[0] not in names + relations}

    def install(self, name, port, values):
        """An instance with these values in every place that takes text."""
        engine = f"/run/{values['engine']}"
        os.symlink(f"{self.scope.runtime_directory}/{'docker' if self.scope.is_system else 'podman/podman'}.sock", engine)
        self.addCleanup(os.unlink, engine)
        listener = f"{self.scope.runtime_directory}/{values['listener']}"
        self.scope.sockwake(
            *("create", name, "--container-name=server", f"--engine-socket={engine}", f"--publish={listener}:6379"),
            *(f"--publish={port}:6379", f"--target=unix:/run/{values['target']}", f"--health-check={values['check']}"),
            *(f"--idle-timeout={values['idle']}", "--startup-timeout=3s", "--user=wake"),
        )
        return {"engine": engine, "listener": f"{listener}:6379", "target": f"unix:/run/{values['target']}", "check": values["check"], "idle": values["idle"]}

    def test_what_systemd_reads(self):
        """The manager reads back each value as it was given, and nothing besides."""
        self.scope.container("server", "redis")
        tame = self.install("tame", PORT, {"engine": "e", "listener": "l", "target": "t", "check": "false", "idle": "7min"})
        nasty = "%h%n$HOME${USER}\"'"
        wild = self.install("wild", PORT + 1, {
            "engine": f"e {nasty}\\x20",
            "listener": f"l{nasty};#",
            "target": f"t {nasty}\\n\\ ;",
            "check": f"test \"$(id)\" = '%i' && \\\t{nasty}; echo {{container_port}} ü | cat #\\",
            "idle": "7min",
        })

        def translated(argument):
            """An argument of the tame instance as the wild one should have it."""
            for key, value in tame.items():
                if argument == value:
                    return wild[key]
            return {"tame": "wild", f"{PORT}:6379": f"{PORT + 1}:6379"}.get(argument, argument)

        expected = [(kind, [translated(word) for word in words], flags) for kind, words, flags in self.command_lines("tame")]
        self.assertEqual(self.command_lines("wild"), expected)
        self.assertEqual(len(expected), 2)
        for kind, _, flags in expected:
            self.assertIn("no-env-expand", flags)
        for suffix in ("socket", "service"):
            self.assertEqual(self.properties(f"wild.{suffix}"), self.properties(f"tame.{suffix}"))
        path = re.sub("[\"']", r"\\\g<0>", wild["listener"].removesuffix(":6379"))  # as the manager shows it
        listening = self.bus_property("wild", "Socket", "Listen")
        self.assertEqual(listening, [["Stream", path], ["Stream", f"[::]:{PORT + 1}"]])

        # What is read back is what was given; and the paths are those very files.
        instance = next(i for i in json.loads(self.scope.sockwake("list", "--json").stdout) if i["name"] == "wild")
        self.assertEqual((instance["health_check"], instance["targets"]), (wild["check"], [wild["target"]]))
        self.assertEqual((instance["engine_socket"], instance["ports"][0]), (wild["engine"], wild["listener"]))
        self.assertNotEqual(instance["container_state"], "unknown")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(wild["listener"].removesuffix(":6379"))
            # The check never succeeds; and a Unix socket that had nothing to read knows no reset.
            self.assertEqual(client.recv(1), b"")
        harness.eventually(lambda: "health-check" in "".join(self.scope.unit_journal("wild", since=self.started)))

    def test_longest_names(self):
        name, container = "n" * 240, "c" * 255
        self.scope.container("server", "redis")
        if self.scope.engine == "podman":  # Docker's own storage takes shorter ones alone
            self.scope.engine_run("rename", "server", container)
        else:
            container = "server"
        self.scope.sockwake("create", name, f"-p{PORT}:6379", f"--container-name={container}")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertIn(name, self.scope.sockwake("list", "--json").stdout)
        self.assertIn("…n", self.scope.sockwake("list").stdout)
        self.scope.sockwake("sleep", name)
        self.scope.sockwake("remove", name)
        self.assertEqual([file for file in os.listdir(self.scope.unit_directory) if "nnn" in file], [])


class UnitFiles(HostileCase):
    """Unit files damaged by a person or a full disk."""

    any_release = True

    def setUp(self):
        super().setUp()
        self.scope.container("server", "redis")
        self.scope.instance("server", PORT, 6379)
        self.path = f"{self.scope.unit_directory}/server.socket"
        with open(self.path) as file:
            self.text = file.read()

    def listed(self):
        result = self.sockwake("list", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def put(self, config):
        with open(self.path, "wb") as file:
            text = re.sub("X-InstanceConfig=.*", lambda _: "X-InstanceConfig=@", self.text).encode()
            file.write(text.replace(b"@", config if isinstance(config, bytes) else config.encode()))

    def test_configurations(self):
        good = json.loads(re.search("X-InstanceConfig=(.*)", self.text).group(1))

        def but(**changes):
            return json.dumps({**good, **changes})

        bad = (
            *("", "{", "[]", "null", "1", '"x"', "{}", "x" * 100, json.dumps(good)[:-1], json.dumps(good) + "x"),
            *("[" * 100000, b"\xff\xfe", '{"name":"server","name":1}'),
            *(but(name="other"), but(name=1), but(name="\x1b[31m\n"), but(container_name=[]), but(ports={}), but(ports=[1]), but(ports=["x"])),
            *(but(targets="::1"), but(workers=-1), but(workers=1e300), but(stop_timeout="1"), but(keep_running=1)),
            *(but(health_check="a\nb"), but(idle_timeout="x"), but(scope="x"), but(backend=None), but(user="a b")),
            *(but(ports=[f"{p}:1" for p in range(1, 70)]), but(engine_socket="relative"), but(unit="x; reboot")),
        )
        for config in bad:
            with self.subTest(config=config[:80]):
                self.put(config)
                [instance] = self.listed()
                self.assertEqual((instance["name"], instance["state"]), ("server", "asleep"))
                self.assertTrue(instance["reason"])
                text = self.sockwake("list").stdout + self.sockwake("status", "server").stdout
                self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f]")
                self.assertEqual(text.count("server.socket"), 1)
                self.assertEqual(self.sockwake("logs", "server").returncode, 1)
        self.put(json.dumps({**good, "something": {"of": ["a", "newer", "version"]}}))
        self.assertIsNone(self.listed()[0]["reason"])

    def test_broken_ones_are_removed_and_replaced(self):
        for config in ("{", b"\xff", '{"name":"other"}'):
            with self.subTest(config=config):
                self.put(config)
                self.scope.instance("server", PORT, 6379, "--force")
                self.assertIsNone(self.listed()[0]["reason"])
                self.put(config)
                self.scope.sockwake("remove", "server")
                self.assertEqual(self.listed(), [])
                self.assertFalse(os.path.exists(self.path))
                self.scope.instance("server", PORT, 6379)

    def test_things_that_are_no_unit_files(self):
        directory = self.scope.unit_directory
        with contextlib.ExitStack() as stack:
            for make, name in ((os.mkdir, "d.socket"), (os.mkfifo, "f.socket"), (lambda p: os.symlink(p, p), "l.socket")):
                make(f"{directory}/{name}")
                stack.callback(os.rmdir if make is os.mkdir else os.unlink, f"{directory}/{name}")
            os.truncate(self.path, 0)
            with open(f"{directory}/big.socket", "w") as file:
                file.write("[Unit]\nX-ManagedBy=sockwake\n")
                file.truncate(3 << 30)
            stack.callback(os.unlink, file.name)
            with open(f"{directory}/a\udcff.socket", "w") as file:
                file.write(self.text)
            stack.callback(os.unlink, file.name)
            self.assertEqual(self.listed(), [])
        with open(self.path, "w") as file:
            file.write(self.text)
