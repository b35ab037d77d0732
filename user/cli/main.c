// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/cli.h"

int main(int argc, char **argv)
{
	int status = cli_main(argc, argv, stdout, stderr);

	/* An answer that did not reach the disk is not an answer. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("sluice: cannot write the answer");
		return status == STATUS_DONE ? STATUS_REFUSED : status;
	}
	return status;
}
