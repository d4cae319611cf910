/* The command line of create. */
#pragma once

#include "common/option_table.h"
#include "control/create_request.h"

/* Reads the command line and fills in the defaults, without asking an engine or the manager. The caller clears *ret,
 * also after an error. */
int create_options_parse(int argc, char *argv[], struct create_request *ret, struct error *err);
extern const struct option_table create_option_table;
