#include "units/drop_in.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/io.h"
#include "units/own_file.h"
#include "units/paths.h"
#include "units/run_command.h"

int drop_in_path(enum scope scope, const char *quadlet, const char *name, char ret[static PATH_MAX], struct error *err)
{
	const char *slash = strrchr(quadlet, '/');
	char directory[PATH_MAX];
	int n;

	if (quadlet_directory(scope, directory, err) < 0)
		return -1;
	n = snprintf(ret, PATH_MAX, "%s/%s.d/sockwake-%s.conf", directory, slash ? slash + 1 : quadlet, name);
	return n < PATH_MAX ? 0 : error_set(err, ENAMETOOLONG, "the path of a drop-in of '%s' is too long", quadlet);
}

/* A value that is written back must be one line, without special meaning to systemd. */
static bool is_plain(const char *value)
{
	return *value && strspn(value, "0123456789abcdefABCDEFtudpsc.:-[]/") == strlen(value);
}

static bool is_taken(const char *value, const struct instance *i)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (run_publish_takes(value, &i->ports[k]))
			return true;
	}
	return false;
}

char *drop_in_render(const struct instance *i, const char *section, const char *const *publish, struct error *err)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f) {
		error_errno(err, ENOMEM, "cannot render a drop-in");
		return NULL;
	}
	fprintf(f, OWN_FILE_MARK " for its instance '%s'; 'sockwake remove %s' removes it.\n", i->name, i->name);
	if (i->no_boot)
		fputs("\n# The first connection starts it, not the boot.\n[Install]\nWantedBy=\nRequiredBy=\nUpheldBy=\n",
		      f);
	if (i->drop_publish)
		fprintf(f, "\n# sockwake listens there.\n[%s]\nPublishPort=\n", section);
	for (; i->drop_publish && *publish; publish++) {
		if (!is_taken(*publish, i) && is_plain(*publish))
			fprintf(f, "PublishPort=%s\n", *publish);
	}
	if (fclose(f) != 0) {
		free(text);
		error_errno(err, ENOMEM, "cannot render a drop-in");
		return NULL;
	}
	return text;
}

int drop_in_write(const char *path, const char *text, char **ret_before, struct error *err)
{
	return own_file_write(path, text, 0644, ret_before, err);
}

int drop_in_remove(const char *path, struct error *err)
{
	char directory[PATH_MAX];

	if (own_file_remove(path, err) < 0)
		return -1;
	snprintf(directory, sizeof(directory), "%s", path);
	(void)rmdir(dirname(directory)); /* succeeds if it is empty */
	return 0;
}
