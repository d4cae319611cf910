#include "rules/verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/parse.h"

bool verdict_has(const struct verdict *v, enum rules_key key, const char *value)
{
	return rules_grant(v->rules, key, value);
}

int verdict_need(const struct verdict *v, enum rules_key key, const char *value, const char *why, struct error *err)
{
	if (verdict_has(v, key, value))
		return 0;
	if (report_need(v->report, key, value, err) < 0)
		return -1;
	if (v->caller->learn)
		return 0;
	error_set_text(
		err, EPERM, "%s%s%s is not allowed here; to allow it, write '%s = %.256s' in the section [rules] of %s",
		v->action, why ? " with " : "", why ? why : "", rules_key_name(key), value, rules_file(v->rules));
	text_make_printable(err->text);
	return -1;
}

void verdict_set_refusal(const struct verdict *v, struct error *err, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	error_set_text(err, EPERM, "%s is refused here: %s", v->action, text);
	text_make_printable(err->text);
}
