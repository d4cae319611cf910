#include "rules/ps_args.h"

#include <stddef.h>
#include <string.h>

#include "rules/schema.h"

/* Formats of ps(1), which have the command last; none of them shows the environment, as "e" does. */
#define FORMATS                                                                                                        \
	"-e -A -ef -Af -eF -AF -el -Al -elf -Alf -f -F -l -lf -aux a x u ax aux auxw auxww axu axl axf auxf l f w ww -w -ww"

/* What precedes a list of columns. */
#define LISTS "-o -eo -Ao -ao -axo o axo"

/* Columns of one word, which is never empty. */
#define WORDS                                                                                                          \
	"pid ppid pgid pgrp sid sess tpgid nlwp thcount uid euid ruid suid gid egid rgid sgid uname user euser ruser " \
	"suser group egroup rgroup sgroup ni nice pri priority rtprio cls class policy psr s stat state time cputime " \
	"etime etimes cputimes %cpu pcpu c %mem pmem rss rssize rsz vsz vsize sz size tty tt tname stime bsdtime f "   \
	"flag flags drs trs maj_flt min_flt"
/* The others tell of a process, too, but may have blanks. */
#define BLANKS "comm args cmd command ucmd ucomm start lstart start_time bsdstart wchan"

#define WORD_MAX 512

/* Takes the first word off. Returns what follows the separators behind it; NULL: the word is too long. */
static const char *take(const char *s, char separator, char ret[static WORD_MAX])
{
	const char *end = strchrnul(s, separator);
	size_t len = (size_t)(end - s);

	if (len >= WORD_MAX)
		return NULL;
	memcpy(ret, s, len);
	ret[len] = '\0';
	while (*end == separator)
		end++;
	return end;
}

/* "user,pid,comm"; *pid: the column of the PID is there. */
static bool are_columns(const char *s, bool *pid)
{
	char column[WORD_MAX];

	while (*s) {
		s = take(s, ',', column);
		if (!s)
			return false;
		if (strcmp(column, "pid") == 0)
			*pid = true;
		else if (!schema_is_listed(WORDS, column) && !(*pid && schema_is_listed(BLANKS, column)))
			return false;
	}
	return true;
}

bool ps_args_are_plain(const char *s)
{
	bool pid = false;
	char word[WORD_MAX];

	while (s && *s) {
		s = take(s, ' ', word);
		if (!s)
			return false;
		if (schema_is_listed(LISTS, word)) {
			s = take(s, ' ', word);
			if (!s || !are_columns(word, &pid))
				return false;
		} else if (!schema_is_listed(FORMATS, word) &&
			   (strncmp(word, "-o", 2) != 0 || !are_columns(word + 2, &pid))) {
			return false;
		}
	}
	return s != NULL;
}
