/* The journal's own socket (systemd.io/JOURNAL_NATIVE_PROTOCOL): sd_journal_send() would load libsystemd. */
#pragma once

#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Sends an entry: lines "NAME=value\n". 0, or -1: a journal that is missing or full, which is an error to nobody. */
int journal_write(const char *entry, size_t len);
