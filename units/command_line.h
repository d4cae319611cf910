/* A command line of a unit as words, also read from the text of a unit file. */
#pragma once

#include <stddef.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "instance/instance.h"

struct command_line {
	char **words; /* NULL-terminated once there is one */
	size_t n;
};
void command_line_clear(struct command_line *c);
#define _cleanup_command_line_ _cleanup_(command_line_clear)

/* Appends a copy of a word. */
int command_line_add(struct command_line *c, const char *word, struct error *err);

/* Reads the value of ExecStart= as render.c writes it: drops prefixes before the program, and undoes quotes, escapes
 * and "%%" (systemd.syntax(7), "Quoting"). Code EINVAL: a quote or an escape has no end. The caller clears *ret, also
 * after an error. */
int command_line_parse(const char *text, struct command_line *ret, struct error *err);
