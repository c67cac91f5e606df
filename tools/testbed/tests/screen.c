// SPDX-License-Identifier: GPL-2.0-only
/*
 * Somebody at a terminal: screen WORDS KEYS [WORDS KEYS]... -- COMMAND...
 *
 * Runs COMMAND, waits until WORDS are drawn, types KEYS. Ends with COMMAND's status, or 1 if
 * the words do not come within PATIENCE seconds (100); what came then is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "terminal.h"

#define PATIENCE_S 100

static struct terminal term;

int main(int argc, char **argv)
{
	const char *patience = getenv("PATIENCE");
	unsigned int seconds = patience ? atoi(patience) : PATIENCE_S;
	int at, first = 1;

	while (first < argc && strcmp(argv[first], "--"))
		first++;
	if (first >= argc - 1)
		bail("usage: screen WORDS KEYS... -- COMMAND...");
	terminal_start(&term, argv + first + 1);
	for (at = 1; at + 1 < first; at += 2) {
		if (!terminal_wait(&term, argv[at], seconds)) {
			printf("no \"%s\" in: %s\n", argv[at], term.text);
			terminal_end(&term, 0);
			return 1;
		}
		terminal_type(&term, argv[at + 1]);
	}
	at = terminal_end(&term, seconds);
	if (!terminal_is_restored(&term)) {
		puts("the terminal is not as it was");
		return 1;
	}
	puts(term.text);
	return at;
}
