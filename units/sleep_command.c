#include "units/sleep_command.h"

#include "instance/health_check.h"
#include "units/command_line.h"

/* Adds nothing after a word that could not be added. */
static int add(struct command_line *c, int r, const char *word, struct error *err)
{
	return r < 0 ? -1 : command_line_add(c, word, err);
}

static int add_option(struct command_line *c, int r, const char *option, const char *value, struct error *err)
{
	return value ? add(c, add(c, r, option, err), value, err) : r;
}

/* Labels must not stop a dependency that somebody else has started. */
static int add_dependency(struct command_line *c, int r, const struct instance *i, const struct dependency *d,
			  struct error *err)
{
	r = add_option(c, r, "--with", d->container, err);
	r = add_option(c, r, "--with-unit", d->unit, err);
	if (health_check_is_completed(d->health_check)) /* which is not put to sleep */
		r = add_option(c, r, "--with-health-check", d->health_check, err);
	return i->keep_running || i->adopted ? add(c, r, "--with-keep-running", err) : r;
}

int units_sleep_command(const struct instance *i, struct command_line *ret, struct error *err)
{
	int r;

	*ret = (struct command_line){};
	r = command_line_add(ret, LIBEXECDIR "/activator", err);
	r = add(ret, r, "--sleep", err);
	r = add_option(ret, r, "--name", i->name, err);
	r = add_option(ret, r, "--backend", backend_kind_name(i->backend), err);
	r = add_option(ret, r, "--container", i->container_name, err);
	r = add_option(ret, r, "--engine-socket", i->engine_socket, err);
	r = add_option(ret, r, "--unit", i->unit, err);
	if (i->keep_running)
		r = add(ret, r, "--keep-running", err);
	r = add_option(ret, r, "--idle-action", idle_action_name(i->idle_action), err);
	for (size_t k = 0; k < i->n_dependencies; k++)
		r = add_dependency(ret, r, i, &i->dependencies[k], err);
	return r;
}
