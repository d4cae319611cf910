"""Installing: the README's lines as they stand there, once more while instances wake, in a home, and away again."""

import os
import stat
import threading

import harness

PORT = 6400
TREE = "sockwake-tree"  # in a home
PROGRAMS = "/usr/libexec/sockwake"
AGAIN = ("make", "-C", "/src", "BUILD=/var/tmp/sockwake-build", "PREFIX=/usr", "install")  # of what the lab has built
BUILD = "make -j2 OPTIMIZE='-O0 -Wno-format-truncation' FORTIFY= install"  # in half the time
ROUNDS = 20


def blocks_of_readme():
    """The blocks of commands under "Install", each a list of lines."""
    with open("/src/README.md") as file:
        section = file.read().split("\n## Install\n")[1].split("\n## ")[0]
    paragraphs = section.strip("\n").split("\n\n")
    return [[line.strip() for line in part.splitlines()] for part in paragraphs if part.startswith("    ")]


class InstallCase(harness.Case):
    scopes = (harness.USER_PODMAN,)
    timeout = 240

    def setUp(self):
        super().setUp()
        self.addCleanup(harness.run, "/src/tests/integration/lab/install", timeout=120)

    def copy(self):
        """A clean tree in the home of the user."""
        self.addCleanup(harness.run, "rm", "-rf", f"{self.scope.home}/{TREE}")
        self.scope.run("mkdir", TREE)
        self.scope.run("sh", "-c", f"tar -C /src --exclude=./build --exclude=./.git -c . | tar -C {TREE} -x")

    def typed(self, line, **options):
        """A line as the user types it in the tree. There is no sudo in the lab; what it does is done here: root runs the
        command, in the same directory, with hardly anything of the user's environment."""
        command = line.removeprefix("sudo ")
        user, variables = ("root", f"SUDO_USER={self.scope.user} ") if command != line else (self.scope.user, "")
        argv = ("bash", "-c", f"cd {self.scope.home}/{TREE} && {variables}{command}")
        return harness.run(*argv, user=user, timeout=180, **options)

    def redis_answers(self, *sockwake):
        """Creates an instance and wakes it."""
        self.scope.container("cache", "redis")
        argv = ("create", "cache", "-p", f"{PORT}:6379", "--idle-timeout=1h")
        self.scope.run(*(sockwake or ("sockwake",)), *argv)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")

    def programs_of_the_unit(self):
        return self.scope.systemctl("cat", "cache.service").stdout


class Readme(InstallCase):
    def test_word_for_word(self):
        install, away = blocks_of_readme()
        harness.run("make", "-C", "/src", "uninstall")
        self.assertFalse(os.path.exists("/usr/bin/sockwake"))
        self.copy()
        for line in install:
            self.typed(line)
        self.redis_answers()
        self.assertIn(f"ExecStart=:{PROGRAMS}/", self.programs_of_the_unit())
        self.assertNotIn("/usr/local/", self.programs_of_the_unit())

        # What root has made in the tree is in nobody's way.
        self.typed("make")
        self.assertIn("sudo make install", self.typed("make install", check=False).stderr)

        refused = self.typed("sudo make uninstall", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"  cache, of {self.scope.user}\n", refused.stderr)
        self.assertIn("sockwake remove --all", refused.stderr)
        for line in away:
            self.typed(line)
        self.assertFalse(os.path.exists("/usr/bin/sockwake"))
        self.assertFalse(os.path.exists(PROGRAMS))

    def test_uninstalled_by_force(self):
        self.redis_answers()
        self.assertNotEqual(harness.run("make", "-C", "/src", "uninstall", check=False).returncode, 0)
        self.assertTrue(os.path.exists(f"{PROGRAMS}/activator"))
        harness.run("make", "-C", "/src", "uninstall", "FORCE=1")
        self.assertFalse(os.path.exists(f"{PROGRAMS}/activator"))


