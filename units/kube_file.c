/* An item of `ports:` is one line, "- {containerPort: 80, hostPort: 8080}", or several:
 *
 *	- containerPort: 53
 *	  hostPort: 53
 *	  protocol: UDP
 *
 * The next item begins with the next dash; a line with less indentation than the item's ends the list. */
#include "units/kube_file.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/parse.h"

struct item {
	char port[8], address[INET6_ADDRSTRLEN];
	bool is_udp;
	size_t indent; /* of its dash */
};

/* The value of a key in one line, without quotes (JSON is YAML, too). False if it is missing or too long. */
static bool find_value(const char *line, size_t len, const char *key, char *ret, size_t size)
{
	const char *p = memmem(line, len, key, strlen(key)), *end = line + len;
	size_t n;

	if (!p)
		return false;
	p += strlen(key);
	p += *p == '"';
	if (*p++ != ':')
		return false;
	while (p < end && strchr(" \t\"'", *p))
		p++;
	for (n = 0; p + n < end && !strchr(" \t\"',}#\r", p[n]); n++)
		;
	return snprintf(ret, size, "%.*s", (int)n, p) < (int)size;
}

static size_t put(const struct item *i, char ret[static KUBE_PORTS_MAX][KUBE_PUBLISH_MAX], size_t n)
{
	unsigned char bytes[16];
	struct error ignored;
	uint16_t port;
	bool v4 = inet_pton(AF_INET, i->address, bytes) == 1, v6 = inet_pton(AF_INET6, i->address, bytes) == 1;

	if (n == KUBE_PORTS_MAX || !i->port[0] || parse_port("", i->port, &port, &ignored) < 0)
		return n;
	snprintf(ret[n], KUBE_PUBLISH_MAX, "%s%s%s%s%u:%u%s", v6 ? "[" : "", v4 || v6 ? i->address : "", v6 ? "]" : "",
		 v4 || v6 ? ":" : "", port, port, i->is_udp ? "/udp" : "");
	return n + 1;
}

static void read_line(const char *line, size_t len, struct item *i)
{
	char word[8];

	(void)find_value(line, len, "hostPort", i->port, sizeof(i->port));
	(void)find_value(line, len, "hostIP", i->address, sizeof(i->address));
	if (find_value(line, len, "protocol", word, sizeof(word)))
		i->is_udp = strcmp(word, "UDP") == 0;
}

size_t kube_file_ports(const char *text, char ret[static KUBE_PORTS_MAX][KUBE_PUBLISH_MAX])
{
	struct item i = {};
	size_t n = 0;

	while (*text) {
		size_t len = strcspn(text, "\n"), indent = strspn(text, " ");
		bool is_comment = text[indent] == '#' || indent == len;

		if (!is_comment && (text[indent] == '-' || indent <= i.indent)) {
			n = put(&i, ret, n);
			i = (struct item){.indent = indent};
		}
		if (!is_comment)
			read_line(text, len, &i);
		text += len + (text[len] == '\n');
	}
	return put(&i, ret, n);
}

bool kube_file_has_hosts_network(const char *text)
{
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		char word[8];

		len = strcspn(text, "\n");
		if (text[strspn(text, " ")] != '#' && find_value(text, len, "hostNetwork", word, sizeof(word)) &&
		    strcasecmp(word, "true") == 0)
			return true;
	}
	return false;
}
