/* Options that are of no use together. */
#include "instance/combination.h"
#include "tests/unit/instance_fixture.h"

/* Each row replaces the ports (none: keeps TCP), and may add one target, socket mode, check. */
struct row {
	const char *ports[2];
	const char *target, *mode, *check, *proxy_protocol;
	bool transparent;
	const char *word; /* NULL: they go together */
};

static struct instance make(const struct row *r)
{
	struct instance i = small_instance("x");

	if (r->ports[0])
		i.n_ports = 0;
	for (size_t k = 0; k < 2 && r->ports[k]; k++)
		add_port(&i, r->ports[k]);
	i.targets = r->target ? list_of(r->target, NULL) : NULL;
	i.socket_mode = r->mode ? strdup(r->mode) : NULL;
	i.proxy_protocol = r->proxy_protocol ? strdup(r->proxy_protocol) : NULL;
	i.transparent = r->transparent;
	if (r->check) {
		free(i.health_check);
		i.health_check = strdup(r->check);
	}
	return i;
}

static void each_is_told(void **state)
{
	static const struct row rows[] = {
		{.word = NULL},
		{.transparent = true, .proxy_protocol = "v1", .word = "use one"},
		{.transparent = true},
		{.proxy_protocol = "v2"},
		{.ports = {"53:53/udp"}, .check = "redis", .word = "needs a stream"},
		{.ports = {"53:53/udp"}, .check = "http:/up", .word = "needs a stream"},
		{.ports = {"53:53/udp"}, .check = "https://x/"}, /* a command */
		{.ports = {"53:53/udp"}, .check = "redis-cli ping"},
		{.ports = {"53:53/udp"}, .check = "listen"},
		{.ports = {"53:53/udp", "6379:6379"}, .check = "redis", .word = "needs a stream"},
		{.ports = {"6379:6379", "53:53/udp"}, .check = "redis"},
		{.ports = {"53:53/udp"}, .proxy_protocol = "v1", .word = "announces connections"},
		{.ports = {"53:53/udp", "53:53"}, .proxy_protocol = "v1"},
		{.ports = {"53:53/udp"}, .transparent = true},
		{.ports = {"/run/x:80"}, .transparent = true, .word = "have none"},
		{.ports = {"/run/x:80", "80:80"}, .transparent = true},
		{.mode = "0600", .word = "-p /PATH"},
		{.mode = "0600", .ports = {"80:80"}, .word = "--unset socket-mode"},
		{.ports = {"80:80", "/run/x:80"}, .mode = "0600"},
		{.target = "fe80::1", .word = "--target"},
		{.target = "ff02::1", .word = "--target"},
		{.target = "224.0.0.0", .word = "--target"},
		{.target = "223.255.255.255"},
		{.target = "224.0.0.1", .word = "--target"},
		{.target = "255.255.255.255", .word = "--target"},
		{.target = "223.1.1.1"},
		{.target = "2001:db8::1"},
		{.target = "unix:/run/y"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		struct instance i = make(&rows[k]);
		struct error err = {};
		int r = combination_check(&i, &err);

		if ((r < 0) != (rows[k].word != NULL))
			fail_msg("row %zu: %s", k, err.text);
		if (rows[k].word && !strstr(err.text, rows[k].word))
			fail_msg("row %zu: %s", k, err.text);
		instance_clear(&i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_is_told)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
