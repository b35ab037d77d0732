// SPDX-License-Identifier: GPL-2.0-or-later
/* The API's socket as a file: who may use it, and what is in its place already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "control/socket.h"
#include "tests/lib/fault.h"
#include "tests/unit/api_run.h"

static int set_up(void **state)
{
	(void)state;
	return gateway_fake_start(&gateway, gateway_yaml);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_socket_mode(void **state)
{
	static const mode_t masks[] = { 0, 022, 077 };
	const char *path = gateway.model->gateway.api_socket;

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		mode_t before = umask(masks[i]);
		int r = start_api(&api, NULL);

		umask(before);
		assert_int_equal(r, 0);
		assert_int_equal(mode_of(path), 0666);
		api_stop(take_ptr(api));
		assert_int_equal(access(path, F_OK), -1);
	}
}

static void test_socket_directory(void **state)
{
	char *path = gateway.model->gateway.api_socket;
	char directory[80];
	mode_t before = umask(077);

	(void)state;
	snprintf(directory, sizeof(directory), "%s/run", gateway.directory);
	snprintf(path, sizeof(gateway.model->gateway.api_socket), "%s/api.sock", directory);
	assert_int_equal(start_api(&api, NULL), 0);
	umask(before);
	assert_int_equal(mode_of(directory), 0755);
	json_decref(get("/v1/status", 200));
	api_stop(take_ptr(api));
	assert_int_equal(rmdir(directory), 0);
}

static void test_socket_stale(void **state)
{
	struct socket_file file;
	int fd = socket_listen(&file, gateway.model->gateway.api_socket, NULL);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(start_api(&api, NULL), 0);
	json_decref(get("/v1/status", 200));
	api_stop(take_ptr(api));
}

/* What took the place of our file is not ours to remove. */
static void test_socket_of_another(void **state)
{
	struct socket_file file;
	int fd = socket_listen(&file, gateway.model->gateway.api_socket, NULL);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(unlink(file.path), 0);
	assert_int_equal(start_api(&api, NULL), 0);
	socket_remove(&file);
	close(fd);
	json_decref(get("/v1/status", 200));
	api_stop(take_ptr(api));
}

static void test_socket_occupied(void **state)
{
	struct api *second = NULL;
	struct err err = { "" };
	char pid[32];

	(void)state;
	assert_int_equal(start_api(&api, NULL), 0);
	assert_int_equal(start_api(&second, &err), -EADDRINUSE);
	assert_null(second);
	snprintf(pid, sizeof(pid), "process %d ", (int)getpid());
	assert_non_null(strstr(err.text, pid));
	assert_non_null(strstr(err.text, gateway.model->gateway.api_socket));
	json_decref(get("/v1/status", 200));
	api_stop(take_ptr(api));
}

static void test_socket_is_something_else(void **state)
{
	const char *path = gateway.model->gateway.api_socket;
	struct err err = { "" };
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(write(fd, "keep", 4), 4);
	close(fd);
	assert_int_equal(start_api(&api, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "not a socket"));
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);

	/* A link is not followed: it is not a socket either. */
	assert_int_equal(symlink("/tmp/nowhere", path), 0);
	assert_int_equal(start_api(&api, &err), -EADDRINUSE);
	assert_int_equal(unlink(path), 0);
}

static void test_socket_failures(void **state)
{
	char *path = gateway.model->gateway.api_socket;
	struct err err = { "" };
	struct socket_file file;
	char longer[200];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(socket_listen(&file, longer, &err), -ENAMETOOLONG);
	assert_int_equal(socket_listen(&file, "", &err), -ENAMETOOLONG);

	fault_after(FAULT_SOCKET, 0, EMFILE);
	assert_int_equal(start_api(&api, &err), -EMFILE);
	assert_true(fault_clear(FAULT_SOCKET));
	assert_int_equal(access(path, F_OK), -1);

	snprintf(path, sizeof(gateway.model->gateway.api_socket), "%s/no/such/api.sock",
		 gateway.directory);
	assert_int_equal(start_api(&api, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/no/such"));
	assert_null(api);
	api_stop(NULL);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, set_up, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_socket_mode),     ALONE(test_socket_directory),
		ALONE(test_socket_stale),    ALONE(test_socket_of_another),
		ALONE(test_socket_occupied), ALONE(test_socket_is_something_else),
		ALONE(test_socket_failures),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
