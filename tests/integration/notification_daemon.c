/* notification_daemon [--hang]: a desktop's notification daemon, as the Desktop Notifications Specification has it.
 * Prints "ready", then a line "SUMMARY<tab>BODY" for every notification; with --hang it never answers one. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

static int notify(sd_bus_message *m, void *data, sd_bus_error *error)
{
	const char *application, *icon, *summary, *body;
	const bool *hang = data;
	uint32_t replaces;

	(void)error;
	if (sd_bus_message_read(m, "susss", &application, &replaces, &icon, &summary, &body) < 0)
		return -EINVAL;
	printf("%s\t%s\n", summary, body);
	return *hang ? 1 : sd_bus_reply_method_return(m, "u", 1);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", notify, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int main(int argc, char *argv[])
{
	bool hang = argc > 1 && strcmp(argv[1], "--hang") == 0;
	sd_bus *bus;
	int r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (sd_bus_open_user(&bus) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/Notifications", "org.freedesktop.Notifications",
				     vtable, &hang) < 0 ||
	    sd_bus_request_name(bus, "org.freedesktop.Notifications", 0) < 0)
		return 1;
	puts("ready");
	while ((r = sd_bus_process(bus, NULL)) >= 0) {
		if (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0)
			return 1;
	}
	return 1;
}
