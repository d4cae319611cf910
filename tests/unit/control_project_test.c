/* control/project.c: what a compose project or a pod needs, in which order; labels are hostile. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/project.h"

#define PROJECT	   "com.docker.compose.project"
#define SERVICE	   "com.docker.compose.service"
#define DEPENDS_ON "com.docker.compose.depends_on"

/* A container NAME of the service SERVICE; depends_on may be NULL. */
struct member {
	const char *name, *service, *depends_on;
	int64_t created;
};

static void put_label(struct container *c, const char *key, const char *value)
{
	if (!value)
		return;
	c->labels = reallocarray(c->labels, c->n_labels + 1, sizeof(*c->labels));
	c->labels[c->n_labels++] = (struct label){strdup(key), strdup(value)};
}

static struct container make(const struct member *m)
{
	struct container c = {.created = m->created};

	snprintf(c.name, sizeof(c.name), "%s", m->name);
	snprintf(c.id, sizeof(c.id), "id of %s", m->name);
	put_label(&c, PROJECT, "shop");
	put_label(&c, SERVICE, m->service);
	put_label(&c, DEPENDS_ON, m->depends_on);
	return c;
}

/* The names of what the first one needs, "!" behind those whose HEALTHCHECK decides, "#" behind jobs; or the error. */
static const char *order(const struct member *members, size_t n)
{
	static char text[2048];
	struct container *all = calloc(n, sizeof(*all));
	struct project_dependency needed[INSTANCE_DEPENDENCIES_MAX];
	size_t n_needed, len = 0;
	struct error err;

	for (size_t k = 0; k < n; k++)
		all[k] = make(&members[k]);
	text[0] = '\0';
	if (project_order(&all[0], all + 1, n - 1, needed, &n_needed, &err) < 0)
		snprintf(text, sizeof(text), "%s", err.text);
	else
		for (size_t k = 0; k < n_needed; k++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s%s", k ? " " : "",
						needed[k].container->name, needed[k].healthy ? "!" : "",
						needed[k].completed ? "#" : "");
	for (size_t k = 0; k < n; k++)
		container_clear(&all[k]);
	free(all);
	return text;
}

#define ORDER(...)                                                                                                     \
	order((const struct member[]){__VA_ARGS__},                                                                    \
	      sizeof((const struct member[]){__VA_ARGS__}) / sizeof(struct member))

static void depends_on_decides(void **state)
{
	(void)state;
	assert_string_equal(ORDER({"web", "web", "app:service_started:false", 1}, {"log", "log", "", 2},
				  {"app", "app", "db:service_healthy:true,cache:service_started:false", 3},
				  {"cache", "cache", "", 4}, {"db", "db", "", 5}),
			    "db! cache app");
	/* before compose 2.6 */
	assert_string_equal(ORDER({"web", "web", "db,cache", 1}, {"cache", "cache", "", 2}, {"db", "db", "", 3}),
			    "db cache");
	assert_string_equal(ORDER({"web", "web", "", 1}, {"db", "db", "", 3}), "");
	/* Two ways to one; the stricter condition counts, the first place. */
	assert_string_equal(ORDER({"web", "web", "a,b,db:service_healthy:false", 1}, {"a", "a", "db", 1},
				  {"b", "b", "db", 1}, {"db", "db", "", 1}),
			    "db! a b");
	/* All containers of a service. */
	assert_string_equal(ORDER({"web", "web", "db", 1}, {"db-2", "db", "", 3}, {"db-1", "db", "", 2}), "db-1 db-2");
}

static void jobs_come_after_what_they_need(void **state)
{
	(void)state;
	/* Where somebody else is content that it runs, it is a job all the same. */
	assert_string_equal(ORDER({"web", "web", "migrate:service_started:false,app:service_started:false", 1},
				  {"app", "app", "migrate:service_completed_successfully:false", 2},
				  {"migrate", "migrate", "", 3}),
			    "migrate# app");
	assert_string_equal(ORDER({"web", "web", "migrate:service_completed_successfully:false", 1},
				  {"migrate", "migrate", "db:service_healthy:false", 2}, {"db", "db", "", 3}),
			    "db! migrate#");
}

static void else_all_others_by_their_creation(void **state)
{
	(void)state;
	assert_string_equal(
		ORDER({"web", "web", NULL, 2}, {"c", "c", NULL, 7}, {"a", "a", NULL, 9}, {"b", "b", NULL, 1}), "b c a");
}

