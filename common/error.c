#include "common/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void error_set_text(struct error *err, int code, const char *format, ...)
{
	va_list ap;

	err->code = code;
	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
}

void error_set_errno(struct error *err, int code, const char *format, ...)
{
	va_list ap;
	size_t n;

	err->code = code;
	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerror(code));
}

void error_add_context(struct error *err, const char *format, ...)
{
	char old[sizeof(err->text)];
	va_list ap;
	size_t n;

	memcpy(old, err->text, sizeof(old));
	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, ": %s", old);
}

int error_settle(int r, const struct error *err)
{
#ifdef __SANITIZE_ADDRESS__
	if ((r < 0) != (err->text[0] != '\0')) {
		fprintf(stderr, "the error contract is broken: %d is returned with the error '%s'\n", r, err->text);
		abort();
	}
#else
	(void)err;
#endif
	return r;
}
