/* Knows `doctor`: what somebody without a training would want looked at, each with what to do about it. Asks the daemon what others ask,
 * too, and looks at the disk and the configuration file of this machine. Refuses to change anything. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <base/buf.h>
#include <conf/conf.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NAMES_SHOWN 5
#define DISK_LEAST_BYTES 64e6
#define YEARS_LEAST 2
#define QUARANTINE_SHARE 0.01
#define LOSS_SHARE 0.2
#define BATTERY_DAYS 14

enum verdict { WELL, MIND, ILL };
struct doctor {
    struct session *session;
    cJSON *findings; /* as --json prints them */
    enum verdict worst;
};

/* `what` is a sentence in the reader's language already; `advice` a word of words.def, or NULL. */
static void find(struct doctor *doctor, enum verdict verdict, const char *about, const char *advice,
                 const char *what, ...) __attribute__((format(printf, 5, 6)));
static void find(struct doctor *doctor, enum verdict verdict, const char *about, const char *advice,
                 const char *what, ...)
{
    static const char *const names[] = {"ok", "warning", "critical"};
    char text[1024];
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(text, sizeof text, what, arguments);
    va_end(arguments);
    if (verdict > doctor->worst)
        doctor->worst = verdict;
    cJSON *finding = cJSON_CreateObject();
    cJSON_AddStringToObject(finding, "about", about);
    cJSON_AddStringToObject(finding, "verdict", names[verdict]);
    cJSON_AddStringToObject(finding, "text", text);
    if (advice)
        cJSON_AddStringToObject(finding, "advice", word(advice));
    cJSON_AddItemToArray(doctor->findings, finding);
}

/* The call's result, or NULL; the answer is let go by the caller. */
static const cJSON *ask(struct doctor *doctor, const char *method, const cJSON *params,
                        struct answer *ret_answer)
{
    *ret_answer = (struct answer){0};
    if (session_send(doctor->session, method, params) != EXIT_DONE ||
        session_next(doctor->session, PATIENCE_MS, ret_answer) != EXIT_DONE)
        return NULL;
    return ret_answer->result;
}

/* --- the daemon --- */

static void look_at_version(struct doctor *doctor, const cJSON *status)
{
    const char *version = text_of(status, "version");
    if (version && strcmp(version, ECOGOV_VERSION) != 0)
        find(doctor, MIND, "version", "Restart the daemon: systemctl restart ecogovd",
             word("the daemon is version %s, this program %s"), version, ECOGOV_VERSION);
    else
        find(doctor, WELL, "version", NULL, word("ecogovd %s answers"), version ? version : "-");
}

static void look_at_broker(struct doctor *doctor, const cJSON *status)
{
    const cJSON *link = item_of(status, "broker");
    const char *host = text_of(link, "host");
    if (cJSON_IsTrue(item_of(link, "connected")))
        find(doctor, WELL, "broker", NULL, word("connected to the broker %s:%.0f"), host ? host : "-",
             number_of(link, "port"));
    else
        find(doctor, ILL, "broker", "Is the broker running (systemctl status mosquitto), is mqtt.host right?",
             word("not connected to the broker %s:%.0f: no reading comes in"), host ? host : "-",
             number_of(link, "port"));
}

static void look_at_clock(struct doctor *doctor, const cJSON *status)
{
    const cJSON *clock = item_of(status, "clock");
    char since[PAGE_TEXT];
    if (cJSON_IsFalse(item_of(clock, "trusted")))
        find(doctor, ILL, "clock",
             "Connect the network so that NTP sets the clock, or set it (timedatectl set-time) and say: "
             "ecogovctl clock trust",
             word("the gateway's clock is in doubt since %s: readings are dated by guess, deadlines wait"),
             page_time(text_of(clock, "doubted_since"), since));
}

static void look_at_faults(struct doctor *doctor, const cJSON *status)
{
    const cJSON *fault;
    cJSON_ArrayForEach(fault, item_of(status, "faults"))
    {
        const char *key = text_of(fault, "key"), *text = text_of(fault, "text");
        if (key && strcmp(key, "mqtt") != 0 && strcmp(key, "clock") != 0) /* they have lines of their own */
            find(doctor, ILL, key, NULL, "%s", text ? text : "-");
    }
}

static void look_at_messages(struct doctor *doctor, const cJSON *status)
{
    const cJSON *messages = item_of(status, "messages");
    double received = number_of(messages, "received"), refused = number_of(messages, "quarantined");
    char some[PAGE_TEXT], all[PAGE_TEXT];
    page_count(refused, some);
    page_count(received, all);
    if (received == 0)
        find(doctor, MIND, "messages", "Do the devices publish, and do the topics of sources: fit theirs?",
             "%s", word("no message has ever come in"));
    else if (refused > received * QUARANTINE_SHARE)
        find(doctor, MIND, "messages", "Look at: ecogovctl quarantine",
             word("%s of %s messages could not be read"), some, all);
    else
        find(doctor, WELL, "messages", NULL, word("%s of %s messages could not be read"), some, all);
}

