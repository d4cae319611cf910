/* cli/create_options.c and what `sockwake create --dry-run` prints: without a bus, an engine or rights. */
#include "tests/unit/instance_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/create_options.h"
#include "common/io.h"
#include "control/create_request.h"
#include "instance/health_check.h"

#define ARGS_MAX 64

/* Splits at spaces; a word may be quoted as in a shell. */
static int split(const char *line, char *argv[static ARGS_MAX], char *buffer)
{
	int argc = 0;

	strcpy(buffer, line);
	for (char *p = buffer; *p;) {
		char quote = *p == '"' || *p == '\'' ? *p++ : ' ';

		argv[argc++] = p;
		p += strcspn(p, (char[]){quote, '\0'});
		if (*p)
			*p++ = '\0';
		while (*p == ' ')
			p++;
	}
	argv[argc] = NULL;
	return argc;
}

static int parse(const char *line, struct create_request *r, struct error *err)
{
	char *argv[ARGS_MAX], buffer[8192];
	int argc = split(line, argv, buffer);

	return create_options_parse(argc, argv, r, err);
}

static struct create_request parsed(const char *line)
{
	struct create_request r;
	struct error err;

	if (parse(line, &r, &err) < 0)
		fail_msg("%s: %s", line, err.text);
	return r;
}

static void refused(const char *line, const char *word)
{
	_cleanup_create_request_ struct create_request r = {};
	struct error err = {};

	if (parse(line, &r, &err) == 0)
		fail_msg("accepted: %s", line);
	assert_int_equal(err.code, USAGE_ERROR);
	if (!strstr(err.text, word))
		fail_msg("%s: '%s' does not say '%s'", line, err.text, word);
}

/* --unit takes the name of the unit, or of the Quadlet's file that makes it. */
static void names_of_units(void **state)
{
	static const char *const names[] = {"app.service", "app.container", "app.kube"};

	(void)state;
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		_cleanup_create_request_ struct create_request r = {};
		char line[96];

		snprintf(line, sizeof(line), "create -p 80:80 --unit %s", names[k]);
		r = parsed(line);
		assert_string_equal(r.instance.unit, "app.service");
		assert_string_equal(r.instance.name, "app-wake");
	}
	refused("create -p 80:80 --unit app", "did you mean 'app.service'?");
	refused("create -p 80:80 --unit app.pod", "'app.pod' is a pod");
	refused("create -p 80:80 --unit app.socket", "nor of a Quadlet's file (NAME.container, NAME.kube)");
	refused("create -p 80:80 --unit .kube", "not the name of a service");
	refused("create -p 80:80 --unit 'a b'", "nor of a Quadlet's file");
}

#define ORIGINAL "create --name mysql5ram --listen-port 53303 --container-port 3303 --container-name mysql5ram"

static void original_command_line(void **state)
{
	_cleanup_create_request_ struct create_request r = parsed(ORIGINAL);

	(void)state;
	assert_string_equal(r.instance.name, "mysql5ram");
	assert_string_equal(r.instance.container_name, "mysql5ram");
	assert_int_equal(r.instance.n_ports, 1);
	assert_int_equal(r.instance.ports[0].port, 53303);
	assert_int_equal(r.instance.ports[0].container_port, 3303);
	assert_string_equal(r.instance.ports[0].address, "");
	assert_string_equal(r.instance.startup_timeout, "30s");
	assert_string_equal(r.instance.idle_timeout, "15min");
	assert_string_equal(r.instance.health_check, "listen");
	assert_int_equal(r.instance.scope, SCOPE_SYSTEM);
	assert_int_equal(r.instance.backend, BACKEND_DOCKER);
	assert_false(r.dry_run || r.force || r.instance.no_selinux);
	assert_true(r.original_ports);
}

