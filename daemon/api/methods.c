/* Knows which methods there are, what they take and who may call them: one line of the table each, also what
 * docs/protocol.md is checked against. Refuses to know how they are answered. Called by rpc.c. */
#include <api/methods.h>

#include <string.h>

#define MOST(n) .kind = EG_PARAM_INT, .low = 1, .high = (n)
#define SITE                                                                                                 \
    {                                                                                                        \
        .name = "site", .kind = EG_PARAM_TEXT                                                                \
    }
#define DOMAIN                                                                                               \
    {                                                                                                        \
        .name = "domain", .kind = EG_PARAM_TEXT                                                              \
    }
#define DEVICE                                                                                               \
    {                                                                                                        \
        .name = "device", .kind = EG_PARAM_PATH                                                              \
    }
#define QUANTITY                                                                                             \
    {                                                                                                        \
        .name = "quantity", .kind = EG_PARAM_QUANTITY                                                        \
    }
#define CURSOR                                                                                               \
    {                                                                                                        \
        .name = "cursor", .kind = EG_PARAM_CURSOR                                                            \
    }
#define FROM_TO                                                                                              \
    {.name = "from", .kind = EG_PARAM_TIME},                                                                 \
    {                                                                                                        \
        .name = "to", .kind = EG_PARAM_TIME                                                                  \
    }
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

static const struct eg_param p_summary[] = {SITE, DOMAIN, {.name = "at", .kind = EG_PARAM_TIME}, END};
static const struct eg_param p_sites[] = {SITE, {.name = "level", .kind = EG_PARAM_TEXT}, END};
static const struct eg_param p_devices[] = {
    SITE,
    DOMAIN,
    DEVICE,
    {.name = "state", .kind = EG_PARAM_CHOICE, .choices = "reporting late suspect silent retired"},
    END};
static const struct eg_param p_retire[] = {SITE,
                                           DOMAIN,
                                           {.name = "device", .kind = EG_PARAM_PATH, .required = true},
                                           {.name = "note", .kind = EG_PARAM_NOTE},
                                           END};
static const struct eg_param p_rules[] = {
    SITE, DOMAIN, QUANTITY, {.name = "rule", .kind = EG_PARAM_TEXT}, END};
static const struct eg_param p_backtest[] = {
    {.name = "rule", .kind = EG_PARAM_NOTE, .required = true}, FROM_TO, END};
static const struct eg_param p_explain[] = {{.name = "rule", .kind = EG_PARAM_TEXT, .required = true},
                                            SITE,
                                            DEVICE,
                                            {.name = "limit", MOST(1000)},
                                            END};
static const struct eg_param p_parties[] = {
    {.name = "sector", .kind = EG_PARAM_CHOICE, .choices = "government market society"}, END};
static const struct eg_param p_quantities[] = {QUANTITY, END};
static const struct eg_param p_drivers[] = {{.name = "driver", .kind = EG_PARAM_TEXT}, END};
static const struct eg_param p_latest[] = {SITE, DOMAIN, DEVICE, QUANTITY, END};
static const struct eg_param p_history[] = {
    SITE,
    DOMAIN,
    DEVICE, /* not of an index */
    {.name = "quantity", .kind = EG_PARAM_QUANTITY, .required = true},
    {.name = "channel", .kind = EG_PARAM_CHANNEL},
    FROM_TO,
    {.name = "resolution", .kind = EG_PARAM_CHOICE, .choices = "raw hour day auto"},
    {.name = "limit", MOST(5000)},
    CURSOR,
    END};
static const struct eg_param p_series[] = {
    SITE,
    DOMAIN,
    {.name = "device", .kind = EG_PARAM_PATH, .required = true},
    {.name = "quantity", .kind = EG_PARAM_QUANTITY, .required = true},
    {.name = "channel", .kind = EG_PARAM_CHANNEL},
    FROM_TO,
    {.name = "statistics", .kind = EG_PARAM_LIST},
    {.name = "per", .kind = EG_PARAM_CHOICE, .choices = "hour day month year"},
    END};
