#include "units/run_command.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"
#include "instance/instance.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The value of "--option VALUE" or "--option=VALUE"; *k moves to its last word. */
static const char *value_of(const char *const *argv, size_t *k, const char *option)
{
	size_t len = strlen(option);

	if (strncmp(argv[*k], option, len) != 0)
		return NULL;
	if (argv[*k][len] == '=')
		return argv[*k] + len + 1;
	if (argv[*k][len] != '\0' || !argv[*k + 1])
		return NULL;
	return argv[++*k];
}

static const char *value_of_any(const char *const *argv, size_t *k, const char *const *options)
{
	const char *value = NULL;

	for (; *options && !value; options++)
		value = value_of(argv, k, *options);
	return value;
}

static const char *const volume_options[] = {"--volume", "-v", "--mount", NULL};
static const char *const network_options[] = {"--network", "--net", NULL};

/* Only the engine knows which options take a value, and so where the image's own arguments begin. The first --name is
 * the container's. */
static void read_options(const char *const *argv, size_t k, struct run_command *ret)
{
	for (; argv[k]; k++) {
		const char *name = value_of(argv, &k, "--name"), *publish = NULL, *label = NULL, *volume = NULL;
		const char *network = NULL;

		ret->replaces |= strcmp(argv[k], "--replace") == 0;
		if (name) {
			if (!ret->container)
				ret->container = name;
			continue;
		}
		label = value_of(argv, &k, "--label");
		if (label) {
			if (strncmp(label, "sockwake.", 9) == 0 && ret->n_labels < RUN_LABELS_MAX)
				ret->labels[ret->n_labels++] = label;
			continue;
		}
		volume = value_of_any(argv, &k, volume_options);
		if (volume) {
			if (ret->n_volumes < RUN_VOLUMES_MAX)
				ret->volumes[ret->n_volumes++] = volume;
			continue;
		}
		network = value_of_any(argv, &k, network_options);
		if (network) {
			if (!ret->network)
				ret->network = network;
			continue;
		}
		publish = value_of(argv, &k, "--publish");
		if (!publish)
			publish = value_of(argv, &k, "-p");
		if (publish && ret->n_publish < RUN_PUBLISH_MAX)
			ret->publish[ret->n_publish++] = publish;
	}
}

static bool is_engines(const char *const *argv)
{
	return argv[0] && (strcmp(base_name(argv[0]), "podman") == 0 || strcmp(base_name(argv[0]), "docker") == 0);
}

/* Are these two words next, in any order? Podman says both "kube play" and "play kube". */
static bool are_next(const char *const *argv, const char *one, const char *two)
{
	return argv[1] && ((strcmp(argv[0], one) == 0 && strcmp(argv[1], two) == 0) ||
			   (strcmp(argv[0], two) == 0 && strcmp(argv[1], one) == 0));
}

bool run_command_parse_pod(const char *const *argv, struct run_command *ret)
{
	*ret = (struct run_command){};
	for (size_t k = 1; is_engines(argv) && argv[k]; k++) {
		if (are_next(argv + k, "pod", "create")) {
			read_options(argv, k + 2, ret);
			return true;
		}
	}
	return false;
}

/* The last word after the first, unless it is an option. */
static const char *last_word(const char *const *argv)
{
	size_t last = 0;

	while (argv[last + 1])
		last++;
	return last > 0 && argv[last][0] != '-' ? argv[last] : NULL;
}

bool run_command_parse(const char *const *argv, struct run_command *ret)
{
	*ret = (struct run_command){};
	if (!is_engines(argv))
		return false;
	for (size_t k = 1; argv[k]; k++) {
		if (are_next(argv + k, "kube", "play")) {
			read_options(argv, k + 2, ret);
			ret->kube = last_word(argv);
			return true;
		}
		if (strcmp(argv[k], "run") == 0) {
			read_options(argv, k + 1, ret);
			return true;
		}
		if (strcmp(argv[k], "start") == 0) { /* start -a NAME */
			ret->container = last_word(argv + k);
			return true;
		}
	}
	return false;
}

