/* units/kube_file.c: the ports that a Kubernetes file publishes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "units/kube_file.h"

/* All of them, with a space after each. */
static const char *ports(const char *text)
{
	char found[KUBE_PORTS_MAX][KUBE_PUBLISH_MAX];
	static char all[KUBE_PORTS_MAX * (KUBE_PUBLISH_MAX + 1) + 1];
	size_t n = kube_file_ports(text, found), len = 0;

	all[0] = '\0';
	for (size_t k = 0; k < n; k++)
		len += (size_t)sprintf(all + len, "%s ", found[k]);
	return all;
}

static void as_people_write_them(void **state)
{
	(void)state;
	assert_string_equal(ports("spec:\n"
				  "  containers:\n"
				  "  - name: dns\n"
				  "    ports:\n"
				  "    - containerPort: 53\n"
				  "      hostPort: 5353\n"
				  "\n"
				  "      # the rest is for names\n"
				  "      protocol: UDP\n"
				  "    - containerPort: 80\n"
				  "    - hostIP: \"127.0.0.1\"\n"
				  "      hostPort: \"8080\"\r\n"
				  "      protocol: TCP\n"
				  "      containerPort: 80\n"
				  "  - name: web\n"
				  "    ports: [{containerPort: 80, hostPort: 81}]\n"
				  "    env:\n"
				  "    - {name: A, value: b}\n"
				  "  - ports:\n"
				  "    - {hostIP: '::1', hostPort: 9 }"),
			    "5353:53/udp 127.0.0.1:8080:80 81:80 [::1]:9:9 ");
	assert_string_equal(ports("{\"ports\": [{\"hostPort\": 80, \"protocol\": \"UDP\"}]}"), "80:80/udp ");
	/* The protocol of another item does not matter. */
	assert_string_equal(ports("ports:\n- hostPort: 1\n- protocol: UDP\n"), "1:1 ");
	assert_string_equal(ports("ports:\n- hostPort: 1\nprotocol: UDP\n"), "1:1 ");
}

/* In all its forms: several items in one line, one item in several, quoted keys, comments, anchors, documents. */
static void as_yaml_allows(void **state)
{
	(void)state;
	assert_string_equal(ports("ports: [{containerPort: 80, hostPort: 8080}, {hostPort: 53, protocol: UDP}]\n"),
			    "8080:80 53:53/udp ");
	assert_string_equal(ports("ports: [\n {containerPort: 80,\n  hostPort:\n   8080,\n  hostIP: 127.0.0.1}\n ]\n"),
			    "127.0.0.1:8080:80 ");
	assert_string_equal(ports("'ports':\n-\n  \"hostPort\": 81 # not 82\n  ? protocol\n  : UDP\n"), "81:81/udp ");
	assert_string_equal(ports("a: &p {hostPort: 7}\nports: [*p]\n---\nports:\n- hostPort: 8\n...\n"), "7:7 8:8 ");
	assert_string_equal(ports("{\n  \"kind\": \"Pod\",\n  \"spec\": {\"containers\": [{\"ports\": [\n    {\n      "
				  "\"containerPort\": 80,\n      \"hostPort\": 8080\n    }\n  ]}]}\n}\n"),
			    "8080:80 ");
	/* Text that only looks like it. */
	assert_string_equal(ports("data:\n  x: |\n    ports:\n    - hostPort: 80\n"), "");
	assert_string_equal(ports("env:\n- {name: hostPort, value: 80}\n- hostPort: 80\n"), "");
	assert_true(kube_file_has_hosts_network("spec: {containers: [], hostNetwork: true}"));
	assert_true(kube_file_has_hosts_network("\"spec\":\n  \"hostNetwork\":\n    true # really\n"));
	assert_false(kube_file_has_hosts_network("data:\n  x: |\n    spec:\n      hostNetwork: true\n"));
}