static const struct eg_param p_indices[] = {
    SITE,
    DEVICE,
    {.name = "index",
     .kind = EG_PARAM_CHOICE,
     .choices = "aqi_cn aqi_us waste_pressure soil_class soil_nemerow soil_factor salinity_class"},
    FROM_TO,
    {.name = "resolution", .kind = EG_PARAM_CHOICE, .choices = "hour day"},
    {.name = "limit", MOST(5000)},
    CURSOR,
    END};
static const struct eg_param p_statistics[] = {SITE,
                                               DOMAIN,
                                               DEVICE,
                                               QUANTITY,
                                               {.name = "hours", MOST(EG_LASTDAY_HOURS)},
                                               {.name = "limit", MOST(10000)},
                                               CURSOR,
                                               END};
static const struct eg_param p_cases[] = {
    SITE,
    DOMAIN,
    {.name = "handling",
     .kind = EG_PARAM_CHOICE,
     .choices = "active open acknowledged assigned in_progress fixed closed rejected"},
    {.name = "condition", .kind = EG_PARAM_CHOICE, .choices = "breaching ok unknown"},
    {.name = "level", .kind = EG_PARAM_CHOICE, .choices = "notice warning critical"},
    {.name = "since", .kind = EG_PARAM_TIME},
    {.name = "limit", MOST(500)},
    CURSOR,
    END};
static const struct eg_param p_case[] = {{.name = "id", .kind = EG_PARAM_PATH, .required = true}, END};
static const struct eg_param p_verb[] = {
    {.name = "id", .kind = EG_PARAM_PATH, .required = true},
    {.name = "version", .kind = EG_PARAM_INT, .low = 0, .high = UINT32_MAX},
    {.name = "note", .kind = EG_PARAM_NOTE},
    {.name = "party", .kind = EG_PARAM_TEXT},
    {.name = "until", .kind = EG_PARAM_TIME},
    {.name = "reason", .kind = EG_PARAM_CHOICE, .choices = "false_alarm duplicate sensor other"},
    END};
static const struct eg_param p_report[] = {
    {.name = "site", .kind = EG_PARAM_TEXT, .required = true},
    {.name = "domain", .kind = EG_PARAM_TEXT, .required = true},
    {.name = "text", .kind = EG_PARAM_NOTE},
    QUANTITY,
    {.name = "value", .kind = EG_PARAM_NUMBER},
    {.name = "unit", .kind = EG_PARAM_TEXT},
    {.name = "reporter", .kind = EG_PARAM_TEXT},
    {.name = "device", .kind = EG_PARAM_TEXT},
    {.name = "time", .kind = EG_PARAM_TIME},
    {.name = "photo", .kind = EG_PARAM_NOTE},
    {.name = "case", .kind = EG_PARAM_PATH},
    {.name = "repair", .kind = EG_PARAM_CHOICE, .choices = "confirmed disputed"},
    {.name = "party", .kind = EG_PARAM_TEXT},
    END};
static const struct eg_param p_drill[] = {
    {.name = "rule", .kind = EG_PARAM_TEXT, .required = true},
    {.name = "site", .kind = EG_PARAM_TEXT, .required = true},
    {.name = "level", .kind = EG_PARAM_CHOICE, .choices = "notice warning critical"},
    {.name = "faster", MOST(EG_DRILL_FASTER_MOST)},
    END};
static const struct eg_param p_kpi[] = {
    SITE,
    DOMAIN,
    {.name = "mode", .kind = EG_PARAM_CHOICE, .choices = "collaborative gap_filling alternative"},
    {.name = "party", .kind = EG_PARAM_TEXT},
    FROM_TO,
    {.name = "by", .kind = EG_PARAM_CHOICE, .choices = "site domain mode party month"},
    END};