/* --- this machine --- */

static void look_at_configuration(struct doctor *doctor, const cJSON *status)
{
    const char *path = text_of(status, "config");
    struct eg_buf faults;
    if (!path || access(path, R_OK) != 0)
        return; /* not ours to read */
    eg_buf_init(&faults, (size_t)64 * 1024);
    struct eg_conf *conf = eg_conf_load(path, &faults);
    if (conf)
        find(doctor, WELL, "configuration", NULL, word("%s has no fault"), path);
    else
        find(doctor, ILL, "configuration", "The next start would fail. See all: ecogovd --check", "%.*s",
             (int)strcspn(faults.data ? faults.data : "", "\n"), faults.data ? faults.data : path);
    eg_conf_destroy(conf);
    eg_buf_finish(&faults);
}

static void look_at_disk(struct doctor *doctor, const cJSON *status)
{
    const cJSON *store = item_of(status, "store"), *card = item_of(store, "card");
    const char *path = text_of(store, "path");
    double years = number_of(card, "years_left");
    struct statvfs disk;
    char text[PAGE_TEXT];
    if (path && statvfs(path, &disk) == 0) {
        double left = (double)disk.f_bavail * (double)disk.f_frsize;
        bool little = left < DISK_LEAST_BYTES;
        find(doctor, little ? MIND : WELL, "disk",
             little ? "Free some space, or lower store.max_size or store.retain_raw." : NULL,
             word("%s are free where the database lies"), page_bytes(left, text));
    }
    if (isfinite(years) && years < YEARS_LEAST)
        find(doctor, MIND, "card", "Raise store.commit_interval, or plan for a new card.",
             word("at this rate the card lasts %.1f years"), years);
}

/* --- the village --- */

struct names {
    size_t count;
    char text[256];
};

static void add_name(struct names *names, const cJSON *row)
{
    const char *site = text_of(row, "site"), *device = text_of(row, "device");
    size_t used = strlen(names->text);
    if (names->count++ < NAMES_SHOWN)
        snprintf(names->text + used, sizeof names->text - used, "%s%s/%s", used ? ", " : "",
                 site ? site : "-", device ? device : "-");
    else if (names->count == NAMES_SHOWN + 1)
        snprintf(names->text + used, sizeof names->text - used, " …");
}

static void tell_names(struct doctor *doctor, const struct names *names, const char *about, const char *what,
                       const char *advice)
{
    if (names->count)
        find(doctor, MIND, about, advice, "%zu %s: %s", names->count, word(what), names->text);
}

static void look_at_devices(struct doctor *doctor)
{
    struct answer answer;
    struct names silent = {0}, suspect = {0}, empty = {0}, lossy = {0}, due = {0}, undead = {0};
    const cJSON *row, *devices = ask(doctor, "devices.list", NULL, &answer);
    cJSON_ArrayForEach(row, devices)
    {
        const char *state = text_of(row, "state");
        double days = number_of(item_of(row, "battery"), "days_left");
        if (state && !strcmp(state, "silent"))
            add_name(&silent, row);
        if (state && !strcmp(state, "suspect"))
            add_name(&suspect, row);
        if (isfinite(days) && days < BATTERY_DAYS)
            add_name(&empty, row);
        if (number_of(row, "loss_rate") > LOSS_SHARE)
            add_name(&lossy, row);
        if (cJSON_IsTrue(item_of(item_of(row, "calibration_due"), "overdue")) &&
            !(state && !strcmp(state, "retired")))
            add_name(&due, row);
        if (text_of(item_of(row, "retired"), "heard"))
            add_name(&undead, row);
    }
    tell_names(doctor, &silent, "devices", "silent", "Look at their power, radio and aerial.");
    tell_names(doctor, &suspect, "devices", "in doubt",
               "Look at the sensor: clean it, calibrate it, exchange it.");
    tell_names(doctor, &due, "devices", "with a calibration that is due",
               "Calibrate them, and write the new date into their calibration.");
    tell_names(doctor, &undead, "devices", "retired, and heard all the same",
               "Take them back into service (ecogovctl device restore), or switch them off.");
    tell_names(doctor, &empty, "devices", "with a battery for less than two weeks",
               "Exchange the batteries.");
    tell_names(doctor, &lossy, "devices", "losing more than every fifth message",
               "Move them or the gateway's aerial.");
    if (cJSON_GetArraySize(devices) && !silent.count && !suspect.count)
        find(doctor, WELL, "devices", NULL, word("all %d devices report"), cJSON_GetArraySize(devices));
    answer_finish(&answer);
}

