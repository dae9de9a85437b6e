/* One line per entry on stderr. The threshold is the one thing a process has one of. Called by turn, edges and main only. */
#include <base/log.h>
#include <base/clock.h>
#include <ecogov/time.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ENTRY_MAX 2048

static enum eg_log_level most_wanted = EG_LOG_INFO;

void eg_log_init(enum eg_log_level most)
{
    most_wanted = most;
}

static const char *name_of(enum eg_log_level level)
{
    switch (level) {
    case EG_LOG_ERROR:
        return "error";
    case EG_LOG_WARNING:
        return "warning";
    case EG_LOG_INFO:
        return "info";
    case EG_LOG_DEBUG:
        break;
    }
    return "debug";
}

/* Entries quote what came from outside: nothing in them may move a terminal's cursor or start a new line. */
static void tame(const char *text, char out[4 * ENTRY_MAX])
{
    size_t used = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            used += (size_t)snprintf(out + used, 5, "\\x%02x", c);
        else
            out[used++] = *text;
    }
    out[used] = '\0';
}

void eg_log(enum eg_log_level level, const char *format, ...)
{
    if (level > most_wanted)
        return;
    char entry[ENTRY_MAX], tamed[4 * ENTRY_MAX], now[EG_TIME_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(entry, sizeof entry, format, args);
    va_end(args);
    tame(entry, tamed);
    if (getenv("JOURNAL_STREAM"))
        fprintf(stderr, "<%d>%s\n", (int)level, tamed);
    else
        fprintf(stderr, "%s %-7s %s\n", eg_time_format(eg_clock_now_ms(), now), name_of(level), tamed);
}
