#include "control/attend.h"

#include <string.h>

#include "common/clock.h"
#include "control/image.h"
#include "control/install.h"
#include "control/kept_up.h"
#include "control/known.h"
#include "control/note.h"
#include "control/rights.h"
#include "control/stranger.h"
#include "control/unattended.h"
#include "control/units_lock.h"
#include "units/paths.h"

/* Waits for a replacement in progress. */
static void heal(enum scope scope, const char *directory, const struct instance *i)
{
	_cleanup_close_ int lock = -1;
	struct error ignored;

	if (i->made_container && !i->unit && units_lock_take(scope, directory, &lock, &ignored) == 0)
		(void)made_heal(i, &ignored);
}

/* Else nothing has to be asked of its engine again. */
static bool has_running_dependency(const struct observation *o)
{
	for (size_t k = 0; k < o->stored->instance.n_dependencies; k++) {
		if (strcmp(o->dependency_states[k], container_state_name(CONTAINER_RUNNING)) == 0)
			return true;
	}
	return false;
}

int attend(enum scope scope, struct error *err)
{
	_cleanup_stored_list_ struct stored_list stored = {};
	_cleanup_manager_ struct manager *m = NULL;
	_cleanup_free_ struct observation *os = NULL;
	char directory[PATH_MAX];
	struct error trouble;

	if (unit_directory(scope, directory, err) < 0 || store_scan(directory, &stored, err) < 0)
		return -1;
	if (stored.n == 0)
		return 0;
	if (rights_require(scope, err) < 0 || manager_connect(scope, &m, err) < 0 ||
	    observe(scope, &stored, OBSERVE_PATIENCE, &os, &trouble, err) < 0)
		return -1;
	install_order_engines(m);
	for (size_t k = 0; k < stored.n; k++) {
		const struct instance *i = &stored.items[k].instance;
		char stranger[STRANGER_MAX];

		if (!stored.items[k].problem && strcmp(os[k].container_state, "missing") == 0)
			heal(scope, directory, i);
		if (!stored.items[k].problem && has_running_dependency(&os[k]))
			kept_up_look(i);
		if (os[k].state == STATE_ASLEEP && strcmp(os[k].container_state, "running") != 0)
			known_remember(i, os[k].container_id);
		if (os[k].stranger)
			note_print("'%s': %s", i->name, stranger_describe(i, stranger));
		if (unattended_is(&os[k]) && unattended_start(m, i))
			note_done("'%s': the container '%s' runs; it sleeps when nobody uses it", i->name,
				  i->container_name);
	}
	if (!trouble.text[0])
		return 0;
	*err = trouble;
	return -1;
}
