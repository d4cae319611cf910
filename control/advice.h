/* Remarks on surprising options. */
#pragma once

#include "control/create_request.h"

/* Notes the options of a request that may surprise. */
void advice_note(const struct create_request *r);
