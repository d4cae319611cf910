/* cli/labels.c: what labels may ask for; and what `create --image` takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers" /* literals, where the program would own strings */

#include "cli/arguments.h"
#include "cli/create_options.h"
#include "cli/labels.h"
#include "common/cleanup.h"
#include "control/wish.h"

#define LABELS_MAX 12

/* A container with labels, as key, value, key, value, …, NULL. */
static struct container labelled(struct label labels[static LABELS_MAX], ...)
{
	struct container c = {.name = "pg", .labels = labels};
	const char *key;
	va_list ap;

	va_start(ap, labels);
	while ((key = va_arg(ap, const char *)))
		labels[c.n_labels++] = (struct label){(char *)key, va_arg(ap, char *)};
	va_end(ap);
	return c;
}

static const struct instance base = {
	.scope = SCOPE_SYSTEM, .backend = BACKEND_PODMAN, .engine_socket = "/run/podman/podman.sock"};

#define P "sockwake.publish"

static void options_are_named_as_labels(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"", ""},
		{"'--with db:PORT' waits", "'sockwake.with=db:PORT' waits"},
		{"the job's end: '--with db::completed'", "the job's end: 'sockwake.with=db::completed'"},
		{"name it with --with", "name it with sockwake.with"},
		{"--with-project finds '--keep-running'", "sockwake.with-project finds 'sockwake.keep-running'"},
		{"'docker create --name web' or --name web", "'docker create --name web' or sockwake.name web"},
		{"'podman rm --force x', --no-boot, --withal", "'podman rm --force x', --no-boot, --withal"},
		{"an open 'mark --name", "an open 'mark sockwake.name"},
	};
	char text[256];

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		text[0] = '\0';
		labels_name_options(rows[k].text, text, sizeof(text));
		assert_string_equal(text, rows[k].expected);
	}
	labels_name_options("--with", text, 8);
	assert_string_equal(text, "sockwak");
}

