#include "rules/rules.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/nearest.h"
#include "common/parse.h"
#include "rules/endpoint.h"

#define FILE_MAX (256U * 1024)

/* The values that a key takes. */
enum values {
	YES,	   /* yes or no */
	WORDS,	   /* any word */
	ACTIONS,   /* names of the table of endpoints */
	LABEL,	   /* KEY=VALUE, once */
	PATHS,	   /* absolute paths */
	DIRECTORY, /* absolute paths, with or without a "*" for all below */
};

static const struct key {
	const char *name;
	enum values values;
} keys[RULES_KEYS] = {
	[RULES_ALLOW] = {"allow", ACTIONS},
	[RULES_LABEL] = {"label", LABEL},
	[RULES_BIND] = {"bind", DIRECTORY},
	[RULES_BIND_READ_ONLY] = {"bind-read-only", DIRECTORY},
	[RULES_VOLUME] = {"volume", WORDS},
	[RULES_VOLUME_DRIVER] = {"volume-driver", WORDS},
	[RULES_VOLUME_OPTIONS] = {"volume-options", YES},
	[RULES_VOLUMES_FROM] = {"volumes-from", YES},
	[RULES_PROPAGATION] = {"propagation", WORDS},
	[RULES_PRIVILEGED] = {"privileged", YES},
	[RULES_EXEC_PRIVILEGED] = {"exec-privileged", YES},
	[RULES_CAPABILITY] = {"capability", WORDS},
	[RULES_DEVICE] = {"device", PATHS},
	[RULES_DEVICE_RULES] = {"device-rules", YES},
	[RULES_GPUS] = {"gpus", YES},
	[RULES_NETWORK] = {"network", WORDS},
	[RULES_NETWORK_DRIVER] = {"network-driver", WORDS},
	[RULES_NETWORK_OPTIONS] = {"network-options", YES},
	[RULES_PUBLISH] = {"publish", YES},
	[RULES_PID] = {"pid", WORDS},
	[RULES_IPC] = {"ipc", WORDS},
	[RULES_UTS] = {"uts", WORDS},
	[RULES_CGROUP_NAMESPACE] = {"cgroup-namespace", WORDS},
	[RULES_USER_NAMESPACE] = {"user-namespace", WORDS},
	[RULES_CGROUP_PARENT] = {"cgroup-parent", WORDS},
	[RULES_ANNOTATION] = {"annotation", WORDS},
	[RULES_SECURITY_OPTION] = {"security-option", WORDS},
	[RULES_UNMASK] = {"unmask", YES},
	[RULES_RESTART] = {"restart", WORDS},
	[RULES_SYSCTL] = {"sysctl", WORDS},
	[RULES_RUNTIME] = {"runtime", WORDS},
	[RULES_LOG_DRIVER] = {"log-driver", WORDS},
	[RULES_LOG_OPTION] = {"log-option", WORDS},
	[RULES_STORAGE_OPTIONS] = {"storage-options", YES},
	[RULES_ULIMITS] = {"ulimits", YES},
	[RULES_OOM] = {"oom", YES},
	[RULES_REALTIME] = {"realtime", YES},
};

struct words {
	char **items;
	size_t n;
};

struct rules {
	char *file;
	char *label_key, *label_value;
	struct words of[RULES_KEYS];
};

void rules_free(struct rules **r)
{
	if (!*r)
		return;
	for (size_t k = 0; k < RULES_KEYS; k++) {
		for (size_t n = 0; n < (*r)->of[k].n; n++)
			free((*r)->of[k].items[n]);
		free((*r)->of[k].items);
	}
	free((*r)->file);
	free((*r)->label_key);
	free((*r)->label_value);
	free_ptr(r);
}

static int add_word(struct words *to, const char *word, struct error *err)
{
	char **items = reallocarray(to->items, to->n + 1, sizeof(*items));

	if (items)
		to->items = items;
	if (!items || !(items[to->n] = strdup(word)))
		return error_errno(err, ENOMEM, "cannot remember the rules");
	to->n++;
	return 0;
}

