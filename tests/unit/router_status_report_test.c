#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/json.h"
#include "common/clock.h"
#include "router/status_report.h"

static struct records records;
static struct team team;
static struct status_report report;

static int set_up(void **state)
{
	struct error err;

	(void)state;
	team = (struct team){};
	report = (struct status_report){
		.records = &records, .team = &team, .managers = managers_new(NULL, 0, &(struct managers_events){})};
	return report.managers ? records_open(&records, 3, &err) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	for (uint32_t k = 0; k < records.used; k++) {
		if (records.all[k].member)
			records_remove(&records, &records.all[k]);
	}
	records_close(&records);
	free((void *)(uintptr_t)report.managers);
	return 0;
}

/* What it writes, as JSON; the caller frees it. */
static cJSON *written(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	cJSON *ret;

	assert_true(status_report_write(&report, f));
	fclose(f);
	ret = json_parse(text, len, 1000);
	if (!ret)
		fail_msg("%s", text);
	free(text);
	return ret;
}

static void nobody_is_connected(void **state)
{
	_cleanup_json_ cJSON *json = written();

	(void)state;
	assert_int_equal(cJSON_GetArraySize(json_member(json, "connections")), 0);
	assert_int_equal(cJSON_GetArraySize(json_member(json, "workers")), 0);
	assert_int_equal(cJSON_GetArraySize(json_member(json, "managers")), 0);
	assert_int_equal(cJSON_GetArraySize(json_member(json, "engines")), 0);
}

static void a_connection_is_told_with_all_that_is_known(void **state)
{
	static struct member m = {.kind = MEMBER_IDENTITY, .uid = 65534, .pid = 17};
	static struct peer p = {.uid = 0, .pid = 42, .place.command = "a \"b\" \\c"};
	_cleanup_json_ cJSON *json = NULL;
	const cJSON *c, *w;
	struct record *r;
	int64_t n = 0;

	(void)state;
	p.since = now_usec() - 5 * USEC_PER_SEC;
	team.first = &m;
	r = records_add(&records, &p, &m);
	strcpy(r->engine, "podman");
	strcpy(r->request, "GET /x");
	r->bytes[0] = 12;
	r->bytes[1] = 1ULL << 40;
	(void)records_add(&records, &(struct peer){.uid = 4000000000U}, &m);
	json = written();
	assert_int_equal(cJSON_GetArraySize(json_member(json, "connections")), 2);
	c = cJSON_GetArrayItem(json_member(json, "connections"), 0);
	assert_string_equal(json_string(c, "user"), "root");
	assert_string_equal(json_string(c, "command"), "a \"b\" \\c");
	assert_string_equal(json_string(c, "engine"), "podman");
	assert_string_equal(json_string(c, "request"), "GET /x");
	assert_true(json_integer(c, "pid", 0, 100, &n) && n == 42);
	assert_true(json_integer(c, "bytes_in", 0, 100, &n) && n == 12);
	assert_true(json_integer(c, "bytes_out", 0, 1LL << 50, &n) && n == 1LL << 40);
	assert_true(json_integer(c, "since_usec", 0, 1LL << 52, &n));
	assert_in_range(wall_usec() - (uint64_t)n, 5 * USEC_PER_SEC, 60 * USEC_PER_SEC);
	c = cJSON_GetArrayItem(json_member(json, "connections"), 1);
	assert_true(json_integer(c, "uid", 0, UINT32_MAX, &n) && n == 4000000000LL);
	assert_null(json_member(c, "user"));
	assert_null(json_member(c, "engine"));
	assert_null(json_member(c, "request"));
	w = cJSON_GetArrayItem(json_member(json, "workers"), 0);
	assert_string_equal(json_string(w, "kind"), "identity");
	assert_true(json_integer(w, "connections", 0, 10, &n) && n == 2);
}

static void engines_that_were_started_are_told(void **state)
{
	static struct member quiet = {.uid = 7}, m = {.uid = 0, .started = "podman", .next = &quiet};
	_cleanup_json_ cJSON *json = NULL;
	const cJSON *engines;

	(void)state;
	m.started_at = now_usec();
	team.first = &m;
	json = written();
	engines = json_member(json, "engines");
	assert_int_equal(cJSON_GetArraySize(engines), 1);
	assert_string_equal(json_string(cJSON_GetArrayItem(engines, 0), "engine"), "podman");
	assert_string_equal(json_string(cJSON_GetArrayItem(engines, 0), "user"), "root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_is_connected, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_connection_is_told_with_all_that_is_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(engines_that_were_started_are_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
