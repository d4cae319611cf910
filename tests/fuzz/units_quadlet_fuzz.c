/* Any container to be made, as lines "i IMAGE", "e ENVIRONMENT", "v VOLUME", "n NETWORK", "c WORD OF THE COMMAND": its
 * Quadlet has only the keys that sockwake writes, and contains no specifier or variable.
 *
 * floor: 100 */
#include "tests/fuzz/fuzz.h"
#include "units/quadlet.h"

#define WORDS_MAX 64

struct lists {
	char *environment[WORDS_MAX + 1], *volumes[WORDS_MAX + 1], *command[WORDS_MAX + 1];
	size_t n_environment, n_volumes, n_command;
};

static void read_line(char *line, struct made_container *o, struct lists *l)
{
	char *value = line[0] && line[1] ? line + 2 : line + strlen(line);

	if (line[0] == 'i')
		o->image = value;
	else if (line[0] == 'n')
		o->network = value;
	else if (line[0] == 'e' && l->n_environment < WORDS_MAX)
		l->environment[l->n_environment++] = value;
	else if (line[0] == 'v' && l->n_volumes < WORDS_MAX)
		l->volumes[l->n_volumes++] = value;
	else if (line[0] == 'c' && l->n_command < WORDS_MAX)
		l->command[l->n_command++] = value;
}

static void check_line(const char *line)
{
	static const char *const keys[] = {
		"[Unit]", "Description=", "[Container]",	  "ContainerName=", "Image=",
		"Label=", "Network=",	  "PodmanArgs=",	  "Environment=",   "Volume=",
		"Exec=",  "[Quadlet]",	  "DefaultDependencies=",
	};
	bool known = line[0] == '\0' || line[0] == '#';

	for (size_t k = 0; !known && k < sizeof(keys) / sizeof(*keys); k++)
		known = strncmp(line, keys[k], strlen(keys[k])) == 0;
	CHECK(known);
	for (; *line; line++) {
		CHECK((unsigned char)*line >= ' ');
		if (*line == '%' || *line == '$') {
			CHECK(line[1] == line[0]);
			line++;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = text_of(data, size), *quadlet = NULL;
	struct lists l = {};
	struct made_container o = {.environment = l.environment, .volumes = l.volumes, .command = l.command};
	struct error err = {};
	char *rest = text;

	for (char *line; (line = strsep(&rest, "\n"));)
		read_line(line, &o, &l);
	if (!o.image)
		return 0;
	quadlet = quadlet_render("x", &o, &err);
	if (!quadlet) {
		CHECK(err.text[0]);
		return 0;
	}
	CHECK(quadlet[strlen(quadlet) - 1] == '\n');
	rest = quadlet;
	for (char *line; (line = strsep(&rest, "\n"));) {
		CHECK(!rest || line == quadlet || line[0] == '\0' || line[strlen(line) - 1] != '\\');
		check_line(line);
	}
	return 0;
}