static void all_labels(void **state)
{
	struct label l[LABELS_MAX], m[LABELS_MAX];
	struct container c =
		labelled(l, P, "127.0.0.1:8080:80, 53:53/udp", "sockwake.name", "web", "sockwake.idle-timeout", "5min",
			 "sockwake.idle-action", "pause", "sockwake.health-check", "http:/up", "sockwake.keep-running",
			 "true", "com.docker.compose.project", "x", "sockwake.made-for", "pg", NULL);
	struct container d =
		labelled(m, P, "5432:5432", "sockwake.target", "10.0.0.1,::1", "sockwake.no-wake-from", "192.0.2.0/24",
			 "sockwake.workers", "2", "sockwake.keep-running", "false", "sockwake.connection-timeout", "1h",
			 "sockwake.warm-for", "30min", "sockwake.schedule", "Sat,Sun 08:00-18:00; 22:00-23:00",
			 "sockwake.with", "db:5432, cache", "sockwake.with-project", "true", NULL);
	_cleanup_create_request_ struct create_request r = {}, s = {};
	struct error err = {};

	(void)state;
	if (labels_to_request(&c, &base, &r, &err) < 0 || labels_to_request(&d, &base, &s, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(r.instance.name, "web");
	assert_string_equal(r.instance.container_name, "pg");
	assert_int_equal(r.instance.backend, BACKEND_PODMAN);
	assert_string_equal(r.instance.engine_socket, "/run/podman/podman.sock");
	assert_int_equal(r.instance.n_ports, 2);
	assert_string_equal(r.instance.ports[0].address, "127.0.0.1");
	assert_int_equal(r.instance.ports[1].type, SOCK_DGRAM);
	assert_string_equal(r.instance.idle_timeout, "5min");
	assert_string_equal(r.instance.health_check, "http:/up");
	assert_int_equal(r.instance.idle_action, IDLE_PAUSE);
	assert_true(r.instance.keep_running && r.instance.adopted);
	assert_false(r.instance.notifications);

	assert_string_equal(s.instance.name, "pg");
	assert_string_equal(s.instance.health_check, "postgres");
	assert_string_equal(s.instance.targets[1], "::1");
	assert_string_equal(s.instance.no_wake_from[0], "192.0.2.0/24");
	assert_int_equal(s.instance.workers, 2);
	assert_string_equal(s.instance.warm_for, "30min");
	assert_string_equal(s.instance.schedule[0], "Sat,Sun 08:00-18:00");
	assert_string_equal(s.instance.schedule[1], "22:00-23:00");
	assert_null(s.instance.schedule[2]);
	assert_false(s.instance.keep_running);
	assert_int_equal(s.instance.n_dependencies, 2);
	assert_string_equal(s.instance.dependencies[0].health_check, "postgres");
	assert_string_equal(s.instance.dependencies[1].container, "cache");
	assert_true(s.with_project);
	assert_false(r.with_project);
}

static void no_wishes(void **state)
{
	struct label l[LABELS_MAX];
	struct container c = labelled(l, "sockwake.made-for", "pg", "com.docker.compose.service", "x", NULL);

	(void)state;
	assert_false(wish_is_there(&c));
	c = labelled(l, "sockwake.", "", NULL);
	assert_true(wish_is_there(&c));
}

static void refused(const char *key, const char *value, const char *word)
{
	_cleanup_create_request_ struct create_request r = {};
	struct label l[LABELS_MAX];
	struct container c = labelled(l, strcmp(key, P) == 0 ? "com.docker.compose.x" : P, "1:2", key, value, NULL);
	struct error err = {};

	if (labels_to_request(&c, &base, &r, &err) == 0)
		fail_msg("accepted: %s=%s", key, value);
	assert_int_not_equal(err.code, USAGE_ERROR);
	if (!strstr(err.text, "'pg'") || !strstr(err.text, key) || !strstr(err.text, word))
		fail_msg("%s=%s: '%s' does not say '%s'", key, value ? value : "(none)", err.text, word);
}

static void hostile_labels(void **state)
{
	static const char *const specs[] = {"",		  "80-",      "80:",	"x:80",	   "0:80",	    "80:0",
					    "80:80/sctp", "80:80,",   ",80:80", "1:2,1:3", "80:80 --force", "$x:80",
					    "%h:80",	  "::1:80:80"};

	(void)state;
	for (size_t k = 0; k < sizeof(specs) / sizeof(*specs); k++)
		refused(P, specs[k], "");
	refused(P, "/etc/cron.d/x:80", "path of the host");
	refused(P, "80:80,/run/x:80", "path of the host");
	refused(P, NULL, "printable");
	refused("sockwake.idle-timeout", NULL, "printable");
	refused("sockwake.idle-timeout", "1min\"", "time span");
	refused("sockwake.idle-timeout", "", "");
	refused("sockwake.idle-timout", "1min", "no such label");
	refused("sockwake.name", "../x", "A-Z");
	refused("sockwake.name", "a.b", "A-Z");
	refused("sockwake.name", "x --force", "A-Z");
	refused("sockwake.health-check", "touch /tmp/x", "commands");
	refused("sockwake.health-check", "http:/x; touch", "http:/PATH");
	refused("sockwake.health-check", "listen\n", "commands");
	refused("sockwake.health-check", "htp", "listen, postgres, redis, greeting, http");
	refused("sockwake.keep-running", "yes", "true nor false");
	refused("sockwake.idle-action", "kill", "stop nor pause");
	refused("sockwake.workers", "65", "workers");
	refused("sockwake.schedule", "Mon 08:00-18:00,Tue 08:00-18:00", "WEEKDAYS");
	refused("sockwake.schedule", "08:00-18:00;", "WEEKDAYS");
	refused("sockwake.warm-for", "-1", "time span");
	refused("sockwake.target", "evil.example", "target");
	refused("sockwake.with", "", "--with");
	refused("sockwake.with", "a/b", "--with");
	refused("sockwake.with", "pg", "own container");
	refused("sockwake.with", "db,db", "twice");
	refused("sockwake.with", "db:5432:touch /tmp/x", "commands");
	refused("sockwake.with", "cache, db::touch /tmp/x", "commands");
	refused("sockwake.with", "db --force", "--with");
	refused("sockwake.with", NULL, "printable");
	refused("sockwake.with-project", "yes", "true nor false");
	refused("sockwake.with-unit", "x.service", "no such label");
	refused("sockwake.no-wake-from", "x", "");
	/* what only a command line may say */
	refused("sockwake.unit", "sshd.service", "no such label");
	refused("sockwake.engine-socket", "/run/x", "no such label");
	refused("sockwake.user", "root", "no such label");
	refused("sockwake.scope", "system", "no such label");
	refused("sockwake.image", "x", "no such label");
	refused("sockwake.force", "true", "no such label");
	refused("sockwake.socket-mode", "0777", "no such label");
	refused("sockwake.container-name", "other", "no such label");
	refused("sockwake.", "x", "no such label");
}

static void where_to_listen_is_missing(void **state)
{
	_cleanup_create_request_ struct create_request r = {};
	struct label l[LABELS_MAX];
	struct container c = labelled(l, "sockwake.idle-timeout", "1min", NULL);
	struct error err = {};

	(void)state;
	assert_int_equal(labels_to_request(&c, &base, &r, &err), -1);
	assert_non_null(strstr(err.text, "sockwake.publish"));
}

static int parse(struct create_request *r, struct error *err, ...)
{
	char *argv[32] = {"create"};
	int argc = 1;
	va_list ap;

	va_start(ap, err);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	return create_options_parse(argc, argv, r, err);
}

static void an_image(void **state)
{
	_cleanup_create_request_ struct create_request r = {};
	struct error err = {};

	(void)state;
	setenv("FROM_HERE", "x y", 1);
	if (parse(&r, &err, "web", "--image", "x", "-p", "8080:80", "-e", "A=b", "-e", "FROM_HERE", "-v", "d:/d",
		  "--network", "none", "--", "sh", "-c", "--image", NULL) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(r.instance.name, "web");
	assert_string_equal(r.instance.container_name, "web");
	assert_string_equal(r.to_make.image, "x");
	assert_string_equal(r.to_make.environment[0], "A=b");
	assert_string_equal(r.to_make.environment[1], "FROM_HERE=x y");
	assert_string_equal(r.to_make.volumes[0], "d:/d");
	assert_string_equal(r.to_make.network, "none");
	assert_string_equal(r.to_make.command[0], "sh");
	assert_string_equal(r.to_make.command[2], "--image");
	assert_null(r.to_make.command[3]);
}

static void a_name_behind_the_dashes(void **state)
{
	_cleanup_create_request_ struct create_request r = {};
	struct error err = {};

	(void)state;
	assert_int_equal(parse(&r, &err, "-p", "1:2", "--", "web", NULL), 0);
	assert_string_equal(r.instance.name, "web");
	assert_null(r.to_make.image);
}

#define REFUSED(word, ...)                                                                                             \
	do {                                                                                                           \
		_cleanup_create_request_ struct create_request r_ = {};                                                \
		struct error err_ = {};                                                                                \
		assert_int_equal(parse(&r_, &err_, "web", "-p", "1:2", __VA_ARGS__, NULL), -1);                        \
		assert_int_equal(err_.code, USAGE_ERROR);                                                              \
		if (!strstr(err_.text, word))                                                                          \
			fail_msg("'%s' does not say '%s'", err_.text, word);                                           \
	} while (0)

static void wrong_orders(void **state)
{
	(void)state;
	unsetenv("NOT_HERE");
	REFUSED("--image is missing", "-e", "A=b");
	REFUSED("--image is missing", "-v", "a:/b");
	REFUSED("--image is missing", "--network", "none");
	REFUSED("--image is missing", "--drop-volumes");
	REFUSED("like the instance", "--image", "x", "--container-name", "y");
	REFUSED("--unit", "--image", "x", "--unit", "y.service");
	REFUSED("NOT_HERE", "--image", "x", "-e", "NOT_HERE");
	REFUSED("name of an image", "--image", "../x");
	REFUSED("a word", "--image", "x", "--", "");
	REFUSED("too many", "--image", "x", "sh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_named_as_labels),
		cmocka_unit_test(all_labels),
		cmocka_unit_test(no_wishes),
		cmocka_unit_test(hostile_labels),
		cmocka_unit_test(where_to_listen_is_missing),
		cmocka_unit_test(an_image),
		cmocka_unit_test(a_name_behind_the_dashes),
		cmocka_unit_test(wrong_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
