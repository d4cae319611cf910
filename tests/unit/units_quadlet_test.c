/* units/quadlet.c, units/own_file.c and instance/made_container.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers" /* literals, where the program would own strings */

#include "common/cleanup.h"
#include "common/io.h"
#include "units/own_file.h"
#include "units/quadlet.h"

static char *rendered(const struct made_container *o)
{
	struct error err;
	char *text = quadlet_render("web", o, &err);

	if (!text)
		fail_msg("%s", err.text);
	return text;
}

static void has_line(const char *text, const char *line)
{
	char whole[1024];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (!strstr(text, whole))
		fail_msg("no line '%s' in:\n%s", line, text);
}

static void a_quadlet(void **state)
{
	struct made_container o = {
		.image = "localhost/servers:1",
		.environment = (char *[]){"A=b c$d%e\"f\\g'h", "B=", NULL},
		.volumes = (char *[]){"data:/data", "/srv/a b%h$x\\y:/x:ro,Z", NULL},
		.network = "none",
		.command = (char *[]){"sh", "-c", "echo $A; \"%h\"", "--", NULL},
	};
	_cleanup_free_ char *text = rendered(&o);

	(void)state;
	assert_int_equal(strncmp(text, OWN_FILE_MARK, strlen(OWN_FILE_MARK)), 0);
	has_line(text, "[Unit]");
	has_line(text, "Description=Container web, woken on demand");
	has_line(text, "[Container]");
	has_line(text, "ContainerName=web");
	has_line(text, "Image=localhost/servers:1");
	has_line(text, "Environment=\"A=b c$$d%%e\\\"f\\\\g'h\"");
	has_line(text, "Environment=\"B=\"");
	has_line(text, "Volume=data:/data");
	has_line(text, "Volume=/srv/a b%%h$$x\\y:/x:ro,Z");
	has_line(text, "Network=none");
	has_line(text, "Label=sockwake.made-for=web");
	has_line(text, "PodmanArgs=--pull=never");
	has_line(text, "Exec=\"sh\" \"-c\" \"echo $$A; \\\"%%h\\\"\" \"--\"");
	assert_null(strstr(text, "[Install]"));
}

static void only_an_image(void **state)
{
	struct made_container o = {.image = "alpine"};
	_cleanup_free_ char *text = rendered(&o);

	(void)state;
	assert_null(strstr(text, "Exec="));
	assert_null(strstr(text, "Network="));
}

static void refused(struct made_container o, const char *word)
{
	struct error err = {};
	char *text;

	if (!o.image)
		o.image = "alpine";
	text = quadlet_render("web", &o, &err);
	if (text)
		fail_msg("accepted:\n%s", text);
	if (!strstr(err.text, word))
		fail_msg("'%s' does not say '%s'", err.text, word);
}

#define LIST(...) ((char *[]){__VA_ARGS__, NULL})

static void hostile_orders(void **state)
{
	static char *const images[] = {"",   "-x",	"a b",	   "a\nExec=x", "../x", "a/../b", "a//b", "a/./b",
				       "a/", "x.image", "x.build", "a?b=c",	"a#b",	"a%2f",	  "$x"};
	static char *const networks[] = {"", "-x", "x.network", "x.container", "a b", "a\nb", "%h", "$x", "\"x\""};
	static char *const variables[] = {"", "A", "=x", "A B=x", "A=x\ny", "A=\x01", "A=\xff", "A\nB=x"};
	static char *const volumes[] = {
		"",	      "/data",	 "a/b:/x", "../a:/x", "a:x",   "a:/x:", "a:/x:ro:z", "a:/x:r o", "x.volume:/x",
		"/a/../b:/x", "a:/x\nb", "a\n:/x", ".:/x",    "%h:/x", "a:/x ", "a:/x\\",    "/x:/y\\"};
	static char *const words[] = {"", ";", "a\nb", "a\tb\x7f", "\xc3"};

	(void)state;
	for (size_t k = 0; k < sizeof(images) / sizeof(*images); k++)
		refused((struct made_container){.image = images[k]}, "name of an image");
	for (size_t k = 0; k < sizeof(networks) / sizeof(*networks); k++)
		refused((struct made_container){.network = networks[k]}, "not a network");
	for (size_t k = 0; k < sizeof(variables) / sizeof(*variables); k++)
		refused((struct made_container){.environment = LIST(variables[k])}, "a variable");
	for (size_t k = 0; k < sizeof(volumes) / sizeof(*volumes); k++)
		refused((struct made_container){.volumes = LIST("a:/b", volumes[k])}, "a volume");
	for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++)
		refused((struct made_container){.command = LIST("sh", words[k])}, "a word");
}

