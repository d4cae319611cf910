/* Text in lines that fit a terminal. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* The columns of the terminal that is open as `fd`, as far as it tells (a serial line does not); 0: it is none, and any
 * width is right. */
size_t wrap_width(int fd);

/* Wraps text. The first line begins in column `indent`, the current position; others are indented to it. If possible,
 * no line is wider than `width` (0: one line). Text between quotation marks is one word: a broken command cannot be
 * copied; a number and its unit are one, too. */
void wrap_text(FILE *to, const char *text, size_t indent, size_t width);
