/* The activator's command line (docs/architecture.md). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/option_table.h"
#include "instance/scope.h"
#include "lifecycle/decide.h"

enum mode { MODE_WAKE, MODE_SLEEP, MODE_FOLLOW, MODE_NOTIFY };

#define DEPENDENCIES_MAX 16

/* A dependency: brought up before the instance's own container, and put to sleep after it. */
struct dependency_options {
	const char *container;
	const char *unit; /* NULL, or the unit that runs it */
	uint16_t port;	  /* of its health check; 0: none */
	const char
		*health_check; /* in the proxy's notation, or "healthy", "completed"; NULL: it is ready when it runs */
	bool keep_running;
};

struct options {
	enum mode mode;
	enum scope scope; /* --scope, else by the effective uid */
	const char *name; /* of the instance */

	/* wake and sleep */
	enum backend_kind backend;
	const char *container;
	const char *engine_socket; /* NULL: see engine_find_socket() */
	const char *unit;	   /* NULL, or the unit that runs the container */
	bool idle_pause;	   /* --idle-action pause */
	bool keep_running;
	bool by_label; /* dependency_options(): a label names the dependency, not a person */
	bool job;      /* dependency_options(): the dependency has to end with status 0 (job.h) */
	struct dependency_options dependencies[DEPENDENCIES_MAX]; /* in the order of the wake */
	unsigned n_dependencies;

	/* sleep */
	enum event because;

	/* follow, and a wake after it */
	uint64_t recent; /* microseconds within which a container that has ended may still be restarted or replaced */

	/* wake */
	uint64_t startup_timeout; /* microseconds */
	bool healthy;
	const char *health_check; /* the proxy's health check, from the command; NULL: the default */
	char **command;		  /* NULL-terminated: the command of the proxy, and so of the checks of dependencies */

	/* notify */
	bool started; /* else stopped */
	const char *user;
};

extern const struct option_table activator_option_table;

/* Strings belong to argv. */
enum options_result activator_options_parse(int argc, char **argv, struct options *ret, struct error *err);
