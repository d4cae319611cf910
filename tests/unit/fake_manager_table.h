/* What the fake service manager knows and is to do: the units' properties, and events. It is in memory that the test and the
 * manager share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* What the table has besides units: FAKE_MANAGER, and "job/NUMBER". */
#define FAKE_MANAGER "manager"

enum fake_what {
	SET,	/* unit, name, value: a property changes before the answer */
	FAIL,	/* value: the error's name is the answer */
	GARBLE, /* the answer has a type that nobody expects */
	SILENT, /* no answer */
	DROP,	/* the connection ends in place of the answer */
	REEXEC, /* all connections end, and a moment later the manager is there again */
	GO,	/* they end for good */
	END,	/* value: jobs that are pending end so, after the answer */
};

struct fake_event {
	char on[96];	/* how the call begins: "StartUnit x.service", "Get x.service ActiveState", "GetAll" */
	unsigned after; /* so many of those calls go well before */
	unsigned times; /* 0: once; so often; UINT32_MAX: always */
	enum fake_what what;
	char unit[80], name[32], value[160];
};

struct fake_manager {
	char directory[64];
	char socket[96];
	pid_t pid;
	size_t told; /* for the test: how much of table->calls it has looked at */
	struct fake_table {
		struct fake_property {
			char unit[80], name[32], value[160];
		} properties[160];
		size_t n_properties;
		struct fake_event events[24];
		size_t n_events;
		unsigned connections, open; /* all that there were, and now */
		unsigned invocations;
		size_t n_calls;
		char calls[32768]; /* lines; questions about properties are left out */
	} * table;
};

static inline const char *fake_find(const struct fake_table *t, const char *unit, const char *name)
{
	for (size_t k = 0; k < t->n_properties; k++) {
		const struct fake_property *p = &t->properties[k];

		if (strcmp(p->unit, unit) == 0 && (!name || strcmp(p->name, name) == 0))
			return p->value;
	}
	return NULL;
}

static inline void fake_table_set(struct fake_table *t, const char *unit, const char *name, const char *value)
{
	char *found = (char *)fake_find(t, unit, name);
	struct fake_property *p = &t->properties[t->n_properties];

	if (found) {
		snprintf(found, sizeof(p->value), "%s", value);
		return;
	}
	if (t->n_properties == sizeof(t->properties) / sizeof(*t->properties))
		abort();
	snprintf(p->unit, sizeof(p->unit), "%s", unit);
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->value, sizeof(p->value), "%s", value);
	t->n_properties++;
}
