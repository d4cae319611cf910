/* The command line of nshelper, as nshelper(8) describes it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/option_table.h"

struct nshelper_options {
	pid_t pid;	  /* -1: pidfd is used */
	int pidfd;	  /* inherited, from --pidfd or VARIABLE_PIDFD; -1: pid is used */
	const char *user; /* NULL: keep the present user */
	bool container_root;
	bool unreachable;    /* refuse a command that processes in the container could trace */
	bool outside_source; /* servers see clients as outsiders */
	bool transparent;
	uint32_t mark;	/* of --transparent */
	char **command; /* NULL-terminated, at least one word */
};

extern const struct option_table nshelper_option_table;

/* The strings of *ret belong to argv and the environment. May change the order of argv's words, not their text. */
enum options_result nshelper_options_parse(int argc, char *argv[], struct nshelper_options *ret, struct error *err);
