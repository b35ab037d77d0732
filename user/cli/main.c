// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/cli.h"

int main(int argc, char **argv)
{
	int status = cli_main(argc, argv, stdout, stderr);

	/* An answer that did not reach the disk is not an answer. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_DONE) {
		perror("sluice: cannot write the answer");
		return STATUS_REFUSED;
	}
	return status;
}
