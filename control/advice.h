/* What may surprise of what was chosen. */
#pragma once

#include "control/create_request.h"

/* Notes what may surprise of what was chosen. */
void advice_note(const struct create_request *r);