class Home(InstallCase):
    any_release = True

    def test_installed_in_a_home(self):
        prefix = f"{self.scope.home}/.local"
        self.copy()
        self.typed(f"{BUILD} PREFIX={prefix}")
        for program in ("nshelper", "proxy"):
            mode = os.stat(f"{prefix}/libexec/sockwake/{program}").st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o111, program)
        first = self.typed(f"env PATH=/usr/bin:/bin {BUILD} PREFIX={prefix}").stderr
        self.assertIn("Another one, '/usr/bin/sockwake', comes before", first)
        self.redis_answers(f"{prefix}/bin/sockwake")
        self.assertIn(f"ExecStart=:{prefix}/libexec/sockwake/", self.programs_of_the_unit())

        # There is one for all users besides: which one is meant has to be said.
        self.scope.run(f"{prefix}/bin/sockwake", "remove", "--all")
        self.assertIn(f"  LIBEXECDIR={prefix}/libexec\n", self.typed("make uninstall", check=False).stderr)
        self.typed(f"make uninstall LIBEXECDIR={prefix}/libexec")
        self.assertFalse(os.path.exists(f"{prefix}/libexec/sockwake"))
        self.assertTrue(os.path.exists(f"{PROGRAMS}/activator"))


class Elsewhere(InstallCase):
    any_release = True

    def test_where_systemd_does_not_look(self):
        harness.run("make", "-C", "/src", "uninstall")
        self.copy()
        install = f"sudo {BUILD} PREFIX=/opt/sockwake"
        self.assertIn("no units in '/opt/sockwake/lib/systemd/system'", self.typed(install).stderr)
        where = "SYSTEMDIR=/etc/systemd/system USERDIR=/etc/systemd/user"
        self.assertNotIn("no units", self.typed(f"{install} {where}").stderr)
        self.redis_answers("/opt/sockwake/bin/sockwake")
        self.scope.run("/opt/sockwake/bin/sockwake", "remove", "--all")
        self.typed("sudo make uninstall PREFIX=/opt/sockwake")
        left = [name for name in os.listdir("/etc/systemd/system") if name.startswith("sockwake")]
        self.assertEqual(left, [])


class Replaced(InstallCase):
    any_release = True

    def watch(self, path):
        """Until the installations are over, a name always leads to a whole program."""
        size = os.path.getsize(path)
        while not self.over.is_set():
            try:
                found = os.stat(path)
            except FileNotFoundError:
                self.missed.append(f"{path} was missing")
                return
            if found.st_size != size or not found.st_mode & 0o100:
                self.missed.append(f"{path}: {found.st_size} of {size} bytes, mode {found.st_mode:o}")
                return

    def install(self):
        try:
            for _ in range(ROUNDS):
                harness.run(*AGAIN)
        except BaseException as error:
            self.missed.append(error)
        self.over.set()

    def test_with_another_spelling_of_the_prefix(self):
        """What was there before is not what has just been installed."""
        for prefix in ("/usr/", "/usr"):
            harness.run(*("PREFIX=" + prefix if word.startswith("PREFIX=") else word for word in AGAIN))
            self.assertTrue(os.path.exists(f"{PROGRAMS}/activator"))
        self.redis_answers()

    def test_while_instances_wake(self):
        self.redis_answers()
        self.missed, self.over = [], threading.Event()
        threads = [threading.Thread(target=self.watch, args=(f"{PROGRAMS}/activator",)), threading.Thread(target=self.install)]
        for thread in threads:
            thread.start()
        wakes = 0
        while wakes < ROUNDS or not self.over.is_set():
            self.scope.sockwake("sleep", "cache")
            self.assertEqual(harness.redis(PORT, "ping"), "PONG")
            wakes += 1
        for thread in threads:
            thread.join()
        self.assertEqual(self.missed, [])
        print(f"     {wakes} wakes during {ROUNDS} installations")
