"""`create --image`: one line for an image that knows nothing of sockwake; and `remove --with-container`."""

import itertools
import json
import os
import signal
import unittest.mock

import fake_engine
import harness

PORT = 7600
WEB = ("-p", f"{PORT}:80", "--network", "none", "--image", harness.SERVERS)
NGINX = ("--", "serve", "nginx")
HAS_QUADLET = os.path.exists("/usr/lib/systemd/system-generators/podman-system-generator")


class ImageCase(harness.Case):
    scopes = (harness.SYSTEM_DOCKER, harness.SYSTEM_PODMAN, harness.USER_PODMAN)
    timeout = 120

    def setUp(self):
        super().setUp()
        self.quadlets = self.scope.engine == "podman" and HAS_QUADLET
        directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
        self.quadlet = f"{directory}/web-container.container"
        if self.scope.engine == "podman":
            self.scope.systemctl("start", "podman.socket")
        self.addCleanup(self.forget)

    def forget(self):
        self.sockwake("remove", "web", "--with-container", check=False)
        if os.path.exists(self.quadlet):
            os.unlink(self.quadlet)
            self.scope.systemctl("daemon-reload")
        for volume in ("kept", "web-data"):
            self.scope.engine_run("volume", "rm", "--force", volume, check=False)

    def sockwake(self, command, *arguments, **options):
        backend = ("--backend", self.scope.engine) if command in ("create", "adopt") else ()
        return self.scope.sockwake(command, *backend, *arguments, **options)

    def refused(self, *arguments):
        result = self.sockwake(*arguments, check=False)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        return result.stderr

    def traces(self):
        """The parts of an instance `web` and its container."""
        containers = [name for name in self.scope.engine_run("ps", "--all", "--format", "{{.Names}}").stdout.split()
                      if name != "sockwake-web-keep"]
        files = [self.quadlet, *(f"{self.scope.unit_directory}/web.{kind}" for kind in ("socket", "service"))]
        return containers + [path for path in files if os.path.exists(path)]

    def remains(self):
        """The files at run time, except the lock of the commands."""
        directory = f"{self.scope.runtime_directory}/sockwake"
        return [name for name in os.listdir(directory) if name != "units.lock"]

    def environment(self, name):
        words = self.scope.engine_run("inspect", "--type=container", name).stdout
        return json.loads(words)[0]["Config"]["Env"]

    def build(self, name, change):
        """An image that is SERVERS with a change."""
        container = self.scope.engine_run("create", harness.SERVERS).stdout.strip()
        self.scope.engine_run("commit", "--change", change, container, name, timeout=120)
        self.scope.engine_run("rm", container)
        self.addCleanup(self.scope.engine_run, "rmi", "--force", name, check=False)