static int take_label(struct rules *r, const char *word, struct error *err)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word || !equals[1])
		return error_set(err, 0, "the label '%s' is not KEY=VALUE", word);
	/* An instruction of a Dockerfile names it, too: there "$x" would be a variable. */
	if (strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-") !=
	    (size_t)(equals - word))
		return error_set(
			err, 0, "the key of the label '%s' has other characters than letters, digits and '._/-'", word);
	if (r->label_key)
		return error_set(err, 0, "there is a label already: '%s=%s'", r->label_key, r->label_value);
	r->label_key = strndup(word, (size_t)(equals - word));
	r->label_value = strdup(equals + 1);
	if (!r->label_key || !r->label_value)
		return error_errno(err, ENOMEM, "cannot remember the rules");
	return 0;
}

static int check_action(const char *word, struct error *err)
{
	const char *names[ENDPOINT_ACTIONS_MAX], *meant;
	size_t n = endpoint_actions(names);

	for (size_t k = 0; k < n; k++) {
		if (strcmp(names[k], word) == 0)
			return 0;
	}
	meant = nearest(word, names, n);
	return error_set(err, 0, "there is no action '%s'%s%s%s", word, meant ? "; did you mean '" : "",
			 meant ? meant : "", meant ? "'?" : "");
}

/* The paths are compared as text with what a client asks for, so there is one way to write them. */
static int check_directory(const char *word, bool below, struct error *err)
{
	size_t len = strlen(word);

	if (below && len >= 2 && strcmp(word + len - 2, "/*") == 0)
		len -= 2;
	if (word[0] != '/' || (len > 1 && word[len - 1] == '/') || memmem(word, len, "//", 2) ||
	    memchr(word, '*', len) || memmem(word, len, "/./", 3) || !path_is_valid(word))
		return error_set(err, 0, "'%s' is not an absolute path without '//', '.', '..' and '/' at its end",
				 word);
	return 0;
}

static int take_word(struct rules *r, enum rules_key key, const char *word, struct error *err)
{
	int checked = 0;

	switch (keys[key].values) {
	case YES:
		if (strcmp(word, "no") == 0)
			return 0;
		if (strcmp(word, "yes") != 0)
			checked = error_set(err, 0, "'%s' is neither yes nor no", word);
		break;
	case ACTIONS:
		checked = check_action(word, err);
		break;
	case LABEL:
		checked = take_label(r, word, err);
		break;
	case PATHS:
	case DIRECTORY:
		checked = check_directory(word, keys[key].values == DIRECTORY, err);
		break;
	case WORDS:
		break;
	}
	return checked < 0 ? -1 : add_word(&r->of[key], word, err);
}

static int find_key(const char *name, enum rules_key *ret, struct error *err)
{
	const char *names[RULES_KEYS], *meant;

	for (size_t k = 0; k < RULES_KEYS; k++) {
		names[k] = keys[k].name;
		if (strcmp(names[k], name) == 0) {
			*ret = (enum rules_key)k;
			return 0;
		}
	}
	meant = nearest(name, names, RULES_KEYS);
	return error_set(err, 0, "there is no key '%s'%s%s%s", name, meant ? "; did you mean '" : "",
			 meant ? meant : "", meant ? "'?" : "");
}

/* Takes off the blanks around a line, and makes those within it spaces. */
static char *trim(char *s)
{
	for (char *tab = s; (tab = strchr(tab, '\t'));)
		*tab = ' ';
	char *end = s + strlen(s);

	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return s + strspn(s, " ");
}

static int take_line(struct rules *r, char *line, struct error *err)
{
	char *equals = strchr(line, '='), *state, *word;
	enum rules_key key;

	if (!equals)
		return error_set(err, 0, "'%s' is not KEY = VALUE", line);
	*equals = '\0';
	if (find_key(trim(line), &key, err) < 0)
		return -1;
	word = strtok_r(equals + 1, " ", &state);
	if (!word)
		return error_set(err, 0, "'%s' has no value", keys[key].name);
	for (; word; word = strtok_r(NULL, " ", &state)) {
		if (take_word(r, key, word, err) < 0)
			return -1;
	}
	return 0;
}

