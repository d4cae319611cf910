/* The program between the service manager and the container: docs/architecture.md. */
#pragma once

int activator_run(int argc, char **argv);
