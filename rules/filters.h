/* The filters of a list. */
#pragma once

#include "common/error.h"
#include "rules/uri.h"
#include "rules/verdict.h"

/* Are the filters in the query, if it has some, such as every engine reads alike? */
int filters_check(const struct uri *uri, struct error *err);

/* Adds the label of the rules to the filters in the query, so that the engine lists only what carries it. Containers that they
 * name must be the caller's. */
int filters_add_label(const struct verdict *v, struct uri *uri, struct error *err);

/* Containers that have the label from their image, whoever has created them, would be pruned, too: refused while there are any. */
int filters_check_prune(const struct verdict *v, struct error *err);