class Image(ImageCase):
    any_release = harness.ROOTS_PODMAN

    def test_one_line_is_served_and_sleeps(self):
        self.sockwake("create", "web", *WEB, "--idle-timeout", "1s", *NGINX)
        self.assertEqual(os.path.exists(self.quadlet), self.quadlets)
        for _ in range(2):
            self.assertIn("nginx", harness.http(PORT))
            self.scope.fall_asleep("web")
            harness.eventually(lambda: self.scope.container_state("web") in ("", "exited"))
        self.sockwake("remove", "web", "--with-container")
        self.assertEqual((self.traces(), self.remains()), ([], []))

    def test_words_arrive_as_they_were_given(self):
        value = "two words $HOME ${HOME} %h %% \"'\\ ü;"
        self.sockwake("create", "web", *WEB, "-e", f"V={value}", "-e", "HOME", "--",
                      "sh", "-c", 'test "$V" = "$1" && exec serve nginx', "-", value)
        self.assertIn("nginx", harness.http(PORT))
        self.assertIn(f"V={value}", self.environment("web"))
        self.assertIn(f"HOME={self.scope.home}", self.environment("web"))

    def test_variables_are_not_for_others_to_read(self):
        self.sockwake("create", "web", *WEB, "-e", "PASSWORD=secret", *NGINX)
        if self.quadlets:
            self.assertEqual(os.stat(self.quadlet).st_mode & 0o777, 0o600)

    def test_volumes_outlive_sleep_and_removal(self):
        self.sockwake("create", "web", *WEB, "-v", "kept:/kept", "--idle-timeout", "1s", "--",
                      "sh", "-c", "echo x >>/kept/wakes; exec serve nginx")
        for _ in range(2):
            harness.http(PORT)
            self.scope.fall_asleep("web")
        self.sockwake("remove", "web", "--with-container")
        path = self.scope.engine_run("volume", "inspect", "--format", "{{.Mountpoint}}", "kept").stdout.strip()
        self.assertEqual(self.scope.run("cat", f"{path}/wakes").stdout, "x\nx\n")

    def test_network_of_the_engines(self):
        web = ("create", "web", "-p", f"{PORT}:80", "--image", harness.SERVERS, "--network", "shopnet")
        self.assertIn(f"has no network 'shopnet': '{self.scope.engine} network create shopnet' makes it", self.refused(*web, *NGINX))
        self.assertEqual(self.remains(), [])
        self.scope.engine_run("network", "create", "shopnet")
        self.addCleanup(self.scope.engine_run, "network", "rm", "shopnet", check=False)
        self.sockwake(*web, *NGINX)
        self.assertIn("nginx", harness.http(PORT))
        self.sockwake("remove", "web", "--with-container")

    def test_volumes_of_the_image_get_names(self):
        self.build("localhost/with-volume", "VOLUME /data")
        created = self.sockwake("create", "web", "-p", f"{PORT}:80", "--network", "none", "--image", "localhost/with-volume",
                                "--idle-timeout", "1s", "--", "sh", "-c", "echo x >>/data/wakes; exec serve nginx")
        self.assertNotIn("goes with it", created.stderr)
        for _ in range(2):
            harness.http(PORT)
            self.scope.fall_asleep("web")
        self.sockwake("remove", "web", "--with-container")
        path = self.scope.engine_run("volume", "inspect", "--format", "{{.Mountpoint}}", "web-data").stdout.strip()
        self.assertEqual(self.scope.run("cat", f"{path}/wakes").stdout, "x\nx\n")

    def test_dry_run_prints_what_would_be_made(self):
        printed = self.sockwake("create", "web", *WEB, "-e", "A=b", "--dry-run", *NGINX).stdout
        self.assertIn('Environment="A=b"' if self.quadlets else '"Env":["A=b"]', printed)
        self.assertIn("[Socket]", printed)
        self.assertEqual(self.traces(), [])

    def test_no_image_no_container(self):
        self.assertIn(f"{self.scope.engine} pull localhost/none", self.refused("create", "web", "-p", f"{PORT}:2", "--image", "localhost/none"))
        self.assertEqual(self.traces(), [])

    def test_what_fails_leaves_nothing(self):
        with harness.socket.create_server(("127.0.0.1", PORT)):
            self.assertIn("in use", self.refused("create", "web", *WEB, "-v", "new:/new", *NGINX))
        self.assertEqual(self.traces(), [])
        self.assertNotIn("new", self.scope.engine_run("volume", "ls", "--quiet").stdout.split())
        self.refused("create", "web", *WEB, "-v", "/no/such/directory:/x", *NGINX)
        self.assertEqual(self.traces(), [])

    def test_what_fails_to_replace_leaves_the_old(self):
        self.sockwake("create", "web", *WEB, "-e", "A=old", *NGINX)
        self.assertIn("already", self.refused("create", "web", *WEB, "-e", "A=new", *NGINX))
        with harness.socket.create_server(("127.0.0.1", PORT + 1)):
            self.refused("create", "web", *WEB, "-p", f"{PORT + 1}:80", "-e", "A=new", "--force", *NGINX)
        self.assertIn("nginx", harness.http(PORT))
        self.assertIn("A=old", self.environment("web"))

    def test_force_replaces_an_instance_that_is_awake(self):
        self.sockwake("create", "web", *WEB, "-e", "A=old", *NGINX)
        harness.http(PORT)
        self.sockwake("create", "web", *WEB, "-e", "A=new", "--force", *NGINX)
        self.assertIn("nginx", harness.http(PORT))
        self.assertIn("A=new", self.environment("web"))
        self.assertEqual([trace for trace in self.traces() if not os.path.isabs(trace)], ["web"])

    def test_a_container_of_somebody_else_stays(self):
        self.scope.container("web", "serve", "nginx", options=("--network=none",))
        self.assertIn("already", self.refused("create", "web", *WEB, "--force", *NGINX))
        self.assertEqual(self.traces(), ["web"])
        self.sockwake("create", "web", "-p", f"{PORT}:80")
        self.assertIn("was not made", self.refused("remove", "web", "--with-container"))
        self.sockwake("remove", "--all", "--with-container")
        self.assertEqual(self.traces(), ["web"])

    def test_a_pruned_container_comes_back(self):
        self.sockwake("create", "web", *WEB, "--idle-timeout", "1s", *NGINX)
        self.scope.engine_run("container", "prune", "--force")
        if not self.quadlets:  # otherwise it exists only while it runs
            self.assertLess(harness.refusal(PORT), 5)
            self.sockwake("create", "web", *WEB, "--force", *NGINX)
        self.assertIn("nginx", harness.http(PORT))

    def test_told_to_stop_with_its_own_time(self):
        """Podman 4 would ignore it, and kill a database each time."""
        slow = "trap 'sleep 1; echo done >/kept/ended; exit' INT QUIT TERM; serve nginx & wait"
        self.sockwake("create", "web", *WEB, "-v", "kept:/kept", "--", "sh", "-c", slow)
        self.assertIn("nginx", harness.http(PORT))
        self.sockwake("sleep", "web")
        mounted = ("-v", "kept:/kept", "--network=none", harness.SERVERS, "cat", "/kept/ended")
        self.assertEqual(self.scope.engine_run("run", "--rm", *mounted).stdout, "done\n")

    def test_removal_with_the_container_of_an_earlier_instance(self):
        self.sockwake("create", "web", *WEB, *NGINX)
        self.sockwake("remove", "web")
        self.sockwake("create", "web", "-p", f"{PORT}:80")
        self.sockwake("remove", "web", "--with-container")
        self.assertEqual(self.traces(), [])

    def test_removal_without_the_container(self):
        self.sockwake("create", "web", *WEB, *NGINX)
        note = self.sockwake("remove", "web").stderr
        self.assertIn(self.quadlet if self.quadlets else "docker rm web" if self.scope.engine == "docker" else "podman rm web", note)
        self.assertEqual(self.traces(), [self.quadlet] if self.quadlets else ["web"])

    def test_the_same_container_is_not_made_anew(self):
        """What it wrote stays, if only options of the instance change. With another image or command, it goes."""
        script = "echo x >>/wakes; exec serve nginx"
        self.sockwake("create", "web", *WEB, "--", "sh", "-c", script)
        self.assertIn("nginx", harness.http(PORT))
        self.sockwake("create", "web", *WEB, "--force", "--idle-timeout", "1s", "--", "sh", "-c", script)
        self.assertIn("nginx", harness.http(PORT))
        wakes = self.scope.engine_run("exec", "web", "cat", "/wakes").stdout
        self.assertEqual(wakes, "x\n" if self.quadlets else "x\nx\n")
        self.sockwake("create", "web", *WEB, "--force", "--", "sh", "-c", f": ; {script}")
        self.assertIn("nginx", harness.http(PORT))
        self.assertEqual(self.scope.engine_run("exec", "web", "cat", "/wakes").stdout, "x\n")

    def test_what_goes_with_the_container_is_said(self):
        note = f"{'whenever it sleeps' if self.quadlets else 'if its image or its own options change'}, and what it wrote goes"
        self.assertIn(note, self.sockwake("create", "web", *WEB, "--dry-run", *NGINX).stderr)
        self.assertIn(note, self.sockwake("create", "web", *WEB, *NGINX).stderr)
        kept = self.sockwake("create", "web", *WEB, "-v", "kept:/kept", "--force", *NGINX)
        self.assertNotIn(note, kept.stderr)
        refusal = self.refused("create", "web", *WEB, "--force", *NGINX)
        self.assertIn("keep it with -v 'kept:/kept', or give it up with --drop-volumes", refusal)
        self.assertIn("nginx", harness.http(PORT))
        self.sockwake("create", "web", *WEB, "--force", "--drop-volumes", *NGINX)
        self.assertIn("nginx", harness.http(PORT))