static void original_options(void **state)
{
	_cleanup_create_request_ struct create_request r =
		parsed(ORIGINAL " --startup-timeout 30 --idle-timeout 15min --no-selinux --dry-run --force "
				"--health-check 'nc -z 127.0.0.1 {container_port}' --no-notifications --user nobody");
	_cleanup_create_request_ struct create_request none = parsed(ORIGINAL " --health-check none --user nobody");

	(void)state;
	assert_string_equal(r.instance.startup_timeout, "30");
	assert_string_equal(r.instance.health_check, "nc -z 127.0.0.1 {container_port}");
	assert_true(r.dry_run && r.force && r.instance.no_selinux);
	assert_false(r.instance.notifications);
	assert_null(r.instance.user);
	assert_string_equal(none.instance.health_check, "none");
	assert_true(none.instance.notifications);
	assert_string_equal(none.instance.user, "nobody");
}

static void whom_to_notify(void **state)
{
	(void)state;
	setenv("SUDO_USER", "nobody", 1);
	setenv("USER", "root", 1);

	_cleanup_create_request_ struct create_request sudo = parsed(ORIGINAL);

	assert_string_equal(sudo.instance.user, "nobody");
	unsetenv("SUDO_USER");

	_cleanup_create_request_ struct create_request root = parsed(ORIGINAL);

	assert_false(root.instance.notifications);
	assert_null(root.instance.user);
	refused(ORIGINAL " --user no-such-user", "no-such-user");
	refused(ORIGINAL " --scope user --user nobody", "only root's");
}

static void new_options(void **state)
{
	_cleanup_create_request_ struct create_request r = parsed(
		"create web -p 127.0.0.1:8080:80 --publish 53:53/udp -p /run/x:80 --container-name w --backend podman "
		"--target ::1 --target 10.0.0.2 --idle-action pause --engine-socket /run/e.sock --keep-running "
		"--keepalive 1min --connection-timeout 1h --drain-timeout 5s --workers 2 --proxy-protocol v1 "
		"--transparent --no-wake-from 192.0.2.0/24 --no-hold-from ::1 --ignore-from 198.51.100.7 --hold data --flow-timeout 3min --socket-mode 0600 --socket-group adm --json "
		"--warm-for 1h --schedule 'Mon..Fri 08:00-18:00' --schedule 22:00-06:00");

	(void)state;
	assert_string_equal(r.instance.name, "web");
	assert_int_equal(r.instance.n_ports, 3);
	assert_string_equal(r.instance.ports[2].path, "/run/x");
	assert_int_equal(r.instance.backend, BACKEND_PODMAN);
	assert_string_equal(r.instance.targets[1], "10.0.0.2");
	assert_null(r.instance.targets[2]);
	assert_int_equal(r.instance.idle_action, IDLE_PAUSE);
	assert_string_equal(r.instance.engine_socket, "/run/e.sock");
	assert_string_equal(r.instance.no_wake_from[0], "192.0.2.0/24");
	assert_string_equal(r.instance.ignore_from[0], "198.51.100.7");
	assert_string_equal(r.instance.hold, "data");
	assert_string_equal(r.instance.flow_timeout, "3min");
	assert_int_equal(r.instance.workers, 2);
	assert_string_equal(r.instance.warm_for, "1h");
	assert_string_equal(r.instance.schedule[0], "Mon..Fri 08:00-18:00");
	assert_string_equal(r.instance.schedule[1], "22:00-06:00");
	assert_true(r.instance.keep_running && r.instance.transparent && r.json);
	assert_false(r.original_ports);
}

