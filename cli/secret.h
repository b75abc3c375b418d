/* The words a program was started with are shown to all by /proc, and may have passwords in them
 * (S-029). */
#pragma once

/* Copies of ARGV, for who reads them, with a NULL at their end. In ARGV users and passwords of URLs
 * are overwritten, also of URLs that are mistyped and refused, and what is behind --header. */
char **secret_hide(int argc, char **argv);
/* Overwrites and frees them. */
void secret_free(char **words);
