/* The units of two instances as a whole: one with every member set, and one with only those that it needs. */
#include "tests/unit/render_fixture.h"

static const char full_socket[] = "[Unit]\n"
				  "Description=Socket that wakes pg\n"
				  "Documentation=man:sockwake(1)\n"
				  "X-ManagedBy=sockwake\n"
				  "StartLimitIntervalSec=0\n"
				  "Wants=pg.timer\n"
				  "\n"
				  "[Socket]\n"
				  "ListenStream=5432\n"
				  "ListenDatagram=127.0.0.1:53\n"
				  "ListenStream=[2001:db8::1]:8080\n"
				  "ListenStream=/run/pg/%%s.sock\n"
				  "BindIPv6Only=both\n"
				  "FreeBind=yes\n"
				  "Backlog=65535\n"
				  "TriggerLimitIntervalSec=10s\n"
				  "TriggerLimitBurst=50\n"
				  "PassPacketInfo=yes\n"
				  "SocketMode=0666\n"
				  "RemoveOnStop=yes\n"
				  "SocketGroup=db\n"
				  "\n"
				  "[Install]\n"
				  "WantedBy=sockets.target\n";

static const char full_service[] =
	"[Unit]\n"
	"Description=pg, woken on demand\n"
	"Documentation=man:sockwake(1)\n"
	"X-ManagedBy=sockwake\n"
	"StartLimitIntervalSec=0\n"
	"Requires=pg.socket\n"
	"After=pg.socket sockwake-engines.target\n"
	"\n"
	"[Service]\n"
	"Type=notify\n"
	"NotifyAccess=main\n"
	"NonBlocking=yes\n"
	"KillMode=mixed\n"
	"OOMPolicy=continue\n"
	"Restart=on-abnormal\n"
	"RestartSec=0\n"
	"SuccessExitStatus=76\n"
	"RestartPreventExitStatus=76\n"
	"ExecStart=:" LIBEXECDIR "/keeper --name pg --startup-timeout 30 --no-wake-from 192.0.2.0/24"
	" --no-wake-from 2001:db8::/32 --no-wake-from 198.51.100.0/24"
	" --schedule \"Mon..Fri 08:30-17:15\" --schedule \"Sat,Sun 22:00-06:00\" --notify wake"
	" -- " LIBEXECDIR "/activator --name pg --backend podman --container pg"
	" --engine-socket /run/podman/podman.sock --unit \"db\\\\x2d1.service\" --keep-running"
	" --idle-action pause --startup-timeout 30 --with db --with-keep-running"
	" --with-port 5432 --with-health-check postgres --with cache --with-unit cache.service"
	" --with-keep-running -- " LIBEXECDIR "/nshelper --user sockwake --unreachable"
	" --outside-source --transparent -- " LIBEXECDIR "/proxy --forward 5432:5432"
	" --forward 127.0.0.1:53:5353/udp --forward [2001:db8::1]:8080:80"
	" --forward \"/run/pg/%%s.sock:5432\" --target 127.0.0.1 --target fd00::1"
	" --health-check listen --startup-timeout 30 --idle-timeout 15min --warm-for 30m"
	" --keepalive 1min --connection-timeout \"2h 30min\" --flow-timeout 3min"
	" --drain-timeout 0 --workers 3 --proxy-protocol v2 --transparent"
	" --no-hold-from 192.0.2.7 --no-hold-from 198.51.100.0/24 --hold data\n"
	"ExecStopPost=-:" LIBEXECDIR "/activator --sleep --name pg --backend podman --container pg"
	" --engine-socket /run/podman/podman.sock --unit \"db\\\\x2d1.service\" --keep-running"
	" --idle-action pause --with db --with-keep-running --with cache"
	" --with-unit cache.service --with-keep-running\n"
	"TimeoutStartSec=45\n"
	"TimeoutStopSec=280\n"
	"SyslogIdentifier=sockwake\n"
	"RuntimeDirectory=sockwake\n"
	"RuntimeDirectoryPreserve=yes\n"
	"LimitNOFILE=524288\n"
	"NoNewPrivileges=yes\n"
	"CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_KILL CAP_NET_ADMIN CAP_NET_RAW\n";

static const char full_timer[] = "[Unit]\n"
				 "Description=Schedule that keeps pg warm\n"
				 "Documentation=man:sockwake(1)\n"
				 "X-ManagedBy=sockwake\n"
				 "StartLimitIntervalSec=0\n"
				 "PartOf=pg.socket\n"
				 "\n"
				 "[Timer]\n"
				 "AccuracySec=1s\n"
				 "OnCalendar=Mon..Fri 08:30..59\n"
				 "OnCalendar=Mon..Fri 09..16:*\n"
				 "OnCalendar=Mon..Fri 17:00..14\n"
				 "OnCalendar=Sat..Sun 22..23:*\n"
				 "OnCalendar=Mon,Sun 00..05:*\n";