static void names(void **state)
{
	struct made_container o = {.image = "alpine"};
	char path[PATH_MAX], unit[UNIT_NAME_MAX], name[241];
	struct error err;

	(void)state;
	assert_int_equal(quadlet_path(SCOPE_SYSTEM, "web", path, &err), 0);
	assert_string_equal(path, "/etc/containers/systemd/web-container.container");
	setenv("XDG_CONFIG_HOME", "/home/x/.config", 1);
	assert_int_equal(quadlet_path(SCOPE_USER, "web", path, &err), 0);
	assert_string_equal(path, "/home/x/.config/containers/systemd/web-container.container");
	assert_string_equal(quadlet_unit("web", unit), "web-container.service");
	memset(name, 'a', 240);
	name[240] = '\0';
	assert_null(quadlet_render(name, &o, &err));
	for (size_t len = 237; len <= 238; len++) { /* with "-container.service" 255 characters are the most */
		_cleanup_free_ char *text = NULL;

		name[len] = '\0';
		text = quadlet_render(name, &o, &err);
		assert_int_equal(text != NULL, len == 237);
		name[len] = 'a';
	}
	assert_null(quadlet_render("_web", &o, &err));
	assert_null(quadlet_render("-web", &o, &err));
}

static void only_own_files_are_touched(void **state)
{
	char directory[] = "/tmp/sockwake-test-XXXXXX", path[128];
	_cleanup_free_ char *before = NULL, *again = NULL, *text = NULL, *unused = NULL;
	struct error err;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/new/x.container", directory);
	assert_int_equal(own_file_read(path, &text, &err), 0);
	assert_null(text);
	assert_int_equal(own_file_write(path, OWN_FILE_MARK " 1\n", 0600, &before, &err), 0);
	assert_null(before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(own_file_write(path, OWN_FILE_MARK " 2\n", 0600, &again, &err), 0);
	assert_string_equal(again, OWN_FILE_MARK " 1\n");
	assert_int_equal(own_file_remove(path, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(own_file_remove(path, &err), 0);

	assert_int_equal(file_write_atomic(path, "[Container]\n", 12, 0644, &err), 0);
	assert_int_equal(own_file_write(path, OWN_FILE_MARK, 0600, &unused, &err), -1);
	assert_int_equal(err.code, EEXIST);
	assert_int_equal(own_file_remove(path, &err), 0);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(directory);
}

static void the_image_of_a_file(void **state)
{
	static const struct {
		const char *text, *image;
	} cases[] = {
		{"[Container]\nImage=localhost/x\n", "localhost/x"},
		{"[Unit]\nImage=a\n[Container]\nImages=b\n Image=c\n", NULL},
		{"[Container]\nImage=a\nImage = b \r\n[Service]\nImage=c", "b"},
		{"[Container]\nImage=%i\n", NULL},
		{"[Container]\nImage=\n", NULL},
		{"", NULL},
	};
	char path[] = "/tmp/sockwake-quadlet-XXXXXX";
	struct error err;
	char *image;

	(void)state;
	close(mkstemp(path));
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		assert_int_equal(file_write_atomic(path, cases[k].text, strlen(cases[k].text), 0600, &err), 0);
		assert_int_equal(quadlet_image(path, &image, &err), 0);
		if (cases[k].image)
			assert_string_equal(image, cases[k].image);
		else
			assert_null(image);
		free(image);
	}
	unlink(path);
	assert_int_equal(quadlet_image(path, &image, &err), -1);
}

static void the_values_of_a_key(void **state)
{
	char text[] = "Volume=a\n[Container]\nVolume=b:/b\nVolumes=c\n\nVolume = d:/d \r\n[Service]\nVolume=e\n"
		      "[Container]\nVolume=\nVolume= \t\r\nVolume=f";
	struct quadlet_reader reader = {.rest = text};

	(void)state;
	assert_string_equal(quadlet_next(&reader, "Volume"), "b:/b");
	assert_string_equal(quadlet_next(&reader, "Volume"), "d:/d");
	assert_string_equal(quadlet_next(&reader, "Volume"), "");
	assert_string_equal(quadlet_next(&reader, "Volume"), "");
	assert_string_equal(quadlet_next(&reader, "Volume"), "f");
	assert_null(quadlet_next(&reader, "Volume"));
	assert_null(quadlet_next(&reader, "Volume"));
}

static void doubled_characters(void **state)
{
	static const char *const specifiers[] = {"%h", "a%", "$x", "%$", "%%%", "$$$"};
	char value[] = "/%%a/$$b/%%%%";

	(void)state;
	assert_true(quadlet_undouble(value));
	assert_string_equal(value, "/%a/$b/%%");
	for (size_t k = 0; k < sizeof(specifiers) / sizeof(*specifiers); k++) {
		snprintf(value, sizeof(value), "%s", specifiers[k]);
		assert_false(quadlet_undouble(value));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quadlet),
		cmocka_unit_test(only_an_image),
		cmocka_unit_test(hostile_orders),
		cmocka_unit_test(names),
		cmocka_unit_test(only_own_files_are_touched),
		cmocka_unit_test(the_image_of_a_file),
		cmocka_unit_test(the_values_of_a_key),
		cmocka_unit_test(doubled_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
