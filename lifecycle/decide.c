#include "lifecycle/decide.h"

#define E(name)	 (1U << EVENT_##name)
#define C(name)	 (1U << CONDITION_##name)
#define R(name)	 (1U << RUN_##name)
#define IF(name) CIRCUMSTANCE_##name

#define TO_SLEEP (E(IDLE) | E(FAILED) | E(STOP))
#define DOWN	 (C(MISSING) | C(OFF))

static const struct decision table[] = {
	{E(CONNECT), C(RUNNING), 0, 0, ACTION_SERVE, "runs already"},
	{E(CONNECT), C(RESTARTING) | C(IN_HAND), 0, 0, ACTION_WAIT, "will run or have ended in a moment"},
	{E(CONNECT), 0, 0, 0, ACTION_START, "sleeps"},

	{E(FOUND), 0, 0, IF(AWAKE), ACTION_NOTHING, "is the keeper's to see to"},
	{E(FOUND), C(RUNNING), 0, IF(KEEP_RUNNING), ACTION_LEAVE,
	 "was not started by sockwake and stays up (--keep-running)"},
	{E(FOUND), C(RUNNING), 0, 0, ACTION_SERVE, "was started by somebody else; its idle clock starts"},
	{E(FOUND), 0, 0, 0, ACTION_NOTHING, "does not run, or not for long"},

	{E(ENDED), C(RUNNING), 0, 0, ACTION_SERVE, "was restarted"},
	{E(ENDED), 0, 0, IF(WAITED_FOR), ACTION_START, "has ended, and somebody needs it"},
	{E(ENDED), C(RESTARTING) | C(IN_HAND), 0, 0, ACTION_WAIT, "is being restarted, or removed"},
	{E(ENDED), DOWN, 0, IF(RECENT), ACTION_WAIT, "may be restarted, or replaced"},
	{E(ENDED), 0, 0, 0, ACTION_NOTHING, "has ended"},

	{TO_SLEEP, 0, 0, IF(SHARED), ACTION_LEAVE, "is used by another instance and stays up"},
	{TO_SLEEP, 0, 0, IF(REQUIRED), ACTION_LEAVE, "is required by another unit that runs, and stays up"},
	{TO_SLEEP, DOWN, 0, IF(JOB), ACTION_NOTHING, "has ended"},
	{TO_SLEEP, 0, 0, IF(JOB), ACTION_LEAVE, "is a job, and runs until it ends by itself"},
	{TO_SLEEP, DOWN, 0, IF(RECENT), ACTION_WAIT, "may come up again"},
	{TO_SLEEP, DOWN, 0, 0, ACTION_NOTHING, "sleeps"},
	{TO_SLEEP, C(PAUSED), 0, IF(PAUSES), ACTION_NOTHING, "is paused"},
	{TO_SLEEP, C(IN_HAND), 0, 0, ACTION_WAIT, "is being started, stopped or restarted by somebody else"},
	{TO_SLEEP, 0, R(OTHERS), IF(RENAMED), ACTION_LEAVE,
	 "was renamed and restarted by somebody else: it is not the instance's any more, and stays up"},
	{E(IDLE), C(RUNNING), R(OTHERS), 0, ACTION_SERVE, "was restarted by somebody else and is served anew"},
	{TO_SLEEP, 0, R(FOUND) | R(OTHERS), IF(KEEP_RUNNING), ACTION_LEAVE,
	 "was not started by sockwake and stays up (--keep-running)"},
	{TO_SLEEP, 0, R(FOUND) | R(OTHERS), IF(LABEL), ACTION_LEAVE,
	 "was not started by sockwake, and stays up because a label names it, not a person"},
	{TO_SLEEP, 0, 0, IF(EPHEMERAL), ACTION_LEAVE,
	 "was made with --rm: stopped, it would be gone with its data, so it stays up"},
	{TO_SLEEP, 0, 0, 0, ACTION_HALT, "goes to sleep"},
};
#define N_ROWS (sizeof(table) / sizeof(*table))

static bool is_in(unsigned set, unsigned value)
{
	return set == 0 || (set & 1U << value);
}

const struct decision *decide(const struct situation *s)
{
	size_t k = 0;

	/* For each event the last row matches everything. */
	while (!is_in(table[k].events, s->event) || !is_in(table[k].conditions, s->condition) ||
	       !is_in(table[k].runs, s->run) || (s->circumstances & table[k].circumstances) != table[k].circumstances)
		k++;
	return &table[k];
}

const struct decision *decisions(size_t *ret_n)
{
	*ret_n = N_ROWS;
	return table;
}

const char *event_name(enum event e)
{
	static const char *const names[N_EVENTS] = {"connect", "found", "ended", "idle", "failed", "stop"};

	return names[e];
}

const char *condition_name(enum condition c)
{
	static const char *const names[N_CONDITIONS] = {"missing", "off", "paused", "running", "restarting", "in hand"};

	return names[c];
}

const char *run_name(enum run r)
{
	static const char *const names[N_RUNS] = {"ours", "found", "others'"};

	return names[r];
}

const char *circumstance_name(unsigned circumstance)
{
	static const char *const names[N_CIRCUMSTANCES] = {
		"shared", "waited for", "--keep-running", "--idle-action pause", "recent", "awake", "required", "--rm",
		"job",	  "label",	"renamed"};

	return names[circumstance];
}

const char *action_name(enum action a)
{
	static const char *const names[] = {
		[ACTION_NOTHING] = "nothing", [ACTION_START] = "start", [ACTION_SERVE] = "serve",
		[ACTION_HALT] = "halt",	      [ACTION_LEAVE] = "leave", [ACTION_WAIT] = "wait",
	};

	return names[a];
}
