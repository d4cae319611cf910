/* control/dns_port.c: port 53 of all addresses, and the networks of root's Podman. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "control/dns_port.h"

static char directory[64];

static int make(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-networks-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int unmake(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static void put(const char *file, const char *text)
{
	char path[128];
	struct error err;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, &err), 0);
}

static const char *refusal(const char *spec)
{
	struct instance i = {.n_ports = 1};
	static struct error err;

	assert_int_equal(publish_parse(spec, &i.ports[0], &err), 0);
	err = (struct error){};
	return dns_port_check(&i, directory, &err) < 0 ? err.text : "";
}

static void networks_with_names(void **state)
{
	(void)state;
	assert_string_equal(refusal("53:53/udp"), "");
	put("plain.json", "{\"name\": \"plain\", \"dns_enabled\": false}");
	put("odd.json", "{\"dns_enabled\": 1");
	put("none.json", "{}");
	put("text", "{\"dns_enabled\": true}");
	assert_string_equal(refusal("53:53/udp"), "");
	put("shop.json", "{\"name\": \"shop\", \"dns_enabled\": true}");
	assert_non_null(strstr(refusal("53:5353/udp"), "in its network 'shop', whose name server"));
	assert_non_null(strstr(refusal("53:5353/udp"), "(-p ADDRESS:53:5353/udp)"));
	assert_non_null(strstr(refusal("0.0.0.0:53:53"), "(-p ADDRESS:53:53)"));
	assert_non_null(strstr(refusal("[::]:53:53"), "'shop'"));
	assert_string_equal(refusal("127.0.0.1:53:53/udp"), "");
	assert_string_equal(refusal("5353:53/udp"), "");
	strcat(directory, "x");
	assert_string_equal(refusal("53:53/udp"), "");
	directory[strlen(directory) - 1] = '\0';
}

static void the_gateway_itself(void **state)
{
	(void)state;
	put("shop.json", "{\"dns_enabled\": true, \"subnets\": [{\"subnet\": \"10.89.0.0/24\"}, "
			 "{\"gateway\": \"10.89.0.1\"}, {\"gateway\": \"fd00::1\"}]}");
	assert_string_equal(refusal("10.89.0.1:53:5353/udp"),
			    "while sockwake listens on port 53 of 10.89.0.1, root's Podman can start no container in "
			    "its network 'shop', whose name server needs that port of the network's gateway: name "
			    "other addresses (-p ADDRESS:53:5353/udp)");
	assert_non_null(strstr(refusal("[fd00:0::1]:53:53"), "port 53 of fd00::1, "));
	assert_non_null(strstr(refusal("[::ffff:10.89.0.1]:53:53"), "other addresses"));
	assert_non_null(strstr(refusal("[::ffff:0.0.0.0]:53:53/udp"), "port 53 of all addresses, "));
	assert_string_equal(refusal("10.89.0.2:53:53/udp"), "");
	assert_string_equal(refusal("[::1]:53:53/udp"), "");
	assert_string_equal(refusal("10.89.0.1:5353:53/udp"), "");
	put("shop.json", "{\"dns_enabled\": false, \"subnets\": [{\"gateway\": \"10.89.0.1\"}]}");
	assert_string_equal(refusal("10.89.0.1:53:53/udp"), "");
	put("shop.json", "{\"dns_enabled\": true, \"subnets\": [1, {\"gateway\": 2}, null]}");
	assert_string_equal(refusal("10.89.0.1:53:53/udp"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(networks_with_names, make, unmake),
		cmocka_unit_test_setup_teardown(the_gateway_itself, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