static void defaults_of_names(void **state)
{
	_cleanup_create_request_ struct create_request plain = parsed("create pg -p 1:2");
	_cleanup_create_request_ struct create_request container = parsed("create --container-name pg -p 1:2");
	_cleanup_create_request_ struct create_request dotted = parsed("create --container-name shop.web.1 -p 1:2");
	_cleanup_create_request_ struct create_request dotted_unit = parsed("create --unit a.b.service -p 1:2");
	_cleanup_create_request_ struct create_request unit = parsed("create --unit db.service -p 1:2");

	(void)state;
	assert_string_equal(plain.instance.container_name, "pg");
	assert_string_equal(container.instance.name, "pg");
	assert_string_equal(dotted.instance.name, "shop-web-1");
	assert_string_equal(dotted.instance.container_name, "shop.web.1");
	assert_string_equal(dotted_unit.instance.name, "a-b-wake");
	refused("create shop.web -p 1:2", "sockwake create shop-web --container-name shop.web");
	refused("create /shop -p 1:2", "A-Z a-z 0-9 _ -");
	assert_string_equal(unit.instance.name, "db-wake");
	assert_string_equal(unit.instance.container_name, "systemd-db");
	assert_true(unit.container_assumed);
}

static void defaults_of_the_scope(void **state)
{
	_cleanup_create_request_ struct create_request r = parsed("create pg -p 1:2 --scope user");

	(void)state;
	assert_int_equal(r.instance.backend, BACKEND_PODMAN);
	assert_non_null(strstr(r.instance.engine_socket, "podman/podman.sock"));
}

static void the_environment_is_kept(void **state)
{
	(void)state;
	setenv("DOCKER_HOST", "unix:///run/other.sock", 1);

	_cleanup_create_request_ struct create_request r = parsed("create pg -p 1:2");

	unsetenv("DOCKER_HOST");
	assert_string_equal(r.instance.engine_socket, "/run/other.sock");
}

static void health_check_by_port(void **state)
{
	static const struct {
		const char *port, *check;
	} known[] = {{"1:5432", "postgres"},
		     {"1:6379", "redis"},
		     {"1:3306", "greeting"},
		     {"1:80", "listen"},
		     {"1:5432/udp", "listen"}};

	(void)state;
	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
		struct publish p;
		struct error err;

		assert_int_equal(publish_parse(known[k].port, &p, &err), 0);
		assert_string_equal(health_check_default(&p, NULL), known[k].check);
	}
}

