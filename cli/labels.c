#include "cli/labels.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/create_options.h"
#include "common/parse.h"
#include "control/wish.h"
#include "instance/health_check.h"
#include "instance/made_container.h"

#define ARGUMENTS_MAX 1024
#define PUBLISH_LABEL LABEL_PREFIX "publish"

enum label_type { TEXT, LIST, WINDOWS, FLAG };

static const struct known {
	const char *name; /* of the label after the prefix, and of the option */
	enum label_type type;
} table[] = {
	{"publish", LIST},
	{"name", TEXT},
	{"startup-timeout", TEXT},
	{"idle-timeout", TEXT},
	{"health-check", TEXT},
	{"idle-action", TEXT},
	{"keep-running", FLAG},
	{"target", LIST},
	{"no-wake-from", LIST},
	{"no-hold-from", LIST},
	{"connection-timeout", TEXT},
	{"keepalive", TEXT},
	{"drain-timeout", TEXT},
	{"proxy-protocol", TEXT},
	{"transparent", FLAG},
	{"workers", TEXT},
	{"no-notifications", FLAG},
	{"warm-for", TEXT},
	{"schedule", WINDOWS},
	{"with", LIST},
	{"with-project", FLAG},
	{"ignore-from", LIST},
	{"hold", TEXT},
	{"flow-timeout", TEXT},
};
#define N_KNOWN (sizeof(table) / sizeof(*table))

static const struct known *find_known(const char *key)
{
	for (size_t k = 0; k < N_KNOWN; k++) {
		if (strcmp(table[k].name, key + strlen(LABEL_PREFIX)) == 0)
			return &table[k];
	}
	return NULL;
}

/* A command line under construction; each argument is malloc()ed. */
struct arguments_list {
	char *argv[ARGUMENTS_MAX + 1];
	int argc;
};

static void arguments_list_clear(struct arguments_list *a)
{
	while (a->argc > 0)
		free(a->argv[--a->argc]);
}
#define _cleanup_arguments_list_ _cleanup_(arguments_list_clear)

/* Adds option and value as one word, so that a value is never taken for an option. */
__attribute__((format(printf, 3, 4))) static int add(struct arguments_list *a, struct error *err, const char *format,
						     ...)
{
	va_list ap;
	int n;

	if (a->argc == ARGUMENTS_MAX)
		return error_set(err, EINVAL, "they ask for more than %d things", ARGUMENTS_MAX);
	va_start(ap, format);
	n = vasprintf(&a->argv[a->argc], format, ap);
	va_end(ap);
	if (n < 0)
		return error_errno(err, ENOMEM, "cannot read the labels");
	a->argv[++a->argc] = NULL;
	return 0;
}

static int add_base(struct arguments_list *a, const struct container *c, const struct instance *base, struct error *err)
{
	if (add(a, err, "create") < 0 || add(a, err, "--scope=%s", scope_name(base->scope)) < 0 ||
	    add(a, err, "--backend=%s", backend_kind_name(base->backend)) < 0 ||
	    add(a, err, "--engine-socket=%s", base->engine_socket) < 0 ||
	    add(a, err, "--container-name=%s", c->name) < 0)
		return -1;
	/* root has no desktop, and the container's label cannot mean the current caller of sudo */
	return base->scope == SCOPE_SYSTEM ? add(a, err, "--no-notifications") : 0;
}

static int add_list(struct arguments_list *a, const char *option, const char *value, char separator, struct error *err)
{
	const char *end;

	for (;; value = end + 1) {
		value += strspn(value, " ");
		end = strchrnul(value, separator);
		if (add(a, err, "--%s=%.*s", option, (int)(end - value), value) < 0)
			return -1;
		for (char *last = a->argv[a->argc - 1]; *last && last[strlen(last) - 1] == ' ';)
			last[strlen(last) - 1] = '\0';
		if (!*end)
			return 0;
	}
}

static int add_label(struct arguments_list *a, const struct label *l, struct error *err)
{
	const struct known *k = find_known(l->key);

	switch (k->type) {
	case TEXT:
		return add(a, err, "--%s=%s", k->name, l->value);
	case LIST:
		return add_list(a, k->name, l->value, ',', err);
	case WINDOWS: /* its weekdays have commas */
		return add_list(a, k->name, l->value, ';', err);
	case FLAG:
		return strcmp(l->value, "true") == 0 ? add(a, err, "--%s", k->name) : 0;
	}
	return 0;
}

/* Parses all labels, or only `only` beside the mandatory ones. */
static int parse(const struct container *c, const struct instance *base, const struct label *only,
		 struct create_request *ret, struct error *err)
{
	_cleanup_arguments_list_ struct arguments_list a = {};
	int r = add_base(&a, c, base, err);

