/* Engines that have not answered. A command over many instances would wait for such an engine once for each of them.
 *
 * Off until silence_ask_once(): the activator, which must go on asking, and commands that clean up after a time-out do
 * not use it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* From now on, this process sends no more requests to an engine that has left one without an answer for at least this
 * many microseconds. */
void silence_ask_once(uint64_t least);

/* A request to this socket was not answered for that long. True: it is the last one. */
bool silence_note(const char *socket, uint64_t waited);

/* May this socket not be used any more? */
bool silence_is_known(const char *socket);