static void health_check_by_the_name_of_a_socket(void **state)
{
	static const struct {
		const char *options, *check;
	} known[] = {
		{"-p /srv/pg/.s.PGSQL.5432:0 --target unix:/var/run/postgresql/.s.PGSQL.5432", "postgres"},
		{"-p 1:0 --target unix:/tmp/.s.PGSQL.6000", "postgres"},
		{"-p 1:0 --target unix:/tmp/.s.PGSQL.5432 --health-check none", "none"},
		{"-p /srv/x:0/seqpacket --target unix:/tmp/.s.PGSQL.5432", "listen"},
		{"-p 1:0 --target unix:/tmp/.s.PGSQL.", "listen"},
		{"-p 1:0 --target unix:/tmp/.s.PGSQL.5432.lock", "listen"},
		{"-p 1:0 --target unix:/tmp/.s.PGSQL.5432/x", "listen"},
		{"-p 1:0 --target unix:/tmp/redis.sock", "listen"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
		char line[256];

		snprintf(line, sizeof(line), "create app %s", known[k].options);
		_cleanup_create_request_ struct create_request r = parsed(line);

		assert_string_equal(r.instance.health_check, known[k].check);
	}
}

/* A slip of the finger would fail at every wake. */
static void words_that_are_no_check(void **state)
{
	struct error err;
	static const char *const good[] = {"http", "healthy", "true", "'htp; true'", "/opt/htp", "'htp x'", "htp$x"};

	(void)state;
	refused("create app -p 1:80 --health-check htp", "'htp' is no program in PATH");
	refused("create app -p 1:80 --health-check htp",
		"listen, postgres, redis, greeting, http, http:/PATH, healthy");
	refused("create app -p 1:80 --health-check HTTP", "'HTTP'");
	refused("create app -p 1:80 --with db:5432:postgre", "--with db: the health check 'postgre'");
	refused("create app -p 1:80 --with m::complete", "healthy, completed and none");
	refused("create app -p 1:80 --health-check complete", "healthy and none");
	refused("create app -p 1:80 --health-check '  '", "the health check '  ' is blank: use one of listen, ");
	refused("create app -p 1:80 --with 'db:5432: '", "the container 'db' in --with: the health check ' ' is blank");
	assert_int_equal(health_check_validate("htp", &err), 0); /* an instance that has it goes on */
	for (size_t k = 0; k < sizeof(good) / sizeof(*good); k++) {
		char line[128];

		snprintf(line, sizeof(line), "create app -p 1:80 --health-check %s", good[k]);
		_cleanup_create_request_ struct create_request r = parsed(line);
	}
}

static void other_containers(void **state)
{
	_cleanup_create_request_ struct create_request r = parsed(
		"create app -p 1:80 --with db:5432 --with cache --with web:80:http:/up --with x:6379 --with y:81 "
		"--with z::healthy --with-project");
	static const char *const expected[] = {"postgres", NULL, "http:/up", "redis", "listen", "healthy"};

	(void)state;
	assert_true(r.with_project);
	assert_int_equal(r.instance.n_dependencies, 6);
	for (size_t k = 0; k < 6; k++) {
		if (expected[k])
			assert_string_equal(r.instance.dependencies[k].health_check, expected[k]);
		else
			assert_null(r.instance.dependencies[k].health_check);
	}
	assert_string_equal(r.instance.dependencies[1].container, "cache");
	assert_int_equal(r.instance.dependencies[1].port, 0);
}

static void wrong_usage(void **state)
{
	(void)state;
	refused("create", "name");
	refused("create pg", "-p PORT:CPORT");
	refused("create pg --listen-port 1", "belong together");
	refused("create pg --listen-port 0 --container-port 1", "'0'");
	refused("create pg --listen-port 70000 --container-port 1", "70000");
	refused("create pg --listen-port 1x --container-port 1", "1x");
	refused("create pg -p nonsense", "nonsense");
	refused("create pg -p 1:2 -p 127.0.0.1:1:3", "127.0.0.1:1:3");
	refused("create pg -p 1:2 other", "one argument too many");
	refused("create pg -p 1:2 --image nginx serve", "the command of the container comes after '--'");
	refused("create pg -p 1:2 --name other", "two names");
	refused("create p.g -p 1:2", "p.g");
	refused("create pg -p 1:2 --container-name 'a b'", "a b");
	refused("create pg -p 1:2 --idle-timeout soon", "soon");
	refused("create pg -p 1:2 --warm-for soon", "soon");
	refused("create pg -p 1:2 --warm-for 0", "more than 0");
	refused("create pg -p 1:2 --schedule 'Fri..Mon 08:00-18:00'", "'Fri..Mon 08:00-18:00'");
	refused("create pg -p 1:2 --scope galaxy", "galaxy");
	refused("create pg -p 1:2 --backend lxc", "lxc");
	refused("create pg -p 1:2 --idle-action nap", "nap");
	refused("create pg -p 1:2 --workers 0", "'0'");
	refused("create pg -p 1:2 --no-wake-from 300.0.0.0/8", "--no-wake-from");
	refused("create pg -p 1:2 --engine-socket relative", "relative");
	refused("create pg -p 1:2 --unit pg.service", "another name");
	refused("create pg -p 1:2 --unknown", "--unknown");
	refused("create pg -p 1:2 --force=yes", "--force=yes");
	refused("create pg -p 1:2 --with", "--with");
	refused("create pg -p 1:2 --with pg", "own container");
	refused("create pg -p 1:2 --with db --with db:1", "twice");
	refused("create pg -p 1:2 --with db:x", "'x'");
	refused("create pg -p 1:2 --with a/b", "a/b");
	refused("create pg -p 1:2 --with db::redis", "needs a port");
	refused("create pg -p 1:2 --with a1 --with a2 --with a3 --with a4 --with a5 --with a6 --with a7 --with a8 --with a9 "
		"--with b1 --with b2 --with b3 --with b4 --with b5 --with b6 --with b7 --with b8",
		"16");
	refused("create pg -p", "-p");
	refused("create pg -x", "-x");
}

struct output {
	int status;
	char out[65536], err[8192];
};

static void drain(int fd, char *ret, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len + 1 < size && (n = read(fd, ret + len, size - len - 1)) > 0)
		len += (size_t)n;
	ret[len] = '\0';
	close(fd);
}

