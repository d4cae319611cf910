#include "control/preview.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "control/advice.h"
#include "control/create_unit.h"
#include "control/dependencies.h"
#include "control/health_word.h"
#include "control/image.h"
#include "control/listen_check.h"
#include "control/no_effect.h"
#include "control/note.h"
#include "control/warning.h"
#include "units/paths.h"
#include "units/render.h"

static int put_units(FILE *f, const struct instance *i, struct error *err)
{
	_cleanup_rendered_ struct rendered units = {};

	if (units_render(i, &units, err) < 0)
		return -1;
	fprintf(f, "# --- %s" SOCKET_SUFFIX " ---\n%s\n# --- %s" SERVICE_SUFFIX " ---\n%s", i->name, units.socket,
		i->name, units.service);
	if (units.timer)
		fprintf(f, "\n# --- %s" TIMER_SUFFIX " ---\n%s", i->name, units.timer);
	return 0;
}

/* What create would refuse, as far as this user may ask: a dry run also works without an engine. */
static void note_obstacles(const struct instance *i)
{
	bool may_ask = i->engine_socket && access(i->engine_socket, R_OK | W_OK) == 0;
	char why[WARNING_MAX];

	if (warning_find_obstacle(i, may_ask, why, sizeof(why)))
		note_print("%s", why);
	if (listen_check_describe_absent(i, why, sizeof(why)))
		note_print("%s", why);
}

int preview_render(struct create_request *r, char **ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int done, failed;

	if (!f)
		return error_errno(err, ENOMEM, "cannot print the units");
	if (create_unit_preview(r, err) < 0) {
		fclose(f);
		return -1;
	}
	advice_note(r);
	no_effect_note(&r->instance);
	health_word_note(&r->instance);
	dependencies_note_unresolved(r);
	note_obstacles(&r->instance);
	done = r->to_make.image ? made_put(f, r, err) : 0;
	if (done == 0)
		done = put_units(f, &r->instance, err);
	failed = ferror(f);
	if (fclose(f) != 0 || failed)
		done = error_errno(err, ENOMEM, "cannot print the units");
	if (done == 0)
		*ret = steal_ptr(&text);
	return done;
}
