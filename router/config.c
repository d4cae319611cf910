#include "router/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/parse.h"

static const char *const kinds[ENGINES] = {"docker", "podman"};

const char *engine_kind_name(enum engine_kind kind)
{
	return kinds[kind];
}

bool id_list_has(const struct id_list *list, unsigned id)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->ids[i] == id)
			return true;
	}
	return false;
}

void config_defaults(struct config *ret)
{
	*ret = (struct config){
		.path = CONFIG_PATH,
		.engines = {ENGINE_DOCKER, ENGINE_PODMAN},
		.n_engines = ENGINES,
		.system_users = {.ids = {0}, .n = 1},
		.start = START_LINGER,
		.connections = 4096,
		.connections_per_user = 512,
	};
}

static int add_id(struct id_list *list, unsigned id, struct error *err)
{
	if (list->n == CONFIG_NAMES_MAX)
		return error_set(err, 0, "more than %d names", CONFIG_NAMES_MAX);
	list->ids[list->n++] = id;
	return 0;
}

static int find_group(const char *name, gid_t *ret, struct error *err)
{
	const struct group *g = getgrnam(name);

	if (!g)
		return error_set(err, 0, "there is no group '%s'", name);
	*ret = g->gr_gid;
	return 0;
}

static int find_user(const char *name, uid_t *ret, struct error *err)
{
	const struct passwd *p = getpwnam(name);

	if (!p)
		return error_set(err, 0, "there is no user '%s'", name);
	*ret = p->pw_uid;
	return 0;
}

/* The name in "group NAME"; NULL if it is not that. */
static const char *named(const char *word, const char *kind)
{
	size_t n = strlen(kind);

	if (strncmp(word, kind, n) != 0 || !isblank((unsigned char)word[n]))
		return NULL;
	return word + n + strspn(word + n, " \t");
}

static int take_engine(struct config *c, const char *word, struct error *err)
{
	for (enum engine_kind kind = 0; kind < ENGINES; kind++) {
		if (strcmp(word, kinds[kind]) != 0)
			continue;
		for (size_t i = 0; i < c->n_engines; i++) {
			if (c->engines[i] == kind)
				return error_set(err, 0, "'%s' is there twice", word);
		}
		c->engines[c->n_engines++] = kind;
		return 0;
	}
	return error_set(err, 0, "'%s' is neither docker nor podman", word);
}

static int take_system(struct config *c, const char *word, struct error *err)
{
	const char *name;
	uid_t uid;
	gid_t gid;

	if (strcmp(word, "everybody") == 0) {
		c->everybody = true;
		return 0;
	}
	if (strcmp(word, "root") == 0)
		return add_id(&c->system_users, 0, err);
	name = named(word, "user");
	if (name)
		return find_user(name, &uid, err) < 0 ? -1 : add_id(&c->system_users, uid, err);
	name = named(word, "group");
	if (name)
		return find_group(name, &gid, err) < 0 ? -1 : add_id(&c->system_groups, gid, err);
	return error_set(err, 0, "'%s' is none of: root, user NAME, group NAME, everybody", word);
}

static int take_container(struct config *c, const char *word, struct error *err)
{
	if (strcmp(word, "all") == 0) {
		c->all_containers = true;
		return 0;
	}
	if (!container_name_is_valid(word))
		return error_set(err, 0, "'%s' is no name of a container", word);
	if (c->containers.n == CONFIG_NAMES_MAX)
		return error_set(err, 0, "more than %d names", CONFIG_NAMES_MAX);
	(void)snprintf(c->containers.names[c->containers.n++], CONFIG_NAME_MAX, "%s", word);
	return 0;
}

/* Each word of "a, b, c". */
static int take_words(struct config *c, char *value, int (*take)(struct config *c, const char *word, struct error *err),
		      struct error *err)
{
	for (char *rest = value, *word; (word = strsep(&rest, ","));) {
		size_t n;

		word += strspn(word, " \t");
		n = strlen(word);
		while (n > 0 && isblank((unsigned char)word[n - 1]))
			word[--n] = '\0';
		if (n == 0)
			return error_set(err, 0, "a name is missing");
		if (take(c, word, err) < 0)
			return -1;
	}
	return 0;
}

static int set_engines(struct config *c, char *value, struct error *err)
{
	c->n_engines = 0;
	c->orders_engines = true;
	return take_words(c, value, take_engine, err);
}

static int set_system(struct config *c, char *value, struct error *err)
{
	c->everybody = false;
	c->system_users.n = c->system_groups.n = 0;
	return take_words(c, value, take_system, err);
}

static int set_start(struct config *c, char *value, struct error *err)
{
	const char *group = named(value, "group");

	if (strcmp(value, "running") == 0)
		c->start = START_RUNNING;
	else if (strcmp(value, "linger") == 0)
		c->start = START_LINGER;
	else if (!group)
		return error_set(err, 0, "'%s' is none of: running, linger, group NAME", value);
	else if (find_group(group, &c->start_group, err) < 0)
		return -1;
	else
		c->start = START_GROUP;
	return 0;
}

static int set_containers(struct config *c, char *value, struct error *err)
{
	c->containers.n = 0;
	return take_words(c, value, take_container, err);
}