/* Runs the program in a child, as nobody, without an environment. */
static void run_as_nobody(const char *line, struct output *ret)
{
	int out[2], err[2];
	char *argv[ARGS_MAX], buffer[8192];
	int argc = split(line, argv, buffer);
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		clearenv();
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(99);
		exit(sockwake(argc, argv));
	}
	close(out[1]);
	close(err[1]);
	drain(out[0], ret->out, sizeof(ret->out));
	drain(err[0], ret->err, sizeof(ret->err));
	assert_int_equal(waitpid(pid, &ret->status, 0), pid);
	assert_true(WIFEXITED(ret->status));
	ret->status = WEXITSTATUS(ret->status);
}

static void dry_run_needs_nothing(void **state)
{
	struct output o;

	(void)state;
	run_as_nobody("sockwake " ORIGINAL " --dry-run", &o);
	assert_int_equal(o.status, 0);
	assert_string_equal(o.err, "");
	assert_non_null(strstr(o.out, "# --- mysql5ram.socket ---\n[Unit]\n"));
	assert_non_null(strstr(o.out, "# --- mysql5ram.service ---\n[Unit]\n"));
	assert_non_null(strstr(o.out, "\nListenStream=53303\n"));
	assert_null(strstr(o.out, ".timer"));
	run_as_nobody("sockwake " ORIGINAL " --dry-run --schedule 08:00-09:00", &o);
	assert_int_equal(o.status, 0);
	assert_non_null(strstr(o.out, "# --- mysql5ram.timer ---\n[Unit]\n"));
	assert_non_null(strstr(o.out, "\nOnCalendar=08:*\n"));
}

static void a_dry_run_says_what_it_does_not_know(void **state)
{
	struct output o;

	(void)state;
	run_as_nobody("sockwake create app -p 1:2 --dry-run --with db:5432", &o);
	assert_int_equal(o.status, 0);
	assert_string_equal(o.err, "");
	assert_non_null(strstr(o.out, " --with db --with-port 5432 --with-health-check postgres --"));
	run_as_nobody("sockwake create app -p 1:2 --dry-run --with db --with-project", &o);
	assert_int_equal(o.status, 0);
	assert_non_null(strstr(o.err, "the port of 'db'"));
	assert_non_null(strstr(o.err, "--with-project"));
	assert_non_null(strstr(o.out, " --with db -- "));
}

static void expect_advice(const char *options, const char *advice)
{
	char command[256];
	struct output o;

	snprintf(command, sizeof(command), "sockwake create app --dry-run %s", options);
	run_as_nobody(command, &o);
	assert_int_equal(o.status, 0);
	if (advice ? !strstr(o.err, advice) : *o.err)
		fail_msg("%s: %s", options, o.err);
}

static void surprises_are_noted(void **state)
{
	(void)state;
	expect_advice("-p 1:80", "--health-check http");
	expect_advice("-p 1:80 --health-check listen", NULL);
	expect_advice("-p 1:81", NULL);
	expect_advice("-p 1:80/udp", NULL);
	expect_advice("-p 1:2 --no-wake-from 192.0.2.7", "--ignore-from 192.0.2.7");
	expect_advice("-p 1:2 --no-wake-from 192.0.2.0/24 --no-hold-from 192.0.2.7", "--ignore-from 192.0.2.0/24");
	expect_advice("-p 1:2 --no-wake-from 192.0.2.7 --no-hold-from 192.0.2.0/24", NULL);
	expect_advice("-p 1:2 --no-wake-from 192.0.2.7 --ignore-from 192.0.2.0/24", NULL);
	expect_advice("-p 1:2 --no-hold-from 192.0.2.7", NULL);
}

