/* control/network_check.c: whose network a container has, and which ports that takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "control/network_check.h"
#include "control/note.h"

static struct container containers[8];
static size_t n_containers;
static bool broken;

static int inspect(struct engine *e, const char *container, struct container *ret, struct error *err)
{
	(void)e;
	container_clear(ret);
	if (broken)
		return error_set(err, ETIMEDOUT, "no answer");
	for (size_t k = 0; k < n_containers; k++) {
		struct container *c = &containers[k];

		if (strcmp(c->name, container) != 0)
			continue;
		*ret = *c;
		ret->ports = calloc(c->n_ports + 1, sizeof(*ret->ports));
		assert_non_null(ret->ports);
		if (c->n_ports)
			memcpy(ret->ports, c->ports, c->n_ports * sizeof(*c->ports));
		return 0;
	}
	return error_set(err, ENOENT, "there is no container");
}

static const struct backend backend = {.name = "podman", .title = "Podman", .inspect = inspect};
static struct engine engine = {.backend = &backend};

static struct container *add(const char *name, const char *network)
{
	struct container *c = &containers[n_containers++];

	*c = (struct container){};
	strcpy(c->name, name);
	strcpy(c->network_mode, network);
	return c;
}

static struct published_port ports[] = {{"", 9080, 8080, SOCK_STREAM},
					{"127.0.0.1", 9443, 443, SOCK_STREAM},
					{"::1", 9443, 443, SOCK_STREAM},
					{"", 0, 80, SOCK_STREAM}};

static char noted[2048];

static void take_note(enum note_kind kind, const char *text)
{
	assert_int_equal(kind, NOTE_REMARK);
	strcat(strcat(noted, text), "\n");
}

static int setup(void **state)
{
	(void)state;
	n_containers = 0;
	broken = false;
	noted[0] = '\0';
	note_set_sink(take_note);
	return 0;
}

static struct instance listens_on(const char *spec)
{
	struct instance i = {.name = (char *)"web", .n_ports = 1};
	struct error err;

	assert_int_equal(publish_parse(spec, &i.ports[0], &err), 0);
	return i;
}

static const char *refusal(const struct instance *i, const struct container *c)
{
	static struct error err;

	return network_check(&engine, i, c, &err) < 0 ? err.text : "";
}

static void the_pod_publishes(void **state)
{
	struct instance i = listens_on("9080:8080"), local = listens_on("127.0.0.2:9443:8443");
	const struct container *web = add("web", "container:infra");
	struct container *infra = add("infra", "pasta");
	struct error err;

	(void)state;
	infra->is_infra = true;
	infra->ports = ports;
	infra->n_ports = 4;
	assert_string_equal(
		refusal(&i, web),
		"the pod of the container 'web' publishes port 9080 itself and could not start while sockwake "
		"listens there: make the pod without '-p 9080:8080', or listen on another port (-p OTHER:8080)");
	assert_string_equal(refusal(&local, web), "");
	network_note(&engine, &local, web, true);
	assert_non_null(strstr(noted, "the pod of the container 'web' publishes port 9080, 9443 itself"));
	assert_non_null(strstr(noted, "is refused while it sleeps"));
	noted[0] = '\0';
	network_note(&engine, &local, web, false);
	assert_string_equal(noted, "");
	/* The protocol is part of what is said. */
	ports[0].type = SOCK_DGRAM;
	i = listens_on("9080:8080/udp");
	assert_non_null(
		strstr(refusal(&i, web), "without '-p 9080:8080/udp', or listen on another port (-p OTHER:8080/udp)"));
	ports[0].type = SOCK_STREAM;
	i = listens_on("9080:8080");
	/* compose's network_mode: service:vpn, over two containers */
	infra->is_infra = false;
	add("far", "container:web");
	assert_non_null(
		strstr(refusal(&i, &containers[2]), "the container 'infra', whose network 'far' has, publishes"));
	assert_int_equal(network_check_dependency(&engine, &i, &(struct dependency){}, web, &err), -1);
	assert_int_equal(err.code, EADDRINUSE);
	/* an owner that is gone or cannot be asked for, and a circle */
	n_containers = 1;
	assert_string_equal(refusal(&i, web), "");
	broken = true;
	assert_string_equal(refusal(&i, web), "no answer");
	broken = false;
	add("infra", "container:web");
	assert_string_equal(refusal(&i, web), "");
}

static void a_network_that_somebody_makes(void **state)
{
	struct instance i = listens_on("9080:8080");
	const struct container *web = add("web", "ns:/run/netns/blue");

	(void)state;
	noted[0] = '\0';
	network_note(&engine, &i, web, true);
	assert_non_null(
		strstr(noted, "the container 'web' joins the network namespace '/run/netns/blue': whoever makes"));
	noted[0] = '\0';
	network_note(&engine, &i, add("plain", "bridge"), true);
	assert_string_equal(noted, "");
}

static void the_hosts_network(void **state)
{
	struct instance same = listens_on("8080:8080"), other = listens_on("9080:8080");
	struct container *ha = add("ha", "host"), *db = add("db", "host");
	struct dependency d = {.container = (char *)"db"};
	const struct container *in_pod;
	struct error err;

	(void)state;
	add("infra", "host")->is_infra = true;
	in_pod = add("pw", "container:infra");
	assert_string_equal(
		refusal(&same, ha),
		"the container 'ha' uses the host's network, and its server could not listen on port 8080 while "
		"sockwake does: listen on another port (-p OTHER:8080)");
	assert_non_null(strstr(refusal(&same, in_pod), "the container 'pw' uses the host's network"));
	assert_string_equal(refusal(&other, ha), "");
	network_note(&engine, &other, ha, true);
	assert_non_null(strstr(noted, "'--target 127.0.0.1' accepts that"));
	other.transparent = true;
	assert_non_null(strstr(refusal(&other, ha), "--transparent needs a network of the container's own"));
	/* The ports of a dependency: the one that is waited for, or else exposed. */
	assert_int_equal(network_check_dependency(&engine, &same, &d, db, &err), 0);
	d.port = 8080;
	assert_int_equal(network_check_dependency(&engine, &same, &d, db, &err), -1);
	assert_non_null(strstr(err.text, "the container 'db', which --with names, uses the host's network"));
	d.port = 0;
	db->exposed_port = 8080;
	assert_int_equal(network_check_dependency(&engine, &same, &d, db, &err), -1);
	strcpy(db->network_mode, "bridge");
	assert_int_equal(network_check_dependency(&engine, &same, &d, db, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_pod_publishes, setup),
		cmocka_unit_test_setup(a_network_that_somebody_makes, setup),
		cmocka_unit_test_setup(the_hosts_network, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