static int set_number(unsigned *number, const char *value, struct error *err)
{
	uint64_t n;

	if (parse_u64("the limit", value, 1, CONFIG_LIMIT_MAX, &n, err) < 0)
		return -1;
	*number = (unsigned)n;
	return 0;
}

static int set_flag(bool *flag, const char *value, struct error *err)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return error_set(err, 0, "'%s' is neither yes nor no", value);
	*flag = *value == 'y';
	return 0;
}

static int set_subordinate(struct config *c, char *value, struct error *err)
{
	return set_flag(&c->subordinate, value, err);
}

static int set_learn(struct config *c, char *value, struct error *err)
{
	return set_flag(&c->learn, value, err);
}

static int set_connections(struct config *c, char *value, struct error *err)
{
	return set_number(&c->connections, value, err);
}

static int set_connections_per_user(struct config *c, char *value, struct error *err)
{
	return set_number(&c->connections_per_user, value, err);
}

static const struct key {
	const char *name;
	int (*set)(struct config *c, char *value, struct error *err);
	bool of_user; /* users may set it for themselves */
} keys[] = {
	{"engines", set_engines, true},
	{"system", set_system, false},
	{"start", set_start, false},
	{"containers", set_containers, false},
	{"subordinate", set_subordinate, false},
	{"learn", set_learn, false},
	{"connections", set_connections, false},
	{"connections-per-user", set_connections_per_user, false},
};

static char *strip(char *s)
{
	size_t n;

	s += strspn(s, " \t\r");
	n = strlen(s);
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
	return s;
}

static int set_key(struct config *c, const char *name, char *value, bool own, struct error *err)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		if (own && !keys[i].of_user)
			return error_set(err, 0, "only the administrator may set '%s', in " CONFIG_PATH, name);
		return keys[i].set(c, value, err) < 0 ? error_context(err, "%s", name) : 0;
	}
	return error_set(err, 0, "unknown key '%s'", name);
}

/* One of ours in the wrong section; the others are those of rules/rules.h. */
static int check_rule(char *line, struct error *err)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, "= \t"), line);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].name, name) == 0)
			return error_set(err, 0, "'%s' belongs to the section [router]: move it above [rules]", name);
	}
	return 0;
}

static int read_section(struct config *c, const char *line, bool own, bool *in_rules, struct error *err)
{
	*in_rules = strcmp(line, "[rules]") == 0;
	if (*in_rules && own)
		return error_set(err, 0, "only the administrator may have rules, in " CONFIG_PATH);
	c->has_rules |= *in_rules;
	if (*in_rules || strcmp(line, "[router]") == 0)
		return 0;
	return error_set(err, 0, "there is no section '%s': it is [router] or [rules]", line);
}

static int read_line(struct config *c, char *line, bool own, bool *in_rules, struct error *err)
{
	char *value = strchr(line, '=');

	if (*line == '\0' || *line == '#')
		return 0;
	if (*line == '[')
		return read_section(c, line, own, in_rules, err);
	if (*in_rules)
		return check_rule(line, err);
	if (!value)
		return error_set(err, 0, "'%s' is no KEY = VALUE", line);
	*value = '\0';
	return set_key(c, strip(line), strip(value + 1), own, err);
}

int config_set_engines(struct config *c, const char *words, struct error *err)
{
	char value[256];

	if (snprintf(value, sizeof(value), "%s", words) >= (int)sizeof(value))
		return error_set(err, 0, "'%s' is too long", words);
	return set_engines(c, value, err);
}

void config_print_engines(const struct config *c, char ret[static 32])
{
	*ret = '\0';
	if (c->orders_engines)
		(void)snprintf(ret, 32, "%s%s%s", kinds[c->engines[0]], c->n_engines > 1 ? ", " : "",
			       c->n_engines > 1 ? kinds[c->engines[1]] : "");
}

static int check_rules(const struct config *c, const char *path, bool exists, struct error *err)
{
	if (c->restricted && !exists)
		return error_set(err, ENOENT,
				 "there is no file '%s': a restricted socket needs one, with a section [rules] "
				 "(docs/router-rules.md)",
				 path);
	if (c->restricted && !c->has_rules)
		return error_set(err, 0, "%s has no section [rules]: whoever opened this socket could do everything",
				 path);
	if ((c->everybody || c->all_containers || c->learn) && !c->has_rules)
		return error_set(
			err, 0, "%s: 'everybody', 'all' and 'learn' are for a socket with rules: add a section [rules]",
			path);
	return 0;
}

int config_parse(const char *path, char *text, bool own, struct config *c, struct error *err)
{
	unsigned number = 0;
	bool in_rules = false;

	if (!own)
		c->path = path;
	c->everybody = c->restricted;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		number++;
		if (read_line(c, strip(line), own, &in_rules, err) < 0)
			return error_context(err, "%s:%u", path, number);
	}
	return own ? 0 : check_rules(c, path, text, err);
}

int config_read(const char *path, bool own, struct config *c, struct error *err)
{
	_cleanup_free_ char *text = NULL;

	if (file_read(AT_FDCWD, path, CONFIG_MAX, &text, NULL, err) < 0 && !error_forgive(err, ENOENT))
		return -1;
	return config_parse(path, text, own, c, err);
}