static const char small_socket[] = "[Unit]\n"
				   "Description=Socket that wakes web\n"
				   "Documentation=man:sockwake(1)\n"
				   "X-ManagedBy=sockwake\n"
				   "StartLimitIntervalSec=0\n"
				   "\n"
				   "[Socket]\n"
				   "ListenStream=5432\n"
				   "BindIPv6Only=both\n"
				   "FreeBind=yes\n"
				   "Backlog=65535\n"
				   "TriggerLimitIntervalSec=10s\n"
				   "TriggerLimitBurst=50\n"
				   "NoDelay=yes\n"
				   "\n"
				   "[Install]\n"
				   "WantedBy=sockets.target\n";

static const char small_service[] =
	"[Unit]\n"
	"Description=web, woken on demand\n"
	"Documentation=man:sockwake(1)\n"
	"X-ManagedBy=sockwake\n"
	"StartLimitIntervalSec=0\n"
	"Requires=web.socket\n"
	"After=web.socket sockwake-engines.target\n"
	"\n"
	"[Service]\n"
	"Type=notify\n"
	"NotifyAccess=main\n"
	"NonBlocking=yes\n"
	"KillMode=mixed\n"
	"OOMPolicy=continue\n"
	"Restart=on-abnormal\n"
	"RestartSec=0\n"
	"SuccessExitStatus=76\n"
	"RestartPreventExitStatus=76\n"
	"ExecStart=:" LIBEXECDIR "/keeper --name web --startup-timeout 30 -- " LIBEXECDIR "/activator"
	" --name web --backend podman --container web --idle-action stop --startup-timeout 30"
	" -- " LIBEXECDIR "/nshelper --unreachable -- " LIBEXECDIR "/proxy --forward 5432:5432"
	" --health-check listen --startup-timeout 30 --idle-timeout 15min\n"
	"ExecStopPost=-:" LIBEXECDIR "/activator --sleep --name web --backend podman --container web"
	" --idle-action stop\n"
	"TimeoutStartSec=45\n"
	"TimeoutStopSec=80\n"
	"SyslogIdentifier=sockwake\n"
	"RuntimeDirectory=sockwake\n"
	"RuntimeDirectoryPreserve=yes\n"
	"LimitNOFILE=524288\n"
	"NoNewPrivileges=yes\n";

/* The unit is this text and, in its place, the instance. */
static void expect(char *unit, const char *text, const struct instance *i)
{
	_cleanup_free_ char *json = instance_to_json(i), *config = value_of(unit, "X-InstanceConfig", 0);
	char *line = strstr(unit, "X-InstanceConfig="), *next = strchr(line, '\n') + 1;

	assert_string_equal(config, json);
	memmove(line, next, strlen(next) + 1);
	assert_string_equal(unit, text);
}

static void with_every_member(void **state)
{
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_rendered_ struct rendered r = render(&i);

	(void)state;
	expect(r.socket, full_socket, &i);
	expect(r.service, full_service, &i);
	expect(r.timer, full_timer, &i);
}

static void with_what_it_needs(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("web");
	_cleanup_rendered_ struct rendered r = render(&i);

	(void)state;
	expect(r.socket, small_socket, &i);
	expect(r.service, small_service, &i);
	assert_null(r.timer);
}

/* What a socket says depends on the kinds of its listeners. */
static void listeners(void **state)
{
	static const struct {
		const char *publish[2];
		bool no_delay, packet_info, path;
	} cases[] = {
		{{"80:80"}, true, false, false},
		{{"80:80", "53:53/udp"}, false, true, false},
		{{"80:80", "/run/x:80"}, false, false, true},
		{{"53:53/udp"}, false, true, false},
		{{"/run/x:80"}, false, false, true},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_instance_ struct instance i = small_instance("web");

		i.n_ports = 0;
		for (size_t m = 0; m < 2 && cases[k].publish[m]; m++)
			add_port(&i, cases[k].publish[m]);
		if (cases[k].path)
			i.socket_group = strdup("db");

		_cleanup_rendered_ struct rendered r = render(&i);

		assert_int_equal(strstr(r.socket, "\nNoDelay=yes\n") != NULL, cases[k].no_delay);
		assert_int_equal(strstr(r.socket, "\nPassPacketInfo=yes\n") != NULL, cases[k].packet_info);
		assert_int_equal(strstr(r.socket, "\nSocketMode=0660\nRemoveOnStop=yes\n") != NULL, cases[k].path);
		assert_int_equal(strstr(r.socket, "\nSocketGroup=db\n") != NULL, cases[k].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_every_member),
		cmocka_unit_test(with_what_it_needs),
		cmocka_unit_test(listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
