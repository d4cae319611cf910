#include "rules/instruction.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/parse.h"

/* Not ONBUILD: "ONBUILD RUN <<'X'" takes the lines that follow. A line that begins with '#' may name another character for the
 * continuation of lines. */
static bool has_keyword(const char *s)
{
	static const char *const keywords[] = {"CMD",	"ENTRYPOINT", "ENV",  "EXPOSE", "HEALTHCHECK", "LABEL",
					       "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"};

	for (size_t k = 0; k < sizeof(keywords) / sizeof(keywords[0]); k++) {
		size_t len = strlen(keywords[k]);

		if (strncasecmp(s, keywords[k], len) == 0 && s[len] == ' ')
			return true;
	}
	return false;
}

/* Both can continue a line; blanks behind them do not count. */
static bool is_continued(const char *s)
{
	size_t len = strlen(s);

	while (len > 0 && s[len - 1] == ' ')
		len--;
	return len > 0 && strchr("\\`", s[len - 1]);
}

bool instruction_is_plain(const char *s)
{
	return strlen(s) <= 4096 && text_is_printable(s) && has_keyword(s) && !is_continued(s) && !strstr(s, "<<");
}
