/* The program that runs as long as an instance is awake: docs/architecture.md. */
#pragma once

int keeper_run(int argc, char **argv);
