/* Windows of a schedule as calendar events (systemd.time(7)). */
#pragma once

#include <stdio.h>

#include "instance/schedule.h"

/* Writes the lines "OnCalendar=…" that elapse in every minute of the window, and in no other. */
void calendar_put(FILE *f, const struct window *w);