static const struct eg_param p_silence[] = {
    SITE,
    DOMAIN,
    DEVICE,
    QUANTITY,
    {.name = "rule", .kind = EG_PARAM_TEXT},
    {.name = "level", .kind = EG_PARAM_CHOICE, .choices = "notice warning critical"},
    {.name = "reason", .kind = EG_PARAM_NOTE, .required = true},
    {.name = "starts", .kind = EG_PARAM_TIME},
    {.name = "expires", .kind = EG_PARAM_TIME, .required = true},
    END};
static const struct eg_param p_silences[] = {
    {.name = "all", .kind = EG_PARAM_BOOL}, {.name = "limit", MOST(500)}, CURSOR, END};
static const struct eg_param p_unsilence[] = {{.name = "id", .kind = EG_PARAM_PATH, .required = true}, END};
static const struct eg_param p_quarantine[] = {{.name = "limit", MOST(200)}, CURSOR, END};
static const struct eg_param p_entry[] = {
    {.name = "id", .kind = EG_PARAM_INT, .required = true, .low = 1, .high = INT64_C(1) << 53}, END};
static const struct eg_param p_retry[] = {
    {.name = "id", .kind = EG_PARAM_INT, .low = 1, .high = INT64_C(1) << 53},
    {.name = "source", .kind = EG_PARAM_TEXT},
    {.name = "all", .kind = EG_PARAM_BOOL},
    CURSOR,
    END};
static const struct eg_param p_outbox[] = {
    {.name = "pending", .kind = EG_PARAM_BOOL}, {.name = "limit", MOST(200)}, CURSOR, END};
static const struct eg_param p_preview[] = {
    {.name = "id", .kind = EG_PARAM_PATH, .required = true}, {.name = "party", .kind = EG_PARAM_TEXT}, END};
static const struct eg_param p_trial[] = {{.name = "party", .kind = EG_PARAM_TEXT, .required = true}, END};
static const struct eg_param p_watch[] = {
    {.name = "topics", .kind = EG_PARAM_CHOICES, .choices = "cases readings status"},
    SITE,
    DOMAIN,
    DEVICE,
    QUANTITY,
    END};
static const struct eg_param p_export[] = {
    FROM_TO, SITE, DEVICE, QUANTITY, {.name = "format", .kind = EG_PARAM_CHOICE, .choices = "rows"}, END};

static const struct eg_param p_backup[] = {{.name = "file", .kind = EG_PARAM_NOTE, .required = true}, END};
static const struct eg_param p_import[] = {
    {.name = "rows", .kind = EG_PARAM_ROWS, .required = true, .high = EG_IMPORT_ROWS},
    DOMAIN,
    {.name = "first", .kind = EG_PARAM_INT, .low = 1, .high = INT64_C(1) << 53},
    END};

#define VERB(verb, text)                                                                                     \
    {                                                                                                        \
        .name = "cases." verb, .handler = eg_m_cases_verb, .writes = true, .help = text, .params = p_verb    \
    }

