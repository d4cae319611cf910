/* control/unit_ports.c: the ports that a unit, or its pod's, publishes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "control/note.h"
#include "control/unit_ports.h"

static char noted[2048];

static void take_note(enum note_kind kind, const char *text)
{
	assert_int_equal(kind, NOTE_REMARK);
	strcat(strcat(noted, text), "\n");
}

static struct instance listens_on(const char *spec)
{
	struct instance i = {.name = (char *)"web-wake", .n_ports = 1, .scope = SCOPE_USER};
	struct error err;

	assert_int_equal(publish_parse(spec, &i.ports[0], &err), 0);
	return i;
}

static char *publish[] = {(char *)"9080:8080", (char *)"127.0.0.1:9443:443", (char *)"8080", NULL};

static const char *refusal(const struct instance *i, const struct container_unit *u)
{
	static struct error err;

	return unit_ports_check(i, u, "/etc/x.conf", &err) < 0 ? err.text : "";
}

static void own_ports(void **state)
{
	struct container_unit u = {.unit = (char *)"web.service", .publish = publish};
	struct instance i = listens_on("9080:8080"), other = listens_on("9081:8080");

	(void)state;
	assert_non_null(strstr(refusal(&i, &u), "web.service publishes '9080:8080' itself"));
	assert_non_null(strstr(refusal(&i, &u), "take that out of its ExecStart="));
	assert_string_equal(refusal(&other, &u), "");
	/* There is no drop-in for a unit that is no Quadlet. */
	i.drop_publish = true;
	assert_non_null(strstr(refusal(&i, &u), "take that out of its ExecStart="));
	u.quadlet = (char *)"/web.container";
	assert_string_equal(refusal(&i, &u), "");
	i.drop_publish = false;
	assert_non_null(
		strstr(refusal(&i, &u), "writes '[Container]' and 'PublishPort=' into the drop-in /etc/x.conf"));
	u.kube = (char *)"/x.yml";
	assert_non_null(strstr(refusal(&i, &u), "writes '[Kube]'"));
	u.kube_publish = publish;
	assert_string_equal(
		refusal(&i, &u),
		"web.service runs '/x.yml', which publishes port 9080 itself and could not start while sockwake "
		"listens there: take 'hostPort: 9080' out of that file, or listen on another port (-p OTHER:8080)");
	i.drop_publish = true;
	assert_non_null(strstr(refusal(&i, &u), "take 'hostPort: 9080'"));
}

static void ports_of_the_pod(void **state)
{
	struct container_unit u = {.unit = (char *)"web.service",
				   .quadlet = (char *)"/web.container",
				   .pod = {.unit = (char *)"p-pod.service",
					   .file = (char *)"/p.pod",
					   .is_quadlet = true,
					   .publish = publish}};
	struct instance i = listens_on("9080:8080");

	(void)state;
	assert_string_equal(
		refusal(&i, &u),
		"p-pod.service makes a pod that publishes '9080:8080' itself and could not start while sockwake "
		"listens there: take 'PublishPort=9080:8080' out of '/p.pod' and run 'systemctl --user "
		"daemon-reload' and 'systemctl --user stop p-pod.service', or listen on another port (-p "
		"OTHER:8080)");
	i.drop_publish = true;
	assert_non_null(
		strstr(refusal(&i, &u), ", and --drop-publish changes no pod: take 'PublishPort=9080:8080' out"));
	u.pod.is_quadlet = false;
	u.pod.file = NULL;
	i.scope = SCOPE_SYSTEM;
	assert_non_null(strstr(refusal(&i, &u), "take '-p 9080:8080' out of 'p-pod.service' and run 'systemctl "
						"daemon-reload'"));
}

static void ports_of_the_networks_owner(void **state)
{
	struct container_unit u = {.unit = (char *)"web.service",
				   .quadlet = (char *)"/web.container",
				   .network_owner = (char *)"vpn",
				   .owner_unit = (char *)"vpn.service",
				   .owner_publish = publish};
	struct instance i = listens_on("9080:8080"), other = listens_on("9080:8080/udp");

	(void)state;
	i.drop_publish = true;
	assert_string_equal(
		refusal(&i, &u),
		"web.service gives its container the network of 'vpn', for which vpn.service publishes '9080:8080' "
		"itself and could not start while sockwake listens there: take that out of vpn.service and run "
		"'systemctl --user daemon-reload', or listen on another port (-p OTHER:8080)");
	assert_string_equal(refusal(&other, &u), "");
	u.owner_unit = NULL;
	u.owner_publish = NULL;
	assert_string_equal(refusal(&i, &u), "");
}

static void others_are_noted(void **state)
{
	struct container_unit u = {.unit = (char *)"web.service",
				   .publish = publish,
				   .pod = {.unit = (char *)"p-pod.service", .publish = publish + 1}};
	struct instance i = listens_on("9080:8080");

	(void)state;
	note_set_sink(take_note);
	unit_ports_note(&i, &u);
	assert_non_null(strstr(noted,
			       "web.service publishes port 127.0.0.1:9443:443 itself: who connects there neither "
			       "wakes it nor keeps it awake, and is refused while it sleeps"));
	assert_non_null(strstr(noted, "p-pod.service publishes port 127.0.0.1:9443:443 itself"));
	noted[0] = '\0';
	u.publish = u.pod.publish = NULL;
	unit_ports_note(&i, &u);
	assert_string_equal(noted, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_ports),
		cmocka_unit_test(ports_of_the_pod),
		cmocka_unit_test(ports_of_the_networks_owner),
		cmocka_unit_test(others_are_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
