#include "handover/stats_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

/* "512 B", "1.5 KiB", "20.0 GiB" */
static const char *text_bytes(uint64_t bytes, char *buffer, size_t size)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(buffer, size, "%u B", (unsigned)bytes);
		return buffer;
	}
	for (; value >= 1024 && units[i + 1]; i++)
		value /= 1024;
	snprintf(buffer, size, "%.1f %ciB", value, units[i]);
	return buffer;
}

/* "59s", "12min", "5h 3min", "2d 4h" */
static const char *format_age(uint64_t usec, char *buffer, size_t size)
{
	unsigned long long seconds = usec / USEC_PER_SEC, minutes = seconds / 60, hours = minutes / 60,
			   days = hours / 24;

	if (minutes == 0)
		snprintf(buffer, size, "%llus", seconds);
	else if (hours == 0)
		snprintf(buffer, size, "%llumin", minutes);
	else if (days == 0)
		snprintf(buffer, size, "%lluh %llumin", hours, minutes % 60);
	else
		snprintf(buffer, size, "%llud %lluh", days, hours % 24);
	return buffer;
}

const char *stats_text(const struct stats *s, uint64_t up, char ret[static STATS_TEXT_MAX])
{
	char in[32], out[32], age[32], udp[96] = "", failed[64] = "";

	if (s->flows_total > 0)
		snprintf(udp, sizeof(udp), ", %llu UDP flow%s (%llu in all)", (unsigned long long)s->flows,
			 s->flows == 1 ? "" : "s", (unsigned long long)s->flows_total);
	if (s->connections_failed > 0)
		snprintf(failed, sizeof(failed), ", %llu refused by the container",
			 (unsigned long long)s->connections_failed);
	snprintf(ret, STATS_TEXT_MAX, "%s%llu connection%s (%llu in all%s)%s; %s in, %s out; up %s",
		 s->flags & STATS_FULL ? "Full, new connections wait: " : "", (unsigned long long)s->connections,
		 s->connections == 1 ? "" : "s", (unsigned long long)s->connections_total, failed, udp,
		 text_bytes(s->bytes_to_container, in, sizeof(in)),
		 text_bytes(s->bytes_from_container, out, sizeof(out)), format_age(up, age, sizeof(age)));
	return ret;
}

const char *stats_text_served(uint64_t n, char ret[static STATS_TEXT_MAX])
{
	snprintf(ret, STATS_TEXT_MAX, "%" PRIu64 " connection%s served", n, n == 1 ? " was" : "s were");
	return ret;
}

const char *stats_text_client(const struct stats *s, char ret[static STATS_CLIENT_MAX])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}, none[STATS_ADDRESS] = {0};

	ret[0] = '\0';
	if (s->woken_by == STATS_BY_LOCAL_CLIENT)
		snprintf(ret, STATS_CLIENT_MAX, "a client on a Unix socket");
	else if (s->woken_by != STATS_BY_CLIENT || memcmp(s->client, none, sizeof(none)) == 0)
		return ret;
	else if (memcmp(s->client, mapped, sizeof(mapped)) == 0)
		(void)inet_ntop(AF_INET, s->client + sizeof(mapped), ret, STATS_CLIENT_MAX);
	else
		(void)inet_ntop(AF_INET6, s->client, ret, STATS_CLIENT_MAX);
	return ret;
}
