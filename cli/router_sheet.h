/* `sockwake router status` for people. */
#pragma once

#include "cli/terminal.h"
#include "common/error.h"
#include "control/router_view.h"

int router_sheet_print(const struct router_view *v, const struct terminal *t, struct error *err);
