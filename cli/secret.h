/* Passwords are nobody's business but the server's (S-029): not of who lists the processes, nor of
 * who looks into their memory. */
#pragma once

/* /proc shows to all what a program was started with. Copies of ARGV, for who reads them, with a
 * NULL at their end. In ARGV users and passwords of URLs are overwritten, also of URLs that are
 * mistyped and refused, and what is behind --header. */
char **secret_hide(int argc, char **argv);
/* Overwrites and frees them. */
void secret_free(char **words);
/* WORD without the user and password that a URL has: as it may be shown. The caller frees it. */
char *secret_left_out(const char *word);

/* For the rest of its life the process leaves no core file and lets no debugger of the same user
 * in. */
void secret_close_memory(void);
