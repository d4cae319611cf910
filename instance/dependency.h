/* The dependencies of an instance (--with). */
#pragma once

#include "instance/instance.h"

/* "CONTAINER[:PORT[:HEALTH-CHECK]]", as in --with; PORT may be empty, so that a check can follow. Members that are not
 * given stay empty. The caller clears *ret, also after an error. */
int dependency_parse(const char *text, struct dependency *ret, struct error *err);
void dependency_clear(struct dependency *d);

/* For a person: "db:5432 (postgres)", "cache". */
#define DEPENDENCY_TEXT_MAX (256 + 16 + INSTANCE_TEXT_MAX)
const char *dependency_format(const struct dependency *d, char ret[static DEPENDENCY_TEXT_MAX]);

/* What the instance does with one of its dependencies, in their order: "first wakes", "first runs", "then". */
const char *dependency_lead(const struct instance *i, size_t k);

/* One of an instance's dependencies, as a line of a list in their order: " first wakes db:5432 (postgres)". */
#define DEPENDENCY_LINE_MAX (DEPENDENCY_TEXT_MAX + 16)
const char *dependency_line(const struct instance *i, size_t k, char ret[static DEPENDENCY_LINE_MAX]);

/* A part of instance_validate(): the rules for i->dependencies. */
int dependencies_validate(const struct instance *i, struct error *err);