/* The value of a key in "KEY=VALUE,KEY=VALUE"; false if it is missing or too long. */
static bool find_in_list(const char *list, const char *key, char ret[static RUN_VOLUME_NAME_MAX])
{
	size_t len = strlen(key);

	for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		size_t n = strncmp(p, key, len) == 0 && p[len] == '=' ? strcspn(p + len + 1, ",") : SIZE_MAX;

		if (n < RUN_VOLUME_NAME_MAX) {
			snprintf(ret, RUN_VOLUME_NAME_MAX, "%.*s", (int)n, p + len + 1);
			return true;
		}
	}
	return false;
}

bool run_volume_name(const char *value, char ret[static RUN_VOLUME_NAME_MAX])
{
	size_t len = strcspn(value, ":");

	if (find_in_list(value, "type", ret)) /* --mount */
		return strcmp(ret, "volume") == 0 &&
		       (find_in_list(value, "source", ret) || find_in_list(value, "src", ret)) &&
		       container_name_is_valid(ret);
	if (value[len] != ':' || len >= RUN_VOLUME_NAME_MAX)
		return false;
	snprintf(ret, RUN_VOLUME_NAME_MAX, "%.*s", (int)len, value);
	return container_name_is_valid(ret); /* a path begins with "/" or "." */
}

bool run_volume_stays(const char *value)
{
	char name[RUN_VOLUME_NAME_MAX];

	if (find_in_list(value, "type", name))
		return strcmp(name, "bind") == 0 || run_volume_name(value, name);
	return strchr(value, ':') != NULL;
}

/* "PORT" or "PORT-PORT" */
static bool parse_range(const char *s, uint16_t *ret_first, uint16_t *ret_last)
{
	char first[16];
	const char *dash = strchr(s, '-');
	struct error ignored;
	size_t len = dash ? (size_t)(dash - s) : strlen(s);

	if (len >= sizeof(first))
		return false;
	memcpy(first, s, len);
	first[len] = '\0';
	if (parse_port("", first, ret_first, &ignored) < 0)
		return false;
	*ret_last = *ret_first;
	return !dash || parse_port("", dash + 1, ret_last, &ignored) == 0;
}

/* Parses an address as the engines take it, IPv6 in brackets; *ret is canonical, "" for all addresses. */
static bool parse_address(char *s, char ret[static INET6_ADDRSTRLEN])
{
	unsigned char bytes[16];
	size_t len = strlen(s);
	int family = s[0] == '[' ? AF_INET6 : AF_INET;

	ret[0] = '\0';
	if (len == 0)
		return true;
	if (family == AF_INET6) {
		if (s[len - 1] != ']')
			return false;
		s[len - 1] = '\0';
		s++;
	}
	return inet_pton(family, s, bytes) == 1 && inet_ntop(family, bytes, ret, INET6_ADDRSTRLEN);
}

/* Cuts s at its last colon outside brackets. Returns the rest, or NULL. */
static char *cut_last(char *s)
{
	char *colon = strrchr(s, ':');

	if (!colon || strchr(colon, ']'))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

bool run_publish_takes(const char *value, const struct publish *p)
{
	struct publish theirs = {.type = SOCK_STREAM, .port = p->port};
	char text[128], *protocol, *host;
	uint16_t first, last;

	if (strlen(value) >= sizeof(text))
		return false;
	strcpy(text, value);
	protocol = strchr(text, '/');
	if (protocol) {
		*protocol++ = '\0';
		if (strcmp(protocol, "udp") == 0)
			theirs.type = SOCK_DGRAM;
		else if (strcmp(protocol, "tcp") != 0)
			return false;
	}
	if (!cut_last(text)) /* only the container's port: the engine chooses the host's */
		return false;
	host = cut_last(text);
	if (host ? !parse_address(text, theirs.address) : strchr(text, ']') != NULL)
		return false;
	return parse_range(host ? host : text, &first, &last) && p->port >= first && p->port <= last &&
	       publish_overlap(p, &theirs);
}
