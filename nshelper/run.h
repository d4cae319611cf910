/* The whole program; main() is one line around it, so that tests can run it in a child. */
#pragma once

/* Does not return if the command runs; otherwise logs the error once and returns the exit status. */
int nshelper_run(int argc, char *argv[]);
