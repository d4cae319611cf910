/* Any text as an instance's JSON: an accepted instance is written and read back unchanged, and its units have no extra
 * line.
 *
 * floor: 340 */
#include "instance/json.h"
#include "tests/fuzz/fuzz.h"
#include "units/render.h"

static void check_lines(const char *unit)
{
	for (const char *p = unit; *p; p++) {
		if ((unsigned char)*p < ' ' && *p != '\n')
			abort();
		if (*p == '\n' && p > unit && p[-1] == '\\')
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = text_of(data, size), *once = NULL, *twice = NULL;
	_cleanup_instance_ struct instance first = {}, second = {};
	_cleanup_rendered_ struct rendered units = {};
	struct error err;

	if (instance_from_json(text, &first, &err) < 0)
		return 0;
	once = instance_to_json(&first);
	if (!once || instance_from_json(once, &second, &err) < 0)
		abort();
	twice = instance_to_json(&second);
	if (!twice || strcmp(once, twice) != 0)
		abort();
	if (units_render(&second, &units, &err) < 0)
		abort();
	check_lines(units.socket);
	check_lines(units.service);
	return 0;
}
