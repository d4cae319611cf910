/* The last wake of an instance: who began it, and where its time went. */
#pragma once

#include <cjson/cJSON.h>

#include "cli/terminal.h"
#include "control/observe.h"

/* Prints lines of a sheet. */
void wake_report_print(const struct terminal *t, const struct observation *o);

/* Adds members to the object. */
void wake_report_to_json(const struct stats *s, cJSON *object);
