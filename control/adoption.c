#include "control/adoption.h"

#include <string.h>

#include "control/install.h"
#include "control/note.h"
#include "control/selinux.h"
#include "control/sharing.h"
#include "control/signals.h"
#include "units/query.h"

void adoption_clear(struct adoption *a)
{
	manager_close(&a->manager);
	container_list_clear(&a->containers);
	stored_list_clear(&a->instances);
	stored_list_clear(&a->freed);
}

int adoption_scan_again(struct adoption *a, struct error *err)
{
	if (a->what->dry_run)
		return 0;
	stored_list_clear(&a->instances);
	return store_scan(a->directory, &a->instances, err);
}

bool adoption_owns(const struct adoption *a, const struct stored *s)
{
	const struct instance *i = &s->instance;

	return !s->problem && i->adopted && instances_share_engine(i, &a->what->base);
}

int adoption_unit_is_gone(const struct adoption *a, const char *unit, bool *ret, bool *ret_runs, struct error *err)
{
	struct unit_state state = {};
	int r = manager_query(a->manager, &unit, 1, &state, err);

	*ret = r == 0 && strcmp(state.load_state, "loaded") != 0;
	*ret_runs = r == 0 && strcmp(state.active_state, "active") == 0;
	unit_states_clear(&state, 1);
	return r;
}

int adoption_remove(struct adoption *a, const struct stored *s, struct error *err)
{
	const sigset_t before = signals_mask();
	int r;

	/* the container itself may remain, without labels or with another instance */
	r = install_remove(a->manager, a->directory, a->what->base.scope, s, &a->instances, SETTLE_OWN, err);
	if (r < 0) {
		error_context(err, "'%s' is not removed", s->instance.name);
	} else {
		if (!s->instance.no_selinux)
			selinux_unlabel_ports(&s->instance, &a->instances);
		r = install_forget(a->manager, a->what->base.scope, &s, 1, err);
	}
	signals_release(&before);
	return r;
}

void adoption_tell(struct adoption *a, const struct error *err)
{
	a->failed++;
	note_print("%s", err->text);
}
