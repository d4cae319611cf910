/* Remarks on surprising options. */
#pragma once

#include "control/create_request.h"

/* Notes that the instance could not be named like its container. */
void advice_note_name(const struct create_request *r);

/* Notes the options of a request that may surprise. */
void advice_note(const struct create_request *r);