static void look_at_cases(struct doctor *doctor)
{
    struct answer answer;
    cJSON *params = cJSON_CreateObject();
    cJSON_AddStringToObject(params, "handling", "active");
    cJSON_AddNumberToObject(params, "limit", 200);
    const cJSON *row, *result = ask(doctor, "cases.list", params, &answer);
    size_t overdue = 0, orphans = 0;
    cJSON_ArrayForEach(row, item_of(result, "cases"))
    {
        const char *due = text_of(row, "due_at"), *lead = text_of(row, "lead");
        int64_t due_ms;
        overdue += due && eg_time_parse(due, strlen(due), &due_ms) && due_ms < doctor->session->now_ms;
        orphans += !lead || !*lead;
    }
    if (overdue)
        find(doctor, MIND, "cases", "See: ecogovctl cases", word("overdue cases: %zu"), overdue);
    if (orphans)
        find(doctor, MIND, "cases", "Name parties at their sites (sites: … parties:).",
             word("cases that nobody leads: %zu"), orphans);
    if (result && !overdue && !orphans)
        find(doctor, WELL, "cases", NULL, "%s", word("no case is overdue"));
    cJSON_Delete(params);
    answer_finish(&answer);
}

static void look_at_messages_to_parties(struct doctor *doctor, const cJSON *status)
{
    const cJSON *outbox = item_of(status, "outbox");
    double unreachable = number_of(outbox, "unreachable"), failing = number_of(outbox, "failing");
    struct answer answer;
    const cJSON *parties = ask(doctor, "parties.list", NULL, &answer);
    if (parties && cJSON_GetArraySize(parties) == 0)
        find(doctor, MIND, "parties", "Describe who is to be told under parties:.", "%s",
             word("no party is known: nobody is told of a case"));
    answer_finish(&answer);
    if (unreachable > 0 || failing > 0)
        find(doctor, MIND, "outbox", "See: ecogovctl outbox",
             word("%.0f messages to parties fail, %.0f were given up"), failing, unreachable);
}

/* --- all of it --- */

static void print(const struct doctor *doctor)
{
    static const char *const marks[] = {"✓", "!", "✗"};
    static const enum tone tones[] = {GOOD, MILD, BAD};
    const cJSON *finding;
    cJSON_ArrayForEach(finding, doctor->findings)
    {
        const char *verdict = text_of(finding, "verdict"), *advice = text_of(finding, "advice");
        size_t at = !strcmp(verdict, "ok") ? WELL : !strcmp(verdict, "warning") ? MIND : ILL;
        page_put(tones[at], marks[at]);
        putchar(' ');
        page_put(PLAIN, text_of(finding, "text"));
        putchar('\n');
        if (advice) {
            fputs("  → ", stdout);
            page_put(DIM, advice);
            putchar('\n');
        }
    }
}

static int conclude(struct doctor *doctor)
{
    if (doctor->session->json) {
        cJSON *root = cJSON_CreateObject();
        cJSON_AddItemReferenceToObject(root, "findings", doctor->findings);
        char *text = cJSON_PrintUnformatted(root);
        puts(text ? text : "{}");
        free(text);
        cJSON_Delete(root);
    } else {
        print(doctor);
    }
    cJSON_Delete(doctor->findings);
    return doctor->worst == ILL ? EXIT_REFUSED : EXIT_DONE;
}

int run_doctor(struct session *session, cJSON *params)
{
    struct doctor doctor = {.session = session, .findings = cJSON_CreateArray()};
    struct answer answer;
    (void)params;
    const cJSON *status = ask(&doctor, "status", NULL, &answer);
    if (!status) {
        cJSON_Delete(doctor.findings);
        return EXIT_UNREACHABLE;
    }
    const char *now = text_of(status, "now");
    if (!session->now_ms && now) /* --json asked for nothing yet */
        eg_time_parse(now, strlen(now), &session->now_ms);
    look_at_version(&doctor, status);
    look_at_configuration(&doctor, status);
    look_at_clock(&doctor, status);
    look_at_broker(&doctor, status);
    look_at_faults(&doctor, status);
    look_at_messages(&doctor, status);
    look_at_disk(&doctor, status);
    look_at_devices(&doctor);
    look_at_cases(&doctor);
    look_at_messages_to_parties(&doctor, status);
    answer_finish(&answer);
    return conclude(&doctor);
}
