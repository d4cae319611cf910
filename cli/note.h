/* Words to a person beside what was asked for. */
#pragma once

/* One line on standard error that is no error. */
void print_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