	if (r == 0 && only && strcmp(only->key, PUBLISH_LABEL) != 0)
		r = add(&a, err, "--publish=1:1");
	if (r == 0 && only && strcmp(only->key, LABEL_PREFIX "name") != 0)
		r = add(&a, err, "--name=x");
	for (size_t k = 0; r == 0 && k < c->n_labels; k++) {
		if (only ? &c->labels[k] == only : wish_is(&c->labels[k]))
			r = add_label(&a, &c->labels[k], err);
	}
	if (r == 0)
		r = create_options_parse(a.argc, a.argv, ret, err);
	if (r < 0)
		err->code = EINVAL; /* not wrong usage of the command itself */
	return r;
}

static int refuse_command(struct error *err)
{
	return error_set(err, EINVAL,
			 "a label cannot have commands run on the host: it takes " HEALTH_CHECK_WORDS " or none");
}

/* Refuses options that only a person may request. */
static int check_reach(const struct label *l, const struct known *k, struct error *err)
{
	if (k->type == FLAG && strcmp(l->value, "true") != 0 && strcmp(l->value, "false") != 0)
		return error_set(err, EINVAL, "'%s' is neither true nor false", l->value);
	return strcmp(k->name, "health-check") == 0 && health_check_is_command(l->value) ? refuse_command(err) : 0;
}

static int check_label(const struct container *c, const struct instance *base, const struct label *l, struct error *err)
{
	_cleanup_create_request_ struct create_request r = {};
	const struct known *k = find_known(l->key);

	if (!k)
		return error_set(err, EINVAL, "there is no such label: 'sockwake help adopt' lists them");
	if (!l->value)
		return error_set(err, EINVAL, "its value is not one line of printable UTF-8");
	if (check_reach(l, k, err) < 0 || parse(c, base, l, &r, err) < 0)
		return -1;
	for (size_t n = 0; n < r.instance.n_dependencies; n++) {
		if (health_check_is_command(r.instance.dependencies[n].health_check))
			return refuse_command(err);
	}
	return 0;
}

int labels_to_request(const struct container *c, const struct instance *base, struct create_request *ret,
		      struct error *err)
{
	*ret = (struct create_request){};
	for (size_t k = 0; k < c->n_labels; k++) {
		if (wish_is(&c->labels[k]) && check_label(c, base, &c->labels[k], err) < 0)
			return error_context(err, "the container '%s', label '%s'", c->name, c->labels[k].key);
	}
	if (!container_label(c, PUBLISH_LABEL))
		return error_set(err, EINVAL,
				 "the container '%s' has labels that begin with '" LABEL_PREFIX
				 "', but not '" PUBLISH_LABEL "', which says where to listen",
				 c->name);
	if (parse(c, base, NULL, ret, err) < 0)
		return error_context(err, "the container '%s', its labels together", c->name);
	for (size_t k = 0; k < ret->instance.n_ports; k++) {
		if (ret->instance.ports[k].path[0])
			return error_set(err, EINVAL,
					 "the container '%s', label '" PUBLISH_LABEL
					 "': a label cannot have a path of the host listened on, only ports",
					 c->name);
	}
	ret->instance.adopted = true;
	return 0;
}

/* The label that stands for the option at the beginning of the text, and the length of that; NULL: none does. */
static const struct known *find_option(const char *text, size_t *ret_len)
{
	size_t len = strncmp(text, "--", 2) == 0 ? strspn(text + 2, "abcdefghijklmnopqrstuvwxyz-") : 0;

	*ret_len = len + 2;
	for (size_t k = 0; k < N_KNOWN; k++) {
		if (strlen(table[k].name) == len && strncmp(table[k].name, text + 2, len) == 0)
			return &table[k];
	}
	return NULL;
}

/* A quotation that does not begin with an option is a command, or a value. A mark after a letter is an apostrophe. */
static bool begins_foreign(const char *text, const char *mark)
{
	return (mark == text || !isalnum((unsigned char)mark[-1])) && strncmp(mark + 1, "--", 2) != 0;
}

void labels_name_options(const char *text, char *ret, size_t size)
{
	const char *foreign = NULL; /* the end of such a quotation */
	size_t n = 0, len;

	for (const char *p = text; *p && n + 1 < size; p += len) {
		const struct known *k = p < foreign ? NULL : find_option(p, &len);
		bool assigned = k && k->type != FLAG && p > text && p[-1] == '\'' && p[len] == ' ';

		if (*p == '\'' && p >= foreign && begins_foreign(text, p))
			foreign = strchr(p + 1, '\'');
		if (k && assigned)
			len++; /* the blank before the value */
		if (!k)
			len = 1;
		n += (size_t)(k ? snprintf(ret + n, size - n, LABEL_PREFIX "%s%s", k->name, assigned ? "=" : "")
				: snprintf(ret + n, size - n, "%c", *p));
	}
}
