/* Any command line of a unit, one word a line: the values read are parts of it, and the drop-in made from it has no
 * extra line.
 *
 * floor: 79 */
#include "tests/fuzz/fuzz.h"
#include "units/drop_in.h"
#include "units/run_command.h"

#define WORDS_MAX 128

static void split(char *text, const char *ret[static WORDS_MAX + 1])
{
	size_t n = 0;

	for (char *line; n < WORDS_MAX && (line = strsep(&text, "\n"));)
		ret[n++] = line;
	ret[n] = NULL;
}

static void check_belongs(const char *const *argv, const char *s)
{
	for (; *argv; argv++) {
		if (s >= *argv && s <= *argv + strlen(*argv))
			return;
	}
	abort();
}

static void check_lines(char *text)
{
	static const char *const others[] = {
		"", "[Install]", "WantedBy=", "RequiredBy=", "UpheldBy=", "[Container]", "PublishPort="};
	bool known;

	for (char *line; (line = strsep(&text, "\n"));) {
		known = line[0] == '#' || strncmp(line, "PublishPort=", 12) == 0;
		for (size_t k = 0; !known && k < sizeof(others) / sizeof(*others); k++)
			known = strcmp(line, others[k]) == 0;
		CHECK(known && !strchr(line, '%') && !strchr(line, '\\'));
	}
}

static void check_drop_in(const struct run_command *c)
{
	static const struct instance instance = {
		.name = (char *)"x",
		.no_boot = true,
		.drop_publish = true,
		.ports = {{.type = SOCK_STREAM, .port = 5432, .container_port = 5432},
			  {.type = SOCK_DGRAM, .port = 53, .container_port = 53, .address = "127.0.0.1"}},
		.n_ports = 2,
	};
	const char *publish[RUN_PUBLISH_MAX + 1];
	struct error err;

	memcpy(publish, c->publish, sizeof(c->publish));
	publish[c->n_publish] = NULL;
	_cleanup_free_ char *text = drop_in_render(&instance, "Container", publish, &err);

	CHECK(text);
	check_lines(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = text_of(data, size);
	const char *argv[WORDS_MAX + 1];
	struct run_command c;

	split(text, argv);
	if (!run_command_parse(argv, &c))
		return 0;
	if (c.container)
		check_belongs(argv, c.container);
	for (size_t k = 0; k < c.n_labels; k++)
		check_belongs(argv, c.labels[k]);
	for (size_t k = 0; k < c.n_publish; k++)
		check_belongs(argv, c.publish[k]);
	check_drop_in(&c);
	return 0;
}