class Shared(ImageCase):
    """A container that is replaced at once, as a Quadlet's is not."""

    scopes = (harness.SYSTEM_DOCKER,)

    def setUp(self):
        super().setUp()
        self.numbers = itertools.count()

    def another(self):
        """The words that replace the container. One that would be the same stays."""
        return ("create", "web", *WEB, "-e", f"A={next(self.numbers)}", "--force", *NGINX)

    @staticmethod
    def through(engine, words):
        return ("sockwake", words[0], "--backend=docker", f"--engine-socket={engine.path}", *words[1:])

    def test_force_leaves_a_container_that_another_instance_is_serving(self):
        self.sockwake("create", "web", *WEB, *NGINX)
        self.sockwake("create", "other", "-p", f"{PORT + 1}:80", "--container-name", "web")
        with harness.connect(PORT + 1) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
            self.assertIn(b"nginx", connection.recv(4096))
            self.assertIn("another instance is using", self.refused("create", "web", *WEB, "-e", "A=new", "--force", *NGINX))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
            self.assertTrue(connection.recv(4096))
        self.sockwake("sleep", "other")
        self.sockwake("create", "web", *WEB, "-e", "A=new", "--force", *NGINX)
        said = self.sockwake("remove", "web", "--with-container").stderr
        self.assertIn("'other' names the container 'web', too", said)
        self.sockwake("remove", "other")

    def test_another_gets_the_name_while_it_drains(self):
        """Only the one that the command was given for is removed, or replaced."""
        self.addCleanup(self.scope.engine_run, "rm", "-f", "xxx", "web", check=False)
        theirs = self.scope.container("victim", "sleep", "1000", options=("--network=none",))
        self.sockwake("create", "web", *WEB, *NGINX)
        for argv in (("create", "--backend=docker", "web", *WEB, "-e", "A=new", "--force", *NGINX),
                     ("remove", "web", "--with-container")):
            with harness.connect(PORT) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
                self.assertIn(b"nginx", connection.recv(4096))
                command = self.scope.spawn("sockwake", *argv)
                harness.eventually(lambda: self.scope.state("web.service") == "deactivating")
                self.scope.engine_run("rename", "web", "xxx")
                self.scope.engine_run("rename", "victim", "web")
            self.assertEqual(command.wait(60), 1 if argv[0] == "create" else 0)
            self.assertEqual(self.scope.engine_run("inspect", "--format", "{{.Id}}", "web").stdout.strip(), theirs)
            self.assertEqual("xxx" in self.traces(), argv[0] == "create")
            self.scope.engine_run("rename", "web", "victim")
            self.scope.engine_run("rename", "xxx", "web", check=False)
        self.scope.engine_run("rm", "-f", "victim")

    def test_interrupted_while_it_is_replaced(self):
        """One of the two exists afterwards, and another try can succeed."""
        self.sockwake("create", "web", *WEB, "-e", "A=old", *NGINX)
        for moment in (b"/rename?", b"/containers/create?", b"web.discarded", b"DELETE /"):
            new = self.another()
            with self.subTest(moment), fake_engine.FakeEngine("/run/docker.sock") as engine:
                engine.behave(fake_engine.once_before(moment, lambda: os.kill(command.pid, signal.SIGINT)))
                command = self.scope.spawn(*self.through(engine, new))
                self.assertEqual(command.wait(60), -signal.SIGINT)
                self.assertEqual([trace for trace in self.traces() if not os.path.isabs(trace)], ["web"])
                self.sockwake(*new)
                self.assertIn("nginx", harness.http(PORT))

    def test_broken_off_while_it_is_replaced(self):
        """The remains are not in the way, and are removed with the rest."""
        moments = (b"/rename?", b"/containers/create?", b"web.discarded", b"DELETE /")
        self.sockwake("create", "web", *WEB, "-e", "A=old", *NGINX)
        with fake_engine.FakeEngine("/run/docker.sock") as engine:
            for moment in moments:
                with self.subTest(moment):
                    new = self.another()
                    engine.behave(fake_engine.once_before(moment, lambda: command.kill()))
                    command = self.scope.spawn(*self.through(engine, new))
                    self.assertEqual(command.wait(60), -signal.SIGKILL)
                    self.assert_replaced(new)
                    new = self.another()
                    engine.behave(fake_engine.losing_the_answer_to(moment))
                    self.assertIn(self.scope.spawn(*self.through(engine, new)).wait(60), (0, 1))
                    self.assert_replaced(new)
        self.scope.engine_run("rename", "web", "web.replaced")
        self.sockwake("remove", "web", "--with-container")
        self.assertEqual(self.traces(), [])

    def test_what_a_killed_one_has_asked_for_comes_late(self):
        """In the middle of the next command."""
        self.sockwake("create", "web", *WEB, "-e", "A=old", *NGINX)
        late = {b"name=web.discarded": ("rename", "web.replaced", "web.discarded"), b"DELETE /": ("rm", "-f", "web.discarded")}
        with fake_engine.FakeEngine("/run/docker.sock") as engine:
            for request, command in late.items():
                with self.subTest(request):
                    never = fake_engine.HoldingBack(request)
                    engine.behave(never)
                    killed = self.scope.spawn(*self.through(engine, self.another()))
                    harness.eventually(lambda: never.asked)
                    killed.kill()
                    killed.wait(60)
                    happens = unittest.mock.Mock(side_effect=lambda: self.scope.engine_run(*command, check=False))
                    engine.behave(fake_engine.once_before(b"/rename?name=web", happens))
                    self.assertEqual(self.scope.spawn(*self.through(engine, self.another())).wait(60), 0)
                    happens.assert_called_once()
                    self.assertIn("nginx", harness.http(PORT))
                    self.assertEqual([trace for trace in self.traces() if not os.path.isabs(trace)], ["web"])

    def test_the_engine_is_restarted_while_it_is_replaced(self):
        """A failure leaves the old one, without any help."""
        self.sockwake("create", "web", *WEB, "-e", "A=old", *NGINX)
        with fake_engine.FakeEngine("/run/docker.sock") as engine:
            argv = self.through(engine, self.another())
            for moment in (b"/rename?", b"/containers/create?"):
                with self.subTest(moment):
                    engine.behave(fake_engine.away_after(moment, 2))
                    self.assertEqual(self.scope.spawn(*argv).wait(60), 1)
                    self.assertEqual([trace for trace in self.traces() if not os.path.isabs(trace)], ["web"])
                    self.assertIn("A=old", self.environment("web"))
                    self.assertIn("nginx", harness.http(PORT))

    def test_what_was_broken_off_is_healed_by_others(self):
        for command in (("refresh", "web"), ("attend",), ("remove", "web")):
            with self.subTest(command):
                self.sockwake("create", "web", *WEB, "--force", *NGINX)
                self.scope.engine_run("rename", "web", "web.replaced")
                self.assertIn("'sockwake refresh web'", self.scope.sockwake("status", "web").stdout)
                self.scope.sockwake(*command)
                self.assertEqual([trace for trace in self.traces() if not os.path.isabs(trace)], ["web"])
        self.scope.engine_run("rename", "web", "web.replaced")
        self.sockwake("create", "web", "-p", f"{PORT}:80")
        self.assertIn("nginx", harness.http(PORT))

    def test_two_that_a_replacement_has_left(self):
        """The older one comes back unless the newer one has run; then a person must choose."""
        self.sockwake("create", "web", *WEB, "-e", "A=old", *NGINX)
        image = self.scope.engine_run("inspect", "--format", "{{.Image}}", "web").stdout.strip()
        labels = ("--label=sockwake.made-for=web", f"--label=sockwake.made-of={image}")
        for ran in (False, True):
            with self.subTest(ran=ran):
                self.scope.engine_run("rename", "web", "web.replaced")
                self.scope.container("web", "serve", "nginx", options=("--network=none", "--env=A=new", *labels))
                if ran:
                    self.scope.engine_run("start", "web")
                    self.scope.engine_run("stop", "web")
                told = self.scope.sockwake("refresh", "web", check=not ran).stderr
                names = [trace for trace in self.traces() if not os.path.isabs(trace)]
                self.assertEqual("there are two containers now" in told, ran)
                self.assertEqual(names, ["web", "web.replaced"] if ran else ["web"])
                self.assertIn("A=new" if ran else "A=old", self.environment("web"))
        self.sockwake("remove", "web", "--with-container")
        self.assertEqual(self.traces(), [])

    def test_one_that_somebody_has_started_is_stopped_in_its_own_way(self):
        slow = ("sh", "-c", "trap 'sleep 1; echo done >>/kept/ended; exit' INT QUIT TERM; touch /tmp/ready; serve nginx & wait")
        create = ("create", "web", *WEB, "-v", "kept:/kept", "--force", "--", *slow)
        ways = (("create", "web", *WEB, "-v", "kept:/kept", "-e", "A=new", "--force", "--", *slow), ("remove", "web", "--with-container"))
        for number, way in enumerate(ways, 1):
            self.sockwake(*create)
            self.scope.engine_run("start", "web")
            harness.eventually(lambda: self.scope.engine_run("exec", "web", "ls", "/tmp/ready", check=False).returncode == 0)
            self.sockwake(*way)
            mounted = ("-v", "kept:/kept", "--network=none", harness.SERVERS, "cat", "/kept/ended")
            self.assertEqual(self.scope.engine_run("run", "--rm", *mounted).stdout, "done\n" * number)

    def test_labels_of_an_image_give_no_power(self):
        self.build("localhost/labelled", "LABEL sockwake.made-for=web sockwake.made-of=x")
        self.scope.container("web", "serve", "nginx", image="localhost/labelled", options=("--network=none",))
        self.assertIn("already", self.refused("create", "web", *WEB, "--force", *NGINX))
        self.sockwake("create", "web", "-p", f"{PORT}:80")
        with harness.connect(PORT) as connection:
            self.assertIn("was not made", self.refused("remove", "web", "--with-container"))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
            self.assertIn(b"nginx", connection.recv(4096))
        self.sockwake("remove", "web")
        self.assertEqual(self.traces(), ["web"])

    def assert_replaced(self, new):
        self.sockwake(*new)
        self.assertIn("nginx", harness.http(PORT))
        self.assertEqual([trace for trace in self.traces() if not os.path.isabs(trace)], ["web"])


