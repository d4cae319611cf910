/* The program that runs while an instance is awake: docs/architecture.md. */
#pragma once

int keeper_run(int argc, char **argv);