/* Takes the lines of the section out of the text; *ret_section says whether there is one. */
static int take_lines(struct rules *r, char *text, bool *ret_section, struct error *err)
{
	bool within = false;
	unsigned number = 0;

	*ret_section = false;
	for (char *next = text, *line; (line = strsep(&next, "\n"));) {
		number++;
		line = trim(line);
		if (line[0] == '[') {
			within = strcmp(line, "[rules]") == 0;
			*ret_section |= within;
		} else if (within && line[0] && line[0] != '#') {
			if (!text_is_printable(line))
				error_set(err, 0, "the line is not printable text");
			else if (take_line(r, line, err) == 0)
				continue;
			return error_context(err, "%s:%u", r->file, number);
		}
	}
	return 0;
}

int rules_parse(const char *path, char *text, struct rules **ret, struct error *err)
{
	_cleanup_rules_ struct rules *r = calloc(1, sizeof(*r));
	bool section;

	if (!r || !(r->file = strdup(path)))
		return error_errno(err, ENOMEM, "cannot read '%s'", path);
	if (take_lines(r, text, &section, err) < 0)
		return -1;
	*ret = section ? steal_ptr(&r) : NULL;
	return 0;
}

int rules_read(const char *path, struct rules **ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (file_read(AT_FDCWD, path, FILE_MAX, &text, &len, err) < 0)
		return -1;
	if (strlen(text) != len)
		return error_set(err, 0, "%s: a NUL byte is in it", path);
	return rules_parse(path, text, ret, err);
}

/* "ci_*" stands for each volume and network whose name begins with "ci_". */
static bool prefix_covers(enum rules_key key, const char *word, size_t len, const char *value)
{
	if ((key != RULES_VOLUME && key != RULES_NETWORK) || len == 0 || word[len - 1] != '*')
		return false;
	/* Engines take it for the beginning of an ID, if there is no network of this name. */
	if (key == RULES_NETWORK && len > 1 && value[strspn(value, "0123456789abcdef")] == '\0')
		return false;
	return strcmp(value, "host") != 0 && strcmp(value, "container") != 0 && strncmp(word, value, len - 1) == 0;
}

/* "seccomp" stands for each "seccomp=…"; "DIRECTORY/" and a star for each path below. */
static bool word_covers(enum rules_key key, const char *word, const char *value)
{
	size_t len = strlen(word);

	if (strcmp(word, value) == 0 || prefix_covers(key, word, len, value))
		return true;
	if (keys[key].values == DIRECTORY && len >= 2 && strcmp(word + len - 2, "/*") == 0)
		return strncmp(word, value, len - 1) == 0;
	return key == RULES_SECURITY_OPTION && !strchr(word, '=') && strncmp(word, value, len) == 0 &&
	       value[len] == '=';
}

bool rules_grant(const struct rules *r, enum rules_key key, const char *value)
{
	for (size_t k = 0; k < r->of[key].n; k++) {
		if (word_covers(key, r->of[key].items[k], value))
			return true;
	}
	return false;
}

bool rules_names(const struct rules *r, enum rules_key key, const char *value)
{
	for (size_t k = 0; k < r->of[key].n; k++) {
		if (strcmp(r->of[key].items[k], value) == 0)
			return true;
	}
	return false;
}

const char *rules_label(const struct rules *r)
{
	return r->label_key ? r->of[RULES_LABEL].items[0] : NULL;
}

const char *rules_label_key(const struct rules *r)
{
	return r->label_key;
}

const char *rules_label_value(const struct rules *r)
{
	return r->label_value;
}

const char *rules_key_name(enum rules_key key)
{
	return keys[key].name;
}

const char *rules_file(const struct rules *r)
{
	return r->file;
}
