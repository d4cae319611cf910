#include "rules/query.h"

#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "rules/checks.h"
#include "rules/instruction.h"
#include "rules/ps_args.h"
#include "rules/schema.h"
#include "rules/strict.h"

#define DIGITS	"0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ALNUM	LETTERS DIGITS

static bool made_of(const char *s, const char *characters, size_t max)
{
	size_t len = strlen(s);

	return len <= max && strspn(s, characters) == len;
}

/* Engines do not agree on other words. */
static bool is_flag(const char *s)
{
	static const char *const words[] = {"", "0", "1", "false", "true", "no", "yes", "none"};

	for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
		if (strcasecmp(words[k], s) == 0)
			return true;
	}
	return false;
}

static bool is_number(const char *s)
{
	return made_of(s + (*s == '-'), DIGITS, 19) && strcmp(s, "-") != 0;
}

static bool is_count(const char *s)
{
	return is_number(s) || strcmp(s, "all") == 0;
}

/* "1700000000.123", "2026-01-31T10:00:00+01:00", "10m". */
static bool is_time(const char *s)
{
	return made_of(s, ALNUM ".:+-", 64);
}

/* "SIGRTMIN+3", "not-running". */
static bool is_word(const char *s)
{
	return made_of(s, ALNUM "_.+-", 128) && !strchr("_.+-", s[0] ? s[0] : 'x');
}

static bool is_name(const char *s)
{
	return !*s || container_name_is_valid(s);
}

static bool is_text(const char *s)
{
	return strlen(s) <= 4096 && text_is_printable(s);
}

static bool is_path(const char *s)
{
	return *s && strlen(s) < 4096;
}

/* "ctrl-p,ctrl-q", "a,b". */
static bool is_keys(const char *s)
{
	for (const char *p = s; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return strlen(s) <= 64;
}

static bool is_tag(const char *s)
{
	return made_of(s, ALNUM "_.-:+", 255);
}

static bool is_processors(const char *s)
{
	return made_of(s, DIGITS ",-", 255);
}

/* Podman takes others for files of the host; and git, options for addresses. */
static bool is_address(const char *s)
{
	static const char *const beginnings[] = {"http://", "https://", "git://", "git@", "github.com/"};

	if (schema_is_listed("client-session upload-request", s) || !*s)
		return true;
	for (size_t k = 0; k < sizeof(beginnings) / sizeof(beginnings[0]); k++) {
		if (strncmp(s, beginnings[k], strlen(beginnings[k])) == 0)
			return strlen(s) < 4096 && text_is_printable(s) && !strpbrk(s, " \\\"'`$");
	}
	return false;
}

/* Within the context of a build. */
static bool is_file(const char *s)
{
	return made_of(s, ALNUM "_.+@~=/ -", 1024) && !strchr("/ -", s[0] ? s[0] : 'x') && !strstr(s, "..");
}

/* The body of the request. */
static bool is_stdin(const char *s)
{
	return strcmp(s, "-") == 0;
}

/* Podman would write to the host. */
static bool is_no_output(const char *s)
{
	return !*s || schema_is_listed("[] null", s);
}

static bool is_json_of(const char *s, bool (*fits)(const cJSON *))
{
	_cleanup_cjson_ cJSON *root = NULL;
	struct error ignored;

	return !*s || (strict_parse(s, strlen(s), &root, &ignored) == 0 && (cJSON_IsNull(root) || fits(root)));
}

static bool has_strings(const cJSON *container)
{
	for (const cJSON *child = container->child; child; child = child->next) {
		if (!cJSON_IsString(child) && !cJSON_IsNull(child))
			return false;
	}
	return true;
}

static bool fits_map(const cJSON *root)
{
	return cJSON_IsObject(root) && has_strings(root);
}

static bool is_map(const char *s)
{
	return is_json_of(s, fits_map);
}

static bool fits_list(const cJSON *root)
{
	return cJSON_IsArray(root) && has_strings(root);
}

static bool is_list(const char *s)
{
	return is_json_of(s, fits_list);
}

/* Each an object of words and numbers. */
static bool fits_objects(const cJSON *root)
{
	if (!cJSON_IsArray(root))
		return false;
	for (const cJSON *child = root->child; child; child = child->next) {
		if (!cJSON_IsObject(child))
			return false;
		for (const cJSON *value = child->child; value; value = value->next) {
			if (value->child)
				return false;
		}
	}
	return true;
}

static bool is_objects(const char *s)
{
	return is_json_of(s, fits_objects);
}

/* "linux/arm64", or the same as an object. */
static bool is_platform(const char *s)
{
	return s[0] == '{' ? is_map(s) : made_of(s, ALNUM "_./-", 128);
}

static const struct grammar {
	const char *name;
	bool (*fits)(const char *value);
	const char *what;
} grammars[] = {
	{"flag", is_flag, "true or false"},
	{"number", is_number, "a number"},
	{"count", is_count, "a number or 'all'"},
	{"time", is_time, "a point of time"},
	{"word", is_word, "a word"},
	{"name", is_name, "a name"},
	{"text", is_text, "printable text"},
	{"path", is_path, "a path"},
	{"keys", is_keys, "a sequence of keys"},
	{"image", checks_is_image, "the name of an image"},
	{"new-image", checks_is_new_image, "a name for an image, or could be the beginning of an ID"},
	{"tag", is_tag, "a tag"},
	{"processors", is_processors, "a list of processors"},
	{"platform", is_platform, "a platform"},
	{"address", is_address, "the address of a context"},
	{"file", is_file, "a file within the context"},
	{"stdin", is_stdin, "'-': an image is imported from the request only"},
	{"no-output", is_no_output, "empty, as no rule can allow the outputs of a build"},
	{"filters", is_text, "printable text"}, /* filters.c reads them */
	{"map", is_map, "an object of strings"},
	{"list", is_list, "a list of strings"},
	{"objects", is_objects, "a list of objects"},
	{"instruction", instruction_is_plain, "one instruction that changes an image, such as 'CMD sh'"},
	{"ps-args", ps_args_are_plain, "'-ef', 'aux', or '-o' with known columns, 'pid' before those with blanks"},
};

static const struct grammar *find(const char *name)
{
	for (size_t k = 0; k < sizeof(grammars) / sizeof(grammars[0]); k++) {
		if (strcmp(grammars[k].name, name) == 0)
			return &grammars[k];
	}
	return NULL;
}

bool query_has_grammar(const char *grammar)
{
	return find(grammar) != NULL;
}

int query_check(const struct verdict *v, const char *grammar, const char *key, const char *value, struct error *err)
{
	const struct grammar *g = find(grammar);

	if (!g)
		return verdict_refuse(v, err, "nobody knows what '%s' may be", key);
	return g->fits(value) ? 0 : verdict_refuse(v, err, "'%.64s' in %s is not %s", value, key, g->what);
}