static const struct eg_method methods[] = {
    {"status", eg_m_status, false, false,
     "How the daemon, its broker link, its store and its counters stand.", NULL},
    {"summary", eg_m_summary, false, false,
     "Sites and domains at a glance: devices, latest values, hour, day, cases.", p_summary},
    {"sites.list", eg_m_lists_sites, false, false, "The governance tree.", p_sites},
    {"devices.list", eg_m_lists_devices, false, false, "Devices, when they were last heard, whether silent.",
     p_devices},
    {"devices.retire", eg_m_devices_retire, true, false, "Takes a device out of service: nobody misses it.",
     p_retire},
    {"devices.restore", eg_m_devices_restore, true, false, "Takes a device back into service.", p_retire},
    {"rules.list", eg_m_rules_list, false, false, "Rules with their levels, basis and action.", p_rules},
    {"rules.backtest", eg_m_backtest, false, false,
     "The cases that a rule's text would have opened with the readings of the past.", p_backtest},
    {"rules.explain", eg_m_explain, false, false,
     "What a rule sees at its series now, and how far each is from opening or ending a case.", p_explain},
    {"parties.list", eg_m_lists_parties, false, false, "Who handles cases.", p_parties},
    {"quantities.list", eg_m_lists_quantities, false, false, "The dictionary of what is measured.",
     p_quantities},
    {"drivers.list", eg_m_lists_drivers, false, false,
     "Payload formats that are understood, their options, messages by verdict.", p_drivers},
    {"sources.list", eg_m_lists_sources, false, false, "Topic templates, their drivers, messages by verdict.",
     NULL},
    {"readings.latest", eg_m_readings_latest, false, false, "The newest reading of every series.", p_latest},
    {"readings.history", eg_m_history, false, false, "A series over time: raw, by hour or by day.",
     p_history},
    {"series.statistics", eg_m_series, false, false,
     "Statistics of a series over any span: as a whole, by hour, day or month.", p_series},
    {"indices.history", eg_m_indices_history, false, false,
     "An index of a place or a device (air, soil, waste) over time, by hour or by day.", p_indices},
    {"readings.statistics", eg_m_statistics, false, false,
     "What every series came to in the last hours: mean, least, most.", p_statistics},
    {"cases.list", eg_m_cases_list, false, false, "Cases, newest first.", p_cases},
    {"cases.show", eg_m_cases_show, false, false, "One case with its whole history.", p_case},
    VERB("acknowledge", "Somebody has seen the case."),
    VERB("assign", "Gives the case to a party."),
    VERB("start", "Work on the spot has begun."),
    VERB("fix", "The cause is said to be gone."),
    VERB("verify", "Somebody has looked: it is gone."),
    VERB("close", "Closes the case."),
    VERB("reject", "The case is none."),
    VERB("reopen", "A closed or rejected case lives again."),
    {"reports.submit", eg_m_report, true, false,
     "What a person saw or measured: opens a case, or joins the one that is there.", p_report},
    {"cases.drill", eg_m_cases_drill, true, false, "Opens a marked exercise case, kept out of the figures.",
     p_drill},
    {"cases.kpi", eg_m_kpi, false, false, "Figures of governance: how soon, on time, how often again.",
     p_kpi},
    VERB("comment", "A note in the history; changes nothing else."),
    {"silences.add", eg_m_silences_add, true, false, "Nobody is told of certain cases for a while.",
     p_silence},
    {"silences.list", eg_m_silences_list, false, false, "Silences, newest first.", p_silences},
    {"silences.remove", eg_m_silences_remove, true, false, "Ends a silence now.", p_unsilence},
    {"quarantine.list", eg_m_quarantine_list, false, false, "Payloads that could not be read, newest first.",
     p_quarantine},
    {"quarantine.show", eg_m_quarantine_show, false, false, "One of them with its whole stored payload.",
     p_entry},
    {"quarantine.retry", eg_m_quarantine_retry, true, false,
     "Reads them once more, under the configuration of now, and stores what they hold.", p_retry},
    {"outbox.list", eg_m_outbox_list, false, false, "Notifications: waiting, delivered, failed.", p_outbox},
    {"notify.preview", eg_m_notify_preview, false, false, "What parties would be told of a case.", p_preview},
    {"notify.test", eg_m_notify_test, true, false, "A trial message by each of a party's channels.", p_trial},
    {"watch", eg_m_watch, false, true, "From now on, tell of cases, readings, status as they happen.",
     p_watch},
    {"readings.import", eg_m_import, true, false, "Takes rows of an export back, as history.", p_import},
    {"export", eg_m_export, false, true, "All readings that match, streamed.", p_export},
    {"clock.trust", eg_m_clock_trust, true, false,
     "The gateway's clock is right, says who has set it: what was dated in doubt is dated anew.", NULL},
    {"reload", eg_m_reload, true, false,
     "Reads the configuration again, as SIGHUP does: takes over all of it or nothing.", NULL},
    {"store.backup", eg_m_backup, true, false,
     "Copies the store to a file on the gateway, and checks the copy.", p_backup},
};

const struct eg_method *eg_methods_at(size_t index)
{
    return index < sizeof methods / sizeof *methods ? &methods[index] : NULL;
}

const struct eg_method *eg_methods_find(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}
