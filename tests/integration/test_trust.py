"""The client address that servers see and trust: sockwake's clients are not local, unless --target says so."""

import json
import re
import socket

import harness
import servers

PORT = 7960
OUTSIDERS = ("192.0.0.8", "100:0:0:1::8")

# Some releases of Docker switch IPv6 off without a network.
NO_NETWORK = ("--network=none", "--sysctl=net.ipv6.conf.all.disable_ipv6=0")
NGINX = 'echo "events {} http { %s }" >/tmp/conf; exec nginx -g "daemon off;" -c /tmp/conf'
OWN = "own=$(hostname -I | cut -d ' ' -f 1); "


class TrustCase(harness.Case):
    def on_a_bridge(self):
        return (f"--network={'bridge' if self.scope.engine == 'docker' else 'podman'}",)

    def nginx(self, *listens, options=NO_NETWORK, rule="", answer="return 200 \\$remote_addr;", name="web"):
        """One server for each of the `listen` directives, which answers with the client's address. $own is the
        container's address."""
        text = " ".join(f"server {{ listen {listen}; {rule} location / {{ {answer} }} }}" for listen in listens)
        self.scope.container(name, "sh", "-c", OWN + NGINX % text, options=options)

    def create(self, *options, name="web", ports=(80,)):
        publish = [word for index, port in enumerate(ports) for word in ("-p", f"{PORT + index}:{port}")]
        self.scope.sockwake("create", name, *publish, "--idle-timeout=1h", "--startup-timeout=10s", *options)

    def seen(self, index=0):
        return harness.http(PORT + index)


class Web(TrustCase):
    def test_wherever_the_server_listens(self):
        listens = ("80", "127.0.0.1:81", "[::1]:82", "$own:83", "[::]:84")
        self.nginx(*listens, options=(*self.on_a_bridge(), NO_NETWORK[1]))
        ports = range(80, 85)
        self.create(ports=ports)
        for index, expected in enumerate((OUTSIDERS[0], OUTSIDERS[0], OUTSIDERS[1], OUTSIDERS[0], OUTSIDERS[1])):
            self.assertEqual(self.seen(index), expected, listens[index])
        self.scope.systemctl("stop", "web.service")  # paused or started anew, a second wake finds its route
        self.assertEqual(self.seen(), OUTSIDERS[0])

    def test_allow_and_deny(self):
        # A "return" would come before the rule.
        self.nginx("80", rule="root /tmp; allow 127.0.0.1; allow ::1; deny all;", answer="try_files /conf =404;")
        for options, status in ((), "403"), (("--target=127.0.0.1", "--force"), "200"):
            self.create(*options)
            write = ("--output", "/dev/null", "--write-out", "%{http_code}")
            self.assertEqual(harness.run("curl", "--silent", *write, f"http://127.0.0.1:{PORT}/").stdout, status, options)

    def test_target_asks_for_the_old(self):
        self.nginx("80", "[::1]:80")
        for target in ("127.0.0.1", "::1"):
            self.create(f"--target={target}", "--force")
            self.assertEqual(self.seen(), target)
            self.assertIn("local ones", self.scope.sockwake("status", "web").stdout)
            self.assertEqual(json.loads(self.scope.sockwake("status", "web", "--json").stdout)["clients_appear"], "local")

    def test_ipv6_is_off(self):
        self.nginx("80", options=("--network=none", "--sysctl=net.ipv6.conf.all.disable_ipv6=1"))
        self.create()
        self.assertEqual(self.seen(), OUTSIDERS[0])

    def test_health_checks_come_from_outside(self):
        only = f"if (\\$remote_addr != {OUTSIDERS[0]}) {{ return 503; }}"
        self.nginx("80", rule=only, name="db")
        self.nginx("80", rule=only)
        self.create("--health-check=http", "--with=db:80:http")
        self.assertEqual(self.seen(), OUTSIDERS[0])

    def test_an_instance_of_before(self):
        """It keeps its behaviour, says so, and changes when refreshed."""
        self.nginx("80")
        self.create()
        for suffix in ("service", "socket"):
            path = f"{self.scope.unit_directory}/web.{suffix}"
            with open(path, encoding="utf-8") as file:
                text = re.sub(r' --outside-source|,"outside_source":true| CAP_NET_ADMIN', "", file.read())
            self.scope.run("tee", path, input=text)
        self.scope.systemctl("daemon-reload")
        self.assertEqual(self.seen(), "127.0.0.1")
        self.assertIn("'sockwake refresh web'", self.scope.sockwake("status", "web").stdout)
        self.assertEqual(json.loads(self.scope.sockwake("status", "web", "--json").stdout)["clients_appear"], "local")
        self.scope.systemctl("stop", "web.service")
        self.scope.sockwake("refresh", "web")
        self.assertNotIn("refresh", self.scope.sockwake("status", "web").stdout)
        self.assertEqual(json.loads(self.scope.sockwake("status", "web", "--json").stdout)["clients_appear"], "outside")
        self.assertEqual(self.seen(), OUTSIDERS[0])


