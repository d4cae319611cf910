/* The whole program; main() is one line around it, so that tests can run it in a child. */
#pragma once

/* Does not return when the command runs; otherwise returns the exit status, the error said once. */
int nshelper_run(int argc, char *argv[]);
