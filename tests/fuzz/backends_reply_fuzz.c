/* Any bytes as an engine's reply: parsing them neither crashes nor leaks, and accepted values keep the promises of
 * backends/backend.h.
 *
 * floor: 220 */
#include "backends/docker/reply.h"
#include "backends/make.h"
#include "backends/podman/reply.h"
#include "backends/reply.h"
#include "common/parse.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct container *c)
{
	if (strlen(c->id) != 64 || !container_name_is_valid(c->name) || c->pid < 0 ||
	    !text_is_printable(c->started_at) || !text_is_printable(c->network_mode))
		abort();
	for (size_t i = 0; i < c->n_labels; i++) {
		const struct label *l = &c->labels[i];

		CHECK(text_is_printable(l->key));
		CHECK(l->value ? text_is_printable(l->value) : strncmp(l->key, "sockwake.", 9) == 0);
	}
	for (size_t i = 0; i < c->n_ports; i++) {
		if (c->ports[i].container_port == 0)
			abort();
	}
}

static void check_list(bool (*parse)(const char *, size_t, struct container_list *), const char *text, size_t len)
{
	_cleanup_container_list_ struct container_list l = {};

	if (!parse(text, len, &l))
		return;
	for (size_t i = 0; i < l.n; i++) {
		if (l.items[i].unreadable)
			CHECK(container_name_is_valid(l.items[i].name));
		else
			check(&l.items[i]);
	}
}

static void check_inspect(bool (*parse)(const char *, size_t, struct container *), const char *text, size_t len)
{
	_cleanup_container_ struct container c = {};

	if (!parse(text, len, &c))
		return;
	check(&c);
	if (c.health_test && c.health_test[0])
		free(docker_format_exec(c.health_test));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = text_of(data, size);
	_cleanup_image_ struct image image = {};
	char message[64], id[65];
	enum health health;
	int exit_code;
	bool running;

	check_inspect(docker_parse_inspect, text, size);
	check_inspect(podman_parse_inspect, text, size);
	check_list(docker_parse_list, text, size);
	check_list(podman_parse_list, text, size);
	(void)docker_parse_exec_id(text, size, id);
	(void)docker_parse_exec_state(text, size, &running, &exit_code);
	(void)podman_parse_health(text, size, &health);
	(void)podman_is_state_error(text, size);
	(void)image_parse(text, size, &image);
	(void)version_has_quadlet(text);
	reply_message(text, size, message, sizeof(message));
	if (!text_is_printable(message))
		abort();
	return 0;
}
