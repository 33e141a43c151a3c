/*
 * What servers do before they serve.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "appliances/common/start.h"
#include "unix/mrg_unix.h"

const char DEFAULT_USER[] = "nobody";

enum outcome refused(const char *program, const char *doing, const char *what, int err)
{
	say(program, ": ", doing, what, ": ", strerrordesc_np(err), NULL);
	return OUTCOME_SYSTEM;
}

enum outcome bind_refused(
	const char *program, const char *option, const struct mrg_rt_addr *a, const char *kind, int err)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	say(program, ": ", option, mrg_rt_addr_str(a, text), ": ", kind, ": ", strerrordesc_np(err),
		err == EACCES          ? " (ports below 1024 need root or CAP_NET_BIND_SERVICE)"
		: err == EADDRNOTAVAIL ? " (no interface of this machine has it)"
		: err == EADDRINUSE    ? " (another server, or this one twice)"
				       : "",
		NULL);
	return OUTCOME_ADDRESS;
}

enum outcome drop_privileges(const char *program, const char *user, bool *dropped)
{
	const char *const name = user != NULL ? user : DEFAULT_USER;
	struct mrg_unix_user found;
	*dropped = false;
	if (geteuid() != 0 && user == NULL)
		return OUTCOME_OK;
	int err = mrg_unix_user_find(name, &found);
	if (err != 0)
		return refused(program, "--user ", name, err);
	if (geteuid() != 0 && found.uid == geteuid())
		return OUTCOME_OK;
	err = mrg_unix_user_become(&found);
	if (err != 0)
		return refused(program, "--user ", name, err);
	*dropped = true;
	return OUTCOME_OK;
}
