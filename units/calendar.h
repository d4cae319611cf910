/* Windows of a schedule as calendar events (systemd.time(7)). */
#pragma once

#include <stdio.h>

#include "instance/schedule.h"

/* Writes "OnCalendar=…" lines that elapse in every minute of the window, and at no other time. */
void calendar_put(FILE *f, const struct window *w);