static void errors_are_one_sentence(void **state)
{
	struct output o;

	(void)state;
	run_as_nobody("sockwake create pg -p 'a\n\x1b[31mb'", &o);
	assert_int_equal(o.status, 2);
	assert_string_equal(o.out, "");
	assert_ptr_equal(strchr(o.err, '\n'), o.err + strlen(o.err) - 1);
	assert_null(strchr(o.err, '\x1b'));
	run_as_nobody("sockwake status --json --name none", &o);
	assert_int_equal(o.status, 1);
	assert_memory_equal(o.err, "{\"error\":\"", 10);
	run_as_nobody("sockwake create pg -p 1:2 --scope system", &o);
	assert_int_equal(o.status, 1);
	assert_non_null(strstr(o.err, "root"));
	run_as_nobody("sockwake wake pg --for 0", &o);
	assert_int_equal(o.status, 2);
	run_as_nobody("sockwake wake pg --for infinity", &o);
	assert_int_equal(o.status, 2);
	assert_non_null(strstr(o.err, "'infinity'"));
	run_as_nobody("sockwake sleep pg --for 1h", &o);
	assert_int_equal(o.status, 2);
	run_as_nobody("sockwake remove --all --name pg", &o);
	assert_int_equal(o.status, 2);
	run_as_nobody("sockwake remove", &o);
	assert_int_equal(o.status, 2);
}

static void help_and_version(void **state)
{
	struct output o;

	(void)state;
	run_as_nobody("sockwake --help", &o);
	assert_int_equal(o.status, 0);
	assert_non_null(strstr(o.out, "create"));
	run_as_nobody("sockwake create --help", &o);
	assert_int_equal(o.status, 0);
	assert_non_null(strstr(o.out, "--listen-port"));
	run_as_nobody("sockwake --version", &o);
	assert_string_equal(o.out, "sockwake " VERSION "\n");
	run_as_nobody("sockwake nonsense", &o);
	assert_int_equal(o.status, 2);
	run_as_nobody("sockwake", &o);
	assert_int_equal(o.status, 2);
}

static char *read_text(const char *path)
{
	char *text = NULL;
	struct error err;

	if (file_read(AT_FDCWD, path, 1 << 20, &text, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

/* As the manual spells it. */
static void expect_label(const char *manual, const char *label)
{
	char spelled[128] = "sockwake.";

	for (; *label; label++)
		strncat(spelled, *label == '-' ? "\\-" : label, *label == '-' ? 2 : 1);
	if (!strstr(manual, spelled))
		fail_msg("man/sockwake.1 does not have '%s'", spelled);
}

static void every_label_is_in_the_manual(void **state)
{
	_cleanup_free_ char *manual = read_text("man/sockwake.1");
	const struct option_row *row = adopt_command.options->rows;
	size_t n = 0;

	(void)state;
	while (row->option)
		row++;
	for (const char *p = row->help; (p = strstr(p, "sockwake.")); n++) {
		char label[64] = "";

		p += strlen("sockwake.");
		strncat(label, p, strspn(p, "abcdefghijklmnopqrstuvwxyz-"));
		expect_label(manual, label);
	}
	assert_int_equal(n, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(original_command_line),
		cmocka_unit_test(names_of_units),
		cmocka_unit_test(original_options),
		cmocka_unit_test(whom_to_notify),
		cmocka_unit_test(new_options),
		cmocka_unit_test(defaults_of_names),
		cmocka_unit_test(defaults_of_the_scope),
		cmocka_unit_test(the_environment_is_kept),
		cmocka_unit_test(health_check_by_port),
		cmocka_unit_test(health_check_by_the_name_of_a_socket),
		cmocka_unit_test(words_that_are_no_check),
		cmocka_unit_test(other_containers),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(dry_run_needs_nothing),
		cmocka_unit_test(a_dry_run_says_what_it_does_not_know),
		cmocka_unit_test(surprises_are_noted),
		cmocka_unit_test(errors_are_one_sentence),
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(every_label_is_in_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