class Quadlet(ImageCase):
    scopes = (harness.SYSTEM_PODMAN, harness.USER_PODMAN) if HAS_QUADLET else ()

    def test_somebody_elses_file_stays(self):
        self.scope.run("mkdir", "-p", os.path.dirname(self.quadlet))
        self.scope.run("tee", self.quadlet, input="[Container]\nImage=x\n")
        self.addCleanup(os.unlink, self.quadlet)
        self.assertIn("does not belong", self.refused("create", "web", *WEB, "--force", *NGINX))
        with open(self.quadlet) as f:
            self.assertEqual(f.read(), "[Container]\nImage=x\n")

    def read(self):
        with open(self.quadlet) as f:
            return f.read()

    def test_one_that_stayed_is_not_overwritten(self):
        with_volume = (*WEB, "-v", "kept:/kept")
        self.sockwake("create", "web", *with_volume, *NGINX)
        self.sockwake("remove", "web")
        before = self.read()
        self.assertIn("use --force to replace it", self.refused("create", "web", *WEB, *NGINX))
        self.assertEqual((self.traces(), self.read()), ([self.quadlet], before))

        self.sockwake("create", "web", "-p", f"{PORT}:80")  # as it is
        self.assertIn("nginx", harness.http(PORT))
        self.sockwake("remove", "web")
        self.sockwake("create", "web", *with_volume, *NGINX)  # the same again
        self.sockwake("remove", "web")
        self.assertEqual(self.read(), before)

    def test_force_with_another_container_leaves_no_quadlet(self):
        self.sockwake("create", "web", *WEB, *NGINX)
        if self.scope.is_system:
            argv = ("--backend", "docker", *WEB, "--force", *NGINX)
        else:
            self.scope.container("plain", "serve", "nginx", options=("--network=none",))
            argv = ("-p", f"{PORT}:80", "--container-name", "plain", "--force")
        self.assertIn(f"removed the Quadlet '{self.quadlet}'", self.scope.sockwake("create", "web", *argv).stderr)
        self.assertFalse(os.path.exists(self.quadlet))
        self.assertEqual(self.scope.property("web-container.service", "LoadState"), "not-found")
        self.assertIn("nginx", harness.http(PORT))

    def test_force_keeps_the_volumes_that_were_in_one_that_stayed(self):
        self.sockwake("create", "web", *WEB, "-v", "kept:/kept", "-v", "/tmp:/t", *NGINX)
        self.sockwake("remove", "web")
        edited = self.read().replace("[Container]\n", "[Container]\nVolume=%h:/h\n")
        self.scope.run("tee", self.quadlet, input=edited)
        self.assertIn("use --force", self.refused("create", "web", *WEB, *NGINX))
        self.assertEqual(self.read(), edited)
        again = (*WEB, "-v", "/tmp:/t:ro", "--force")
        self.assertIn("keep it with -v 'kept:/kept', or", self.refused("create", "web", *again, *NGINX))
        self.assertIn("'Volume=%h:/h'", self.refused("create", "web", *again, "-v", "kept:/kept", *NGINX))
        self.assertEqual(self.read(), edited)
        self.sockwake("create", "web", *again, "--drop-volumes", *NGINX)
        self.assertIn("nginx", harness.http(PORT))

    def test_a_container_of_somebody_else_outlives_all_of_it(self):
        self.sockwake("create", "web", *WEB, "--idle-timeout", "1s", *NGINX)
        self.scope.engine_run("run", "-d", "--name", "web", "--network=none", harness.SERVERS, "sleep", "1000")
        self.addCleanup(self.scope.engine_run, "rm", "-f", "-t", "0", "web", check=False)
        theirs = self.scope.engine_run("inspect", "--format", "{{.Id}}", "web").stdout
        self.assertIn("somebody else has made it", self.sockwake("attend").stderr)
        self.sockwake("set", "web", "--idle-timeout", "2s")
        self.assertEqual(self.scope.state("web.service"), "inactive")
        harness.refusal(PORT)
        self.assertIn("'podman rename web web-other' keeps it", self.sockwake("status", "web").stdout)
        self.scope.engine_run("stop", "-t", "0", "web")
        harness.refusal(PORT)
        self.assertEqual(self.scope.engine_run("inspect", "--format", "{{.Id}}", "web").stdout, theirs)
        self.scope.engine_run("rename", "web", "web-other")
        harness.eventually(lambda: self.scope.state("web.service") == "failed")
        self.assertIn("nginx", harness.http(PORT))
        self.scope.engine_run("rm", "-f", "web-other")
        self.sockwake("sleep", "web")
        self.scope.engine_run("run", "-d", "--name", "web", "--network=none", harness.SERVERS, "sleep", "1000")
        harness.refusal(PORT)
        said = self.sockwake("remove", "web", "--with-container").stdout
        self.assertIn("the container 'web' that there is was not made by it, and stays", said)
        self.assertEqual(self.scope.container_state("web"), "running")

    def strangers_container(self):
        """Somebody else's, which has the unit's container's name."""
        self.scope.engine_run("run", "-d", "--name", "web", "--network=none", harness.SERVERS, "sleep", "1000")
        self.addCleanup(self.scope.engine_run, "rm", "-f", "-t", "0", "web", check=False)
        return self.scope.container_pid("web")

    def test_without_podmans_service_its_command_says_whose_the_container_is(self):
        self.sockwake("create", "web", *WEB, *NGINX)
        self.scope.systemctl("stop", "podman.socket", "podman.service")
        self.addCleanup(self.scope.systemctl, "start", "podman.socket")
        theirs = self.strangers_container()
        harness.refusal(PORT)
        self.assertEqual(self.scope.container_pid("web"), theirs)
        self.scope.engine_run("rename", "web", "web-other")
        self.addCleanup(self.scope.engine_run, "rm", "-f", "-t", "0", "web-other")
        harness.eventually(lambda: self.scope.state("web.service") == "failed")
        self.assertIn("nginx", harness.http(PORT))

    def test_a_container_that_somebody_makes_while_the_unit_waits(self):
        """Whether it is known where Podman lists containers, or Podman has to be asked."""
        self.sockwake("create", "web", *WEB, *NGINX)
        drop_in = f"/run/systemd/{'system' if self.scope.is_system else 'user'}/web-container.service.d/waits.conf"
        os.makedirs(os.path.dirname(drop_in), exist_ok=True)
        self.addCleanup(harness.run, "rm", "-r", os.path.dirname(drop_in))
        for known in (False, True):
            with self.subTest(known=known):
                if known:
                    self.assertIn("nginx", harness.http(PORT))
                    self.sockwake("sleep", "web")
                with open(drop_in, "w") as file:
                    file.write("[Service]\nExecStartPre=/bin/sleep 60\n")
                self.scope.systemctl("daemon-reload")
                with harness.connect(PORT, timeout=30) as client:
                    harness.eventually(lambda: self.scope.state("web-container.service") == "activating")
                    theirs = self.strangers_container()
                    self.assertRaises(ConnectionResetError, client.recv, 1)
                self.assertEqual(self.scope.container_pid("web"), theirs)
                self.assertIn("'podman rename web web-other' keeps it", self.sockwake("status", "web").stdout)
                self.scope.engine_run("rm", "-f", "-t", "0", "web")
                harness.eventually(lambda: self.scope.state("web.service") == "failed")
                os.unlink(drop_in)
                self.scope.systemctl("daemon-reload")

    def test_words_that_quadlet_cannot_carry(self):
        for words in (("",), (";",), ("a\nb",)):
            result = self.sockwake("create", "web", *WEB, "--", *words, check=False)
            self.assertEqual(result.returncode, 2)
        self.assertEqual(self.traces(), [])
