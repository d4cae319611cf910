"""What servers learn about their clients: addresses and ports, told by the PROXY protocol or shown by --transparent,
also for those that waited during the wake."""

import ipaddress

import harness

PORT = 7900
WAITING = 8  # clients at a time
LOCAL = (("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "127.0.0.9"), ("::1", "::1"))  # where to, where from

# As whom servers see the clients of the host's loopback, and of the instance's Unix sockets.
OUTSIDERS = ("192.0.0.8", "100:0:0:1::8")

# Some releases of Docker switch IPv6 off where there is no network.
NO_NETWORK = ("--network=none", "--sysctl=net.ipv6.conf.all.disable_ipv6=0")


def url(host):
    return f"http://[{host}]:{PORT}/" if ":" in host else f"http://{host}:{PORT}/"


def curl(host, source):
    """Prints what the server saw, and what was so."""
    own = ("--write-out", " = %{local_ip} %{local_port}\n")
    return ("curl", "--silent", "--show-error", "--globoff", "--max-time", "30", "--interface", source, *own, url(host))


def is_loopback(client):
    """A client by "ADDRESS PORT"."""
    return ipaddress.ip_address(client.split()[0]).is_loopback


class Web(harness.Case):
    """nginx, which answers with what it knows about the client. `listen` are the values of its directives."""

    def nginx(self, answer, *listen, options=NO_NETWORK):
        listen = "".join(f"listen {value};" for value in listen)
        text = f'events {{}} http {{ server {{ {listen} location / {{ return 200 "{answer}"; }} }} }}'
        command = ("sh", "-c", 'echo "$1" >/tmp/conf; exec nginx -g "daemon off;" -c /tmp/conf', "sh", text)
        self.scope.container("web", *command, options=options)

    def create(self, *options):
        self.scope.sockwake("create", "web", "-p", f"{PORT}:80", *options)

    def check(self, line):
        seen, true = line.strip().split(" = ")
        self.assertEqual(seen, true)

    def waiting(self, host, source):
        """Clients that all come while the container sleeps."""
        self.scope.systemctl("stop", "web.service")
        clients = [harness.spawn(*curl(host, source), stdout=harness.subprocess.PIPE) for _ in range(WAITING)]
        outputs = [client.communicate()[0] for client in clients]
        for output in outputs:
            self.check(output)
        self.assertEqual(len({output.split()[-1] for output in outputs}), WAITING)

    def check_everywhere(self, local=LOCAL):
        for host, source in local:
            with self.subTest(host=host, source=source):
                self.waiting(host, source)
                self.check(harness.run(*curl(host, source)).stdout)
        for host, source in zip(harness.INSIDE, harness.OUTSIDE):
            if any(":" in host for host, _ in local) or ":" not in host:
                with self.subTest(host=host, source=source):
                    self.scope.systemctl("stop", "web.service")
                    self.check(harness.outside(*curl(host, source)).stdout)
                    self.check(harness.outside(*curl(host, source)).stdout)


class ProxyProtocol(Web):
    any_release = True
    ANSWER = "$proxy_protocol_addr $proxy_protocol_port"
    EVERYWHERE = ("80 proxy_protocol", "[::]:80 proxy_protocol")

    def check(self, line):
        seen, true = line.strip().split(" = ")
        if is_loopback(true):
            self.assertEqual(seen.split()[1], true.split()[1])
            self.assertIn(seen.split()[0], OUTSIDERS)
        else:
            super().check(line)

    def test_v1(self):
        self.nginx(self.ANSWER, *self.EVERYWHERE)
        self.create("--proxy-protocol=v1")
        self.check_everywhere()

    def test_v2(self):
        self.nginx(self.ANSWER, *self.EVERYWHERE)
        self.create("--proxy-protocol=v2")
        self.check_everywhere()

    def test_of_connections_that_were_accepted_before_the_wake(self):
        """By the activator, to check whether the client may wake."""
        self.nginx(self.ANSWER, *self.EVERYWHERE)
        self.create("--proxy-protocol=v2", "--no-wake-from=192.0.2.1")
        for host, source in LOCAL:
            with self.subTest(host=host, source=source):
                self.waiting(host, source)

    def test_where_the_client_wanted_to_go(self):
        self.nginx("$proxy_protocol_server_addr $proxy_protocol_server_port", *self.EVERYWHERE)
        for version in ("v1", "v2"):
            self.create(f"--proxy-protocol={version}", "--force")
            for host in ("127.0.0.1", "127.0.0.2", "::1", *harness.INSIDE):
                found = harness.run("curl", "--silent", "--globoff", url(host)).stdout
                self.assertEqual(found, f"{host} {PORT}")

    def test_the_health_check_says_it_too(self):
        """Before nginx was told who connects, it answers nothing."""
        self.nginx(self.ANSWER, *self.EVERYWHERE)
        for version in ("v1", "v2"):
            with self.subTest(version):
                self.create(f"--proxy-protocol={version}", "--health-check=http", "--startup-timeout=5", "--force")
                self.check(harness.run(*curl("127.0.0.1", "127.0.0.1")).stdout)

    def test_of_a_unix_socket_nothing_is_told(self):
        path = f"{self.scope.runtime_directory}/door/web"
        self.addCleanup(harness.run, "rm", "-rf", f"{self.scope.runtime_directory}/door")
        self.nginx("$remote_addr $proxy_protocol_addr.", *self.EVERYWHERE)
        for version in ("v1", "v2"):
            self.scope.sockwake("create", "web", "-p", f"{path}:80", f"--proxy-protocol={version}", "--force")
            found = self.scope.run("curl", "--silent", "--fail", "--unix-socket", path, "http://web/").stdout
            self.assertEqual(found, f"{OUTSIDERS[0]} .")


class Transparent(Web):
    ANSWER = "$remote_addr $remote_port"

    def check(self, line):
        seen, true = line.strip().split(" = ")
        if is_loopback(true):
            self.assertIn(seen.split()[0], OUTSIDERS)
        else:
            super().check(line)

    def test_of_connections_that_were_accepted_before_the_wake(self):
        """By the activator, to check whether the client may wake."""
        self.nginx(self.ANSWER, "80", "[::]:80")
        self.create("--transparent", "--no-wake-from=192.0.2.1")
        for host, source in LOCAL:
            with self.subTest(host=host, source=source):
                self.waiting(host, source)

    def test_server_on_all_addresses_without_a_network(self):
        self.nginx(self.ANSWER, "80", "[::]:80")
        self.create("--transparent")
        self.check_everywhere()

    def test_server_on_the_loopback_alone(self):
        self.nginx(self.ANSWER, "127.0.0.1:80")
        self.create("--transparent")
        self.check_everywhere(local=LOCAL[:2])
        # A client whose address cannot be shown is served all the same.
        seen, _ = harness.run(*curl("::1", "::1")).stdout.split(" = ")
        self.assertEqual(seen.split()[0], OUTSIDERS[0])

    def test_server_on_both_loopbacks(self):
        self.nginx(self.ANSWER, "127.0.0.1:80", "[::1]:80")
        self.create("--transparent")
        self.check_everywhere()

    def test_server_on_the_containers_own_address(self):
        network = "bridge" if self.scope.engine == "docker" else "podman"
        find = "address=$(hostname -I | cut -d ' ' -f 1)"
        text = f'events {{}} http {{ server {{ listen $address:80; location / {{ return 200 "\\$remote_addr \\$remote_port"; }} }} }}'
        command = ("sh", "-c", f'{find}; echo "{self.quoted(text)}" >/tmp/conf; exec nginx -g "daemon off;" -c /tmp/conf')
        self.scope.container("web", *command, options=(f"--network={network}",))
        self.create("--transparent")
        self.check_everywhere(local=LOCAL[:2])

    @staticmethod
    def quoted(text):
        return text.replace('"', '\\"')


class Database(harness.Case):
    """PostgreSQL behind --transparent."""

    any_release = True
    SEEN = "select host(inet_client_addr()) || ' ' || inet_client_port()"
    TRUE = rf"\! ss -tnH state established '( dport = :{PORT} )'"

    def psql(self, host, run=harness.run):
        """What the server says about the client, and what the machine says."""
        argv = ("psql", "--no-psqlrc", "-tA", "-h", host, "-p", str(PORT), "-U", "postgres")
        seen, true = run(*argv, "-c", self.SEEN, "-c", self.TRUE).stdout.splitlines()
        address, _, port = true.split()[2].rpartition(":")
        return seen, f"{address.strip('[]')} {port}"

    def check(self, hosts, run=harness.run):
        for host in hosts:
            with self.subTest(host):
                self.scope.systemctl("stop", "pg.service")
                for _ in range(2):
                    seen, true = self.psql(host, run)
                    if is_loopback(true):
                        self.assertIn(seen.split()[0], OUTSIDERS)
                    else:
                        self.assertEqual(seen, true)

    def test_on_all_addresses(self):
        self.scope.container("pg", "postgres", options=NO_NETWORK)
        self.scope.sockwake("create", "pg", "-p", f"{PORT}:5432", "--transparent")
        self.check(("127.0.0.1", "::1"))
        self.check(harness.INSIDE, harness.outside)

    def test_on_the_loopback_alone(self):
        self.scope.container("pg", "postgres", "-c", "listen_addresses=127.0.0.1", options=NO_NETWORK)
        self.scope.sockwake("create", "pg", "-p", f"{PORT}:5432", "--transparent")
        self.check(("127.0.0.1",))
        self.check(harness.INSIDE[:1], harness.outside)