static void circles_are_refused(void **state)
{
	(void)state;
	assert_non_null(strstr(ORDER({"web", "web", "web", 1}), "in a circle, at 'web'"));
	assert_non_null(strstr(ORDER({"web", "web", "db", 1}, {"db", "db", "web", 1}), "in a circle"));
	assert_non_null(
		strstr(ORDER({"web", "web", "a", 1}, {"a", "a", "b", 1}, {"b", "b", "c", 1}, {"c", "c", "b", 1}),
		       "in a circle"));
	/* Without a service there is nothing that could be meant. */
	assert_non_null(strstr(ORDER({"web", NULL, ",", 1}), "in a circle"));
}

static void hostile_labels(void **state)
{
	char longest[9000], many[1000] = "";
	struct member crowd[40] = {{"web", "web", many, 0}};
	char names[40][8];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_non_null(strstr(ORDER({"web", "web", longest, 1}), "longer than"));
	longest[8000] = '\0';
	assert_non_null(strstr(ORDER({"web", "web", longest, 1}), "has no container"));
	assert_true(strlen(order(crowd, 1)) < 300);
	assert_non_null(strstr(ORDER({"web", "web", "nobody:service_started", 1}), "'nobody', which has no container"));
	assert_non_null(strstr(ORDER({"web", "web", ":::", 1}), "has no container"));
	assert_non_null(strstr(ORDER({"web", "web", "db,", 1}, {"db", "db", "", 1}), "has no container"));
	assert_string_equal(ORDER({"web", "web", "db:no_such_condition:x:y:z", 1}, {"db", "db", "", 1}), "db");

	for (size_t k = 1; k < 40; k++) {
		snprintf(names[k], sizeof(names[k]), "s%zu", k);
		crowd[k] = (struct member){names[k], names[k], "", 1};
		strcat(strcat(many, many[0] ? "," : ""), names[k]);
	}
	assert_non_null(strstr(order(crowd, 40), "more than 16"));
	crowd[0].depends_on = NULL;
	assert_non_null(strstr(order(crowd, 40), "more than 16"));
	assert_string_not_equal(order(crowd, 17), "");
	assert_null(strstr(order(crowd, 17), "more than"));
}

/* Each of 60 needs all those behind it: 2^58 ways to the last one, but each container is visited once. */
static void a_thicket_is_no_trouble(void **state)
{
	static char labels[60][4096], names[60][8];
	struct member m[60];

	(void)state;
	for (size_t k = 60; k-- > 0;) {
		snprintf(names[k], sizeof(names[k]), "s%zu", k);
		for (size_t n = k + 1; n < 60; n++)
			sprintf(strchr(labels[k], '\0'), "%s%s:service_healthy", n > k + 1 ? "," : "", names[n]);
		m[k] = (struct member){names[k], names[k], labels[k], 1};
	}
	assert_non_null(strstr(order(m, 60), "more than 16"));
}

static void membership(void **state)
{
	struct container own = make(&(struct member){"web", "web", NULL, 1}),
			 db = make(&(struct member){"db", "db", NULL, 1}), other = {.id = "other"},
			 podded = {.id = "a", .pod = "p"}, infra = {.id = "b", .pod = "p"},
			 mate = {.id = "c", .pod = "p"}, by_podman = {.id = "d"};

	(void)state;
	infra.is_infra = true;
	assert_true(project_exists(&own));
	assert_true(project_exists(&podded));
	assert_false(project_exists(&other));
	assert_true(project_includes(&own, &db));
	assert_false(project_includes(&own, &own));
	assert_false(project_includes(&own, &other));
	assert_false(project_includes(&own, &mate));
	assert_true(project_includes(&podded, &mate));
	assert_false(project_includes(&podded, &infra));
	assert_false(project_includes(&podded, &other));
	put_label(&by_podman, "io.podman.compose.project", "shop");
	assert_true(project_includes(&own, &by_podman));
	put_label(&db, "com.docker.compose.oneoff", "True");
	assert_false(project_includes(&own, &db));
	container_clear(&own);
	container_clear(&db);
	container_clear(&by_podman);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depends_on_decides),
		cmocka_unit_test(jobs_come_after_what_they_need),
		cmocka_unit_test(else_all_others_by_their_creation),
		cmocka_unit_test(circles_are_refused),
		cmocka_unit_test(hostile_labels),
		cmocka_unit_test(a_thicket_is_no_trouble),
		cmocka_unit_test(membership),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
