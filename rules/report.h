/* What a connection did, and which rules it needed: for the journal, and for those who write the rules. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"
#include "rules/rules.h"

#define REPORT_FIRST_MAX 256

struct rules_need {
	enum rules_key key;
	char *value;
};

struct rules_report {
	uint64_t to_engine; /* bytes */
	uint64_t to_client;
	char first
		[REPORT_FIRST_MAX]; /* the first request that is not a ping, if there is one: "GET /v1.41/containers/json", without its query; printable */
	char refusal[REPORT_FIRST_MAX]; /* what the last one that was refused was told; printable */
	unsigned requests;
	unsigned refused;
	struct rules_need *needs; /* each once; those that the rules lack */
	size_t n;
};

void rules_report_clear(struct rules_report *r);

/* Notes a rule that is needed and missing. */
int report_need(struct rules_report *r, enum rules_key key, const char *value, struct error *err);

/* Prints the rules that were needed, one a line, "KEY = VALUE"; what no rule can allow is a comment. The lines of several
 * reports may be sorted and joined. */
void rules_learned_print(const struct rules_report *r, FILE *f);

#define _cleanup_report_ _cleanup_(rules_report_clear)