static void nothing_else(void **state)
{
	char many[KUBE_PORTS_MAX * 32] = "ports:\n";

	(void)state;
	assert_string_equal(ports(""), "");
	assert_string_equal(ports("hostPort:"), "");
	assert_string_equal(ports("ports: 80\n"), "");
	assert_string_equal(ports("ports: [80, [hostPort], {hostPort: [1]}]\n"), "");
	assert_string_equal(ports("# ports: [{hostPort: 80}]\n"), "");
	assert_string_equal(ports("ports:\n- hostPort: 0\n- hostPort: 65536\n- hostPort: x\n- hostPort: "
				  "12345678901234\n"),
			    "");
	assert_string_equal(ports("ports:\n- hostPort: 1\n  hostIP: a:b\n"), "1:1 ");
	for (unsigned k = 0; k < KUBE_PORTS_MAX + 1; k++)
		strcat(many, "- hostPort: 1\n");
	assert_int_equal(strlen(ports(many)), KUBE_PORTS_MAX * strlen("1:1 "));
}

/* What is no YAML to its end, and what would be endless if it was written out. */
static void hostile_ones(void **state)
{
	char deep[40000];

	(void)state;
	assert_string_equal(ports("ports: [{hostPort: 1}]\n---\n\t- [\n"), "1:1 ");
	assert_string_equal(ports("a: &a [*a, *a]\nports: &p [{hostPort: 3}, *p]\n"), "3:3 ");
	assert_string_equal(
		ports("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\n"
		      "d: [*c,*c,*c,*c,*c,*c,*c]\n"),
		"");
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_string_equal(ports(deep), "");
	assert_string_equal(ports("\xff\xfe\x01"), "");
}

static void the_hosts_network(void **state)
{
	(void)state;
	assert_true(kube_file_has_hosts_network("spec:\n  hostNetwork: true\n  containers:\n"));
	assert_true(kube_file_has_hosts_network("spec:\r\n  hostNetwork: \"True\"\r\n"));
	assert_true(kube_file_has_hosts_network("{\"spec\": {\"hostNetwork\": true, \"containers\": []}}"));
	assert_false(kube_file_has_hosts_network("spec:\n  hostNetwork: false\n"));
	assert_false(kube_file_has_hosts_network("spec:\n  # hostNetwork: true\n  hostNetwork:\n"));
	assert_false(kube_file_has_hosts_network("spec: {hostNetworks: true}\nhostNetwork: true\n"));
	assert_false(kube_file_has_hosts_network(""));
}

/* What Podman calls them: it makes them of a Deployment, too. */
static void the_pods(void **state)
{
	char pods[KUBE_PODS_MAX][KUBE_POD_MAX], many[(KUBE_PODS_MAX + 1) * 64] = "", longest[KUBE_POD_MAX + 64];

	(void)state;
	assert_int_equal(kube_file_pods("kind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: web\n"
					"---\nmetadata: {name: b, labels: {name: c}}\nkind: Deployment\n"
					"---\nkind: List\nitems:\n- kind: Pod\n  metadata: {name: d}\n",
					pods),
			 3);
	assert_string_equal(pods[0], "a");
	assert_string_equal(pods[1], "b-pod");
	assert_string_equal(pods[2], "d");
	assert_int_equal(kube_file_pods("kind: Pod\n---\nmetadata: {name: x}\n---\nkind: [Pod]\nmetadata: x\n", pods),
			 0);
	for (unsigned k = 0; k < KUBE_PODS_MAX + 1; k++)
		strcat(many, "---\n{kind: Pod, metadata: {name: x}}\n");
	assert_int_equal(kube_file_pods(many, pods), KUBE_PODS_MAX);
	for (size_t k = 0; k < 2; k++) {
		snprintf(longest, sizeof(longest), "{kind: Pod, metadata: {name: %0*d}}", (int)(KUBE_POD_MAX - 5 + k),
			 1);
		assert_int_equal(kube_file_pods(longest, pods), 1 - k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_people_write_them),
		cmocka_unit_test(as_yaml_allows),
		cmocka_unit_test(the_pods),
		cmocka_unit_test(nothing_else),
		cmocka_unit_test(hostile_ones),
		cmocka_unit_test(the_hosts_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
