/*
 * The floor of any invocation: a program that prints one line. Linked three times: with libc
 * alone, with the libraries of the configuration, and with all of pmo's libraries.
 */
#include <stdio.h>

int main(void)
{
	puts("floor 1.0");
	return 0;
}