class HostsNetwork(TrustCase):
    """Nothing is installed there; the proxy connects to a host address."""

    def test_on_all_addresses(self):
        self.nginx(str(PORT + 10), options=("--network=host",))
        before = self.routes()
        self.create(ports=(PORT + 10,))
        self.assertNotIn(self.seen(), ("127.0.0.1", *OUTSIDERS))
        self.assertEqual(self.routes(), before)

    def routes(self):
        """Whether anything is on a bridge at the moment does not matter."""
        return harness.run("ip", "route", "show", "table", "all").stdout.replace(" linkdown", "")

    def test_on_loopback_alone(self):
        self.nginx(f"127.0.0.1:{PORT + 10}", options=("--network=host",))
        self.create("--startup-timeout=1s", ports=(PORT + 10,))
        harness.refusal(PORT)
        self.assertIn("'--target 127.0.0.1'", "".join(self.scope.unit_journal("web")))
        self.create("--target=127.0.0.1", "--force", ports=(PORT + 10,))
        self.assertEqual(self.seen(), "127.0.0.1")


class Databases(TrustCase):
    any_release = True
    timeout = 150
    HBA = "".join(
        f"host {database} all {address} trust\n"
        for database, address in (
            ("postgres", "127.0.0.1/32"),
            ("postgres", "::1/128"),
            ("postgres", "samehost"),
            ("postgres", "samenet"),
        )
    )

    def sql(self, **options):
        return harness.psql(PORT, "select host(inet_client_addr())", **options)

    def test_postgresql(self):
        """Trust for local clients and networks, a password from others."""
        write = f'printf "{self.HBA}host all all all scram-sha-256\\n" >/tmp/hba; exec serve postgres -c hba_file=/tmp/hba "$@"'
        for options, listens in ((NO_NETWORK, ("*", "127.0.0.1")), (self.on_a_bridge(), ("*",))):
            for listen in listens:
                with self.subTest(options=options, listen=listen):
                    self.scope.container("pg", "sh", "-c", write, "sh", "-c", f"listen_addresses={listen}", options=options)
                    self.create(name="pg", ports=(5432,))
                    argv = ("psql", "-w", "--no-psqlrc", "-h", "127.0.0.1", "-p", str(PORT), "-U", "postgres", "-c", "select 1")
                    self.assertIn("no password supplied", harness.run(*argv, check=False).stderr)
                    if listen == "127.0.0.1":
                        self.create("--target=127.0.0.1", "--force", name="pg", ports=(5432,))
                        harness.run(*argv)
                    self.scope.sockwake("remove", "pg")
                    self.scope.engine_run("rm", "--force", "pg")

    # Its root comes from localhost alone, without a password.
    MARIADB = (
        "export HOME=/tmp PATH=/usr/sbin:/usr/bin:/bin; echo root:x:0:0::/: >/etc/passwd; [ -e /tmp/db ] || mariadb-install-db --no-defaults --user=root "
        "--datadir=/tmp/db --skip-test-db --auth-root-authentication-method=normal >/dev/null && "
        'exec mariadbd --no-defaults --user=root --datadir=/tmp/db --socket=/tmp/socket "--bind-address=$0"'
    )

    def test_mariadb(self):
        connect = ("--protocol=tcp", "--skip-ssl", "--host=127.0.0.1", f"--port={PORT}", "--user=root")
        ask = ("mariadb", "--no-defaults", *connect, "--skip-column-names", "--execute=select user()")
        for listen in ("*", "127.0.0.1"):
            with self.subTest(listen):
                command = ("sh", "-c", self.MARIADB, listen)
                self.scope.container("db", *command, image=harness.BUSYBOX, options=(*servers.PYTHON, *NO_NETWORK))
                create = ("create", "db", "-p", f"{PORT}:3306", "--startup-timeout=60s")
                self.scope.sockwake(*create)
                self.assertIn(f"'{OUTSIDERS[0]}' is not allowed", harness.run(*ask, check=False).stderr)
                self.scope.sockwake(*create, "--target=127.0.0.1", "--force")
                self.assertEqual(harness.run(*ask).stdout, "root@localhost\n")
                self.scope.sockwake("remove", "db")
                self.scope.engine_run("rm", "--force", "db")

    def test_redis_in_protected_mode(self):
        """Refuses all but local clients at once: it is ready."""
        self.scope.container("cache", "redis", "--protected-mode", "yes", options=NO_NETWORK)
        self.create(name="cache", ports=(6379,))
        self.assertIn("DENIED", harness.redis(PORT, "ping"))
        self.assertIn("protected mode", "".join(self.scope.unit_journal("cache", since=self.started)))
        self.create("--target=127.0.0.1", "--force", name="cache", ports=(6379,))
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")


class Datagrams(TrustCase):
    ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
while True:
    data, client = s.recvfrom(99)
    s.sendto(client[0].encode(), client)
"""

    def test_wherever_the_server_listens(self):
        for listen, expected in (("0.0.0.0", OUTSIDERS[0]), ("127.0.0.1", OUTSIDERS[0]), ("::1", OUTSIDERS[1]), ("::", OUTSIDERS[0])):
            with self.subTest(listen):
                command = servers.python(self.ECHO, listen)
                self.scope.container("udp", *command, image=harness.BUSYBOX, options=(*servers.PYTHON, *NO_NETWORK))
                self.scope.sockwake("create", "udp", "-p", f"{PORT}:53/udp", "--startup-timeout=10s")
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.settimeout(20)
                    client.sendto(b"?", ("127.0.0.1", PORT))
                    self.assertEqual(client.recv(99).decode().removeprefix("::ffff:"), expected)
                self.scope.sockwake("remove", "udp")
                self.scope.engine_run("rm", "--force", "udp")
