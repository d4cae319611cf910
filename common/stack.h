/* The memory of a stack that has been deep: a process keeps it for as long as it lives. */
#pragma once

/* Gives back what lies below the frame of the caller. */
void stack_trim(void);
