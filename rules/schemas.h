/* The schemas of all bodies that are JSON (endpoint.h), and what each key of them needs. */
#pragma once

#include <cjson/cJSON.h>

#include "rules/endpoint.h"
#include "rules/verdict.h"

/* Checks the body of a request, and makes of it what is to be sent: with full IDs instead of names, and with the label. */
int schemas_check(const struct verdict *v, enum endpoint_schema schema, cJSON *body, struct error *err);
