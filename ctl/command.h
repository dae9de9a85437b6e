/* One command = one row of the table in commands.c. */
#ifndef EG_CTL_COMMAND_H
#define EG_CTL_COMMAND_H
#include "session.h"

struct command {
    const char *words; /* "case show" */
    const char *
        method; /* the call; NULL: `run` needs no daemon, its session is not open, "words" is all that was given */
    const char *
        positional; /* names of parameters given by place, blank-separated; a leading '*' means may be left out */
    const char *options; /* names of parameters given as --name VALUE, blank-separated */
    const char *help, *help_zh;
    /* Writes the result for people. */
    void (*show)(const struct session *session, const cJSON *result);
    /* Instead of one call and one answer; an EXIT_ code. Takes `params` apart as it likes. */
    int (*run)(struct session *session, cJSON *params);
};
extern const struct command commands[];
extern const size_t command_count;

/* An option that takes no value. */
bool argument_is_bare(const char *name, size_t length);
/* Reads what stands behind the command's words. EXIT_USAGE with a sentence on stderr, or EXIT_DONE and *ret_params (Given). */
int arguments_parse(const struct command *command, int argc, char **argv, cJSON **ret_params);

void show_status(const struct session *session, const cJSON *result);
void show_doubted_clock(const cJSON *clock); /* nothing, while it is trusted */
void show_summary(const struct session *session, const cJSON *result);
void show_sites(const struct session *session, const cJSON *result);
void show_devices(const struct session *session, const cJSON *result);
void show_explain(const struct session *session, const cJSON *result);
void show_rules(const struct session *session, const cJSON *result);
void show_quantities(const struct session *session, const cJSON *result);
void show_drivers(const struct session *session, const cJSON *result);
void show_sources(const struct session *session, const cJSON *result);
void show_parties(const struct session *session, const cJSON *result);
void show_latest(const struct session *session, const cJSON *result);
void show_statistics(const struct session *session, const cJSON *result);
void show_series(const struct session *session, const cJSON *result);
void show_history(const struct session *session, const cJSON *result);
void show_indices(const struct session *session, const cJSON *result);
void show_cases(const struct session *session, const cJSON *result);
void show_evidence(const cJSON *row); /* of a case */
void show_case(const struct session *session, const cJSON *result);
void show_report(const struct session *session, const cJSON *result);
void show_kpi(const struct session *session, const cJSON *result);
void show_drill(const struct session *session, const cJSON *result);
void show_verb(const struct session *session, const cJSON *result);
void show_retired(const struct session *session, const cJSON *row);
void show_silences(const struct session *session, const cJSON *result);
void show_silence(const struct session *session, const cJSON *row);
void show_clock(const struct session *session, const cJSON *result);
void show_reload(const struct session *session, const cJSON *result);
void show_quarantine(const struct session *session, const cJSON *result);
void show_preview(const struct session *session, const cJSON *result);
void show_trial(const struct session *session, const cJSON *result);
void show_outbox(const struct session *session, const cJSON *result);
int run_presets(struct session *session, cJSON *params);
int run_quarantine(struct session *session, cJSON *params);
int run_quarantine_try(struct session *session, cJSON *params);
int run_quarantine_retry(struct session *session, cJSON *params);
int run_watch(struct session *session, cJSON *params);
int run_backup(struct session *session, cJSON *params);
int run_top(struct session *session, cJSON *params);
int run_doctor(struct session *session, cJSON *params);
int run_backtest(struct session *session, cJSON *params);
int run_import(struct session *session, cJSON *params);
int run_export_indices(struct session *session, cJSON *params, bool csv); /* run_indices.c */
void export_text(const char *text);                                       /* a cell of CSV; run_export.c */
int run_export(struct session *session, cJSON *params);
int run_try(struct session *session, cJSON *params);
int run_index(struct session *session, cJSON *params);

/* "There is more": prints how to ask for the next page, when there is one. */
void show_next(const cJSON *result);
#endif
