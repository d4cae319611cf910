/* A Quadlet as text. Its values are read twice. First the generator splits Environment=, Label= and Exec= into words,
 * as systemd does, and takes Volume= unchanged. Then it quotes each value for the ExecStart= of a unit, in which
 * systemd expands specifiers and variables. So "%" and "$" are doubled everywhere, and only words are quoted (tried
 * with Podman 5.4). */
#include "units/quadlet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/parse.h"
#include "common/path.h"
#include "units/own_file.h"

#define QUADLET_SUFFIX "-container.container"
#define SERVICE	       "-container.service"
#define QUADLET_MAX    (1U << 20)

int quadlet_path(enum scope scope, const char *name, char ret[static PATH_MAX], struct error *err)
{
	char directory[PATH_MAX], file[UNIT_NAME_MAX + sizeof(QUADLET_SUFFIX)];

	if (quadlet_directory(scope, directory, err) < 0)
		return -1;
	snprintf(file, sizeof(file), "%s" QUADLET_SUFFIX, name);
	return path_join(directory, file, ret, err);
}

const char *quadlet_unit(const char *name, char ret[static UNIT_NAME_MAX])
{
	return unit_name(name, SERVICE, ret);
}

static void put_text(FILE *f, const char *s, bool quoted)
{
	for (; *s; s++) {
		if (*s == '%' || *s == '$')
			fputc(*s, f);
		else if (quoted && (*s == '"' || *s == '\\'))
			fputc('\\', f);
		fputc(*s, f);
	}
}

static void put_word(FILE *f, const char *s)
{
	fputc('"', f);
	put_text(f, s, true);
	fputc('"', f);
}

static void put_words(FILE *f, const char *key, char *const *words)
{
	for (; words && *words; words++) {
		fprintf(f, "%s=", key);
		put_word(f, *words);
		fputc('\n', f);
	}
}

/* Without an [Install] section only a connection starts it. The image must be here already, or the wake fails: a
 * client would not wait for a download. The network is up when somebody connects; waiting until it is "online" can
 * take minutes on a machine without one. */
static void put(FILE *f, const char *name, const struct made_container *o)
{
	fprintf(f, OWN_FILE_MARK " for its instance '%s'; 'sockwake remove --with-container %s' removes it.\n", name,
		name);
	fprintf(f, "[Unit]\nDescription=Container %s, woken on demand\n\n", name);
	fprintf(f, "[Container]\nContainerName=%s\nImage=", name);
	put_text(f, o->image, false);
	fprintf(f, "\nLabel=" MADE_LABEL "=%s\nPodmanArgs=--pull=never\n", name);
	put_words(f, "Environment", o->environment);
	for (char **v = o->volumes; v && *v; v++) {
		fputs("Volume=", f);
		put_text(f, *v, false);
		fputc('\n', f);
	}
	if (o->network) {
		fputs("Network=", f);
		put_text(f, o->network, false);
		fputc('\n', f);
	}
	if (o->command && o->command[0]) {
		fputs("Exec=", f);
		for (char **w = o->command; *w; w++) {
			if (w != o->command)
				fputc(' ', f);
			put_word(f, *w);
		}
		fputc('\n', f);
	}
	fputs("\n[Quadlet]\nDefaultDependencies=false\n", f);
}

char *quadlet_render(const char *name, const struct made_container *o, struct error *err)
{
	char *text = NULL, unit[UNIT_NAME_MAX];
	size_t len;
	FILE *f;

	if (!container_name_is_valid(name) || strlen(name) + strlen(SERVICE) >= sizeof(unit)) {
		error_set(err, EINVAL, "the name '%s' is too long for a unit of its own, or begins with '_' or '-'",
			  name);
		return NULL;
	}
	if (made_container_validate(o, err) < 0)
		return NULL;
	f = open_memstream(&text, &len);
	if (f)
		put(f, name, o);
	if (!f || ferror(f) | fclose(f)) {
		free(text);
		error_errno(err, ENOMEM, "cannot write the Quadlet of '%s'", name);
		return NULL;
	}
	return text;
}

/* "Key = VALUE" → VALUE, cut out in place; NULL: another line. */
static char *value_of(char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0)
		return NULL;
	line += len;
	line += strspn(line, " \t");
	if (*line++ != '=')
		return NULL;
	line += strspn(line, " \t");
	for (len = strlen(line); len > 0 && strchr(" \t\r", line[len - 1]); len--)
		;
	line[len] = '\0';
	return line;
}

char *quadlet_next(struct quadlet_reader *r, const char *key)
{
	for (char *line; (line = strsep(&r->rest, "\n"));) {
		char *value = r->inside ? value_of(line, key) : NULL;

		if (value)
			return value;
		if (line[0] == '[')
			r->inside = strncmp(line, "[Container]", 11) == 0;
	}
	return NULL;
}

bool quadlet_undouble(char *value)
{
	char *to = value;

	for (const char *from = value; *from; from++) {
		if ((*from == '%' || *from == '$') && *from != from[1])
			return false;
		*to++ = *from;
		from += *from == '%' || *from == '$';
	}
	*to = '\0';
	return true;
}

int quadlet_image(const char *path, char **ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct quadlet_reader reader = {};
	const char *found = NULL;

	*ret = NULL;
	if (file_read(AT_FDCWD, path, QUADLET_MAX, &text, NULL, err) < 0)
		return -1;
	reader.rest = text;
	for (const char *image; (image = quadlet_next(&reader, "Image"));)
		found = image;
	if (!found || !*found || strchr(found, '%'))
		return 0;
	*ret = strdup(found);
	return *ret ? 0 : error_errno(err, ENOMEM, "cannot read '%s'", path);
}
