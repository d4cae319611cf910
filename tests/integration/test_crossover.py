"""A client in a container of one account, `other`, wakes PostgreSQL in a container of another account, `wake`; and nobody
else gets there. docs/crossover.md describes it."""

import json
import os

import harness

ANY_RELEASE = True
PORT = 5432
DIRECTORY = "/srv/postgresql"
GROUP = "dbclients"
OWN_ADDRESS = harness.INSIDE[0]
GATEWAY = harness.OUTSIDE[0]  # the lab's default route leads there
PSQL = ("/usr/lib/postgresql/current/bin/psql", "--no-psqlrc", "-tAw", "-U", "postgres", "-c", "select 'woken'")
# pasta's options here are of Podman 5 and its passt.
PASTA = os.path.exists("/usr/lib/systemd/system-generators/podman-system-generator")


class CrossOver(harness.Case):
    """Account B is `wake`; account A is `other`, of which only the client's container is seen."""

    scopes = (harness.USER_PODMAN,)
    timeout = 120

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not harness.run("podman", "images", "--quiet", harness.SERVERS, user="other").stdout:
            harness.run("podman", "load", "--quiet", "--input", "/images/servers.tar", user="other")

    def setUp(self):
        super().setUp()
        self.scope.container("pg", "postgres", options=("--network=none",))

    def create(self, publish, *options):
        self.scope.sockwake("create", "pg", "-p", publish, "--idle-timeout=1h", *options)
        self.assertEqual(self.state(), "asleep")

    def state(self):
        return json.loads(self.scope.sockwake("status", "--json", "pg").stdout)["state"]

    def client(self, network, host, *options, port=PORT, user="other"):
        """Runs psql in a container; returns what it printed, or None when it could not connect."""
        container = ("podman", "run", "--rm", "--pull=never", f"--network={network}", *options, harness.SERVERS)
        connection = ("--dbname", f"host={host} port={port} connect_timeout=10")
        result = harness.run(*container, *PSQL, *connection, user=user, check=False, timeout=60)
        return result.stdout.strip() if result.returncode == 0 else None

    def assert_wakes(self, network, host, *options, **more):
        self.scope.sockwake("sleep", "pg")
        self.assertEqual(self.state(), "asleep")
        self.assertEqual(self.client(network, host, *options, **more), "woken", (network, host))
        self.assertEqual(self.state(), "awake")

    def assert_no_way_in(self):
        """What another account or machine could try against the container itself."""
        pid = self.scope.container_pid("pg")
        entered = harness.run("nsenter", f"--net=/proc/{pid}/ns/net", "true", user="other", check=False)
        self.assertNotEqual(entered.returncode, 0)
        for address in harness.INSIDE:
            refused = harness.outside("psql", *PSQL[1:], "-h", address, check=False)
            self.assertIn("refused", refused.stderr)


class Loopback(CrossOver):
    """B listens on the host's loopback; A's container is let through to that."""

    def setUp(self):
        super().setUp()
        self.create(f"127.0.0.1:{PORT}:5432")

    def test_slirp4netns(self):
        self.assertIsNone(self.client("slirp4netns", "10.0.2.2"))
        self.assert_wakes("slirp4netns:allow_host_loopback=true", "10.0.2.2")
        self.assert_no_way_in()

    def test_host_network(self):
        self.assert_wakes("host", "127.0.0.1")

    def test_none(self):
        self.assertIsNone(self.client("none", "127.0.0.1"))
        self.assertEqual(self.state(), "asleep")


if PASTA:

    class LoopbackByPasta(CrossOver):
        def setUp(self):
            super().setUp()
            self.create(f"127.0.0.1:{PORT}:5432")

        def test_without_an_option_nothing_leads_there(self):
            for host in ("127.0.0.1", "169.254.1.2", GATEWAY):
                self.assertIsNone(self.client("pasta", host), host)
            self.assertEqual(self.state(), "asleep")

        def test_one_port(self):
            self.assert_wakes(f"pasta:-T,{PORT}", "127.0.0.1")
            self.assert_no_way_in()

        def test_the_whole_loopback(self):
            self.assert_wakes("pasta:--map-gw", GATEWAY)
            self.assert_wakes("pasta:--map-host-loopback,169.254.1.3", "169.254.1.3")

    class Bridge(CrossOver):
        """From a bridge the host's loopback is out of reach until A's configuration says otherwise; the host's own address
        is not, for other machines neither."""

        def test_the_hosts_own_address(self):
            self.create(f"{OWN_ADDRESS}:{PORT}:5432")
            self.assert_wakes("podman", "host.containers.internal")
            reached = harness.outside("psql", *PSQL[1:], "-h", OWN_ADDRESS)
            self.assertEqual(reached.stdout.strip(), "woken")

        def test_the_loopback(self):
            """A's containers.conf(5) decides for all of A's bridges."""
            self.create(f"127.0.0.1:{PORT}:5432")
            self.assertIsNone(self.client("podman", "host.containers.internal"))
            self.assertEqual(self.state(), "asleep")
            path = f"{harness.pwd.getpwnam('other').pw_dir}/.config/containers/containers.conf"
            with open(path) as file:
                before = file.read()
            self.addCleanup(harness.run, "tee", path, input=before)
            options = '[network]\npasta_options = ["--map-host-loopback", "169.254.1.3"]\n'
            harness.run("tee", path, input=before + options)
            self.assert_wakes("podman", "169.254.1.3")


class UnixSocket(CrossOver):
    """B listens in a directory whose group both accounts' containers may use: no port at all."""

    def setUp(self):
        super().setUp()
        harness.run("groupadd", "--force", GROUP)
        harness.run("usermod", "--append", "--groups", GROUP, "other")
        harness.run("install", "--directory", "--owner=wake", f"--group={GROUP}", "--mode=2750", DIRECTORY)
        self.addCleanup(harness.run, "rm", "-rf", DIRECTORY)
        self.addCleanup(harness.run, "gpasswd", "--delete", "other", GROUP)
        self.create(f"{DIRECTORY}/.s.PGSQL.{PORT}:5432", "--socket-mode", "0660")

    def test_shared_directory(self):
        volume = ("--volume", f"{DIRECTORY}:{DIRECTORY}")
        self.assert_wakes("none", DIRECTORY, "--group-add=keep-groups", *volume)
        self.assert_no_way_in()

        self.assertIsNone(self.client("none", DIRECTORY, *volume), "a container without the account's groups")
        self.assertNotIn(f":{PORT} ", harness.run("ss", "-Hltn").stdout)

    def test_other_accounts_do_not_get_there(self):
        harness.run("useradd", "stranger", check=False)
        self.addCleanup(harness.run, "userdel", "stranger")
        argv = ("setpriv", "--reuid=stranger", "--regid=stranger", "--clear-groups", "psql", *PSQL[1:], "-h", DIRECTORY)
        refused = harness.run(*argv, check=False)
        self.assertIn("Permission denied", refused.stderr)
        self.assertEqual(self.state(), "asleep")
