#include "cli/sign.h"

#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"

static const struct {
	const char *utf8, *ascii, *colour;
} signs[] = {
	[STATE_UNKNOWN] = {"?", "?", YELLOW},  [STATE_ASLEEP] = {"○", "o", ""},
	[STATE_WAKING] = {"◐", "~", YELLOW},   [STATE_AWAKE] = {"●", "*", GREEN},
	[STATE_STOPPING] = {"◐", "~", YELLOW}, [STATE_FAILED] = {"✗", "x", RED},
	[STATE_OFF] = {"–", "-", RED},
};

const char *sign_text(enum state state, const struct terminal *t)
{
	return t->utf8 ? signs[state].utf8 : signs[state].ascii;
}

const char *sign_colour(enum state state, const struct terminal *t)
{
	return t->colour ? signs[state].colour : "";
}
