/* A case's row is what its history makes of it, or --verify says which member is not: each member that can be proved, forged. */
#include "day.h"

/* By hand, since no day brings all of it: what became of a case, and its row. */
static void write_case(struct house *house)
{
    static const struct eg_case_event events[] = {
        {.kind = "opened", .to = "warning", .value = 80},
        {.kind = "level", .from = "warning", .to = "critical", .value = 160},
        {.kind = "condition", .from = "breaching", .to = "unknown", .value = (double)NAN},
        {.kind = "missed", .to = "fix", .value = (double)NAN},
        {.kind = "took_over", .to = "committee", .party = "committee", .value = (double)NAN},
        {.kind = "escalated", .from = "shangtian", .to = "linan", .value = (double)NAN},
        {.kind = "linked", .to = "linan-20261123-abcd-2", .value = (double)NAN},
        {.kind = "rule_changed", .to = "00000000000000ff", .value = (double)NAN},
        {.kind = "assigned", .actor = "li", .from = "open", .to = "firm", .value = (double)NAN},
        {.kind = "fixed",
         .actor = "hu",
         .from = "assigned",
         .to = "fixed",
         .party = "firm",
         .value = (double)NAN},
    };
    enum { EVENTS = sizeof events / sizeof *events };
    struct eg_case *row = EG_BATCH_ADD(&house->batch, cases);
    *row = (struct eg_case){.number = 1,
                            .id = "shangtian-20261123-abcd-1",
                            .site = "shangtian",
                            .domain = "air",
                            .rule = "r",
                            .quantity = EG_QUANTITY_COUNT,
                            .rule_version = 255,
                            .level = EG_LEVEL_CRITICAL,
                            .condition = EG_CONDITION_UNKNOWN,
                            .handling = EG_FIXED,
                            .opened_ms = NOW,
                            .detected_ms = NOW + 1,
                            .began_ms = NOW + 1,
                            .closed_ms = EG_TIME_NONE,
                            .due_ms = NOW + 99,
                            .until_ms = EG_TIME_NONE,
                            .within_since_ms = EG_TIME_NONE,
                            .fix_missed_ms = NOW + 3,
                            .last_ms = NOW,
                            .peak_ms = NOW,
                            .lead = "committee",
                            .assignee = "firm",
                            .fixer = "hu",
                            .repairer = "firm",
                            .escalation = 1,
                            .handed_on = true,
                            .parent = 2,
                            .version = EVENTS};
    for (size_t i = 0; i < EVENTS; i++) {
        struct eg_case_event *event = EG_BATCH_ADD(&house->batch, case_events);
        *event = events[i];
        event->case_number = 1;
        event->version = (uint32_t)i + 1;
        event->at_ms = NOW + (int64_t)i;
        event->known_ms = event->at_ms + (i == 0);
        event->actor = events[i].actor ? events[i].actor : "ecogovd";
        event->from = events[i].from ? events[i].from : "";
        event->to = events[i].to ? events[i].to : "";
        event->party = events[i].party ? events[i].party : "";
        event->note = "";
    }
    row = EG_BATCH_ADD(&house->batch, cases);
    *row = (struct eg_case){.number = 2,
                            .id = "linan-20261123-abcd-2",
                            .site = "linan",
                            .domain = "air",
                            .rule = "r",
                            .quantity = EG_QUANTITY_COUNT,
                            .kind = EG_CASE_REGIONAL,
                            .level = EG_LEVEL_NOTICE,
                            .handling = EG_CLOSED,
                            .opened_ms = NOW,
                            .detected_ms = NOW,
                            .began_ms = NOW,
                            .closed_ms = NOW + 7,
                            .due_ms = EG_TIME_NONE,
                            .until_ms = EG_TIME_NONE,
                            .within_since_ms = EG_TIME_NONE,
                            .fix_missed_ms = EG_TIME_NONE,
                            .last_ms = NOW,
                            .peak_ms = NOW,
                            .version = 2};
    for (uint32_t i = 0; i < 2; i++) {
        struct eg_case_event *event = EG_BATCH_ADD(&house->batch, case_events);
        *event = (struct eg_case_event){.case_number = 2,
                                        .version = i + 1,
                                        .at_ms = NOW + 7 * i,
                                        .known_ms = NOW + 7 * i,
                                        .kind = i ? "closed" : "opened",
                                        .actor = "ecogovd",
                                        .from = i ? "open" : "",
                                        .to = i ? "closed" : "notice",
                                        .note = "",
                                        .party = "",
                                        .value = i ? (double)NAN : 80};
    }
}

static void forged(struct house *house, const char *forgery, const char *finding)
{
    struct eg_buf findings;
    char kept[160], *why = NULL;
    sqlite3 *db = NULL;
    snprintf(kept, sizeof kept, "%s.kept", house->path);
    house_copy_file(house->path, kept);
    assert_int_equal(sqlite3_open(house->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, forgery, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", forgery, why);
    sqlite3_close(db);
    eg_buf_init(&findings, 65536);
    assert_int_equal(eg_store_verify(house->path, &findings, &house->err), EG_OK);
    if (finding ? !findings.length || !strstr(findings.data, finding) : findings.length > 0)
        fail_msg("after '%s' not '%s' but: %s", forgery, finding ? finding : "nothing",
                 findings.length ? findings.data : "nothing");
    eg_buf_finish(&findings);
    rename(kept, house->path);
}

static void each_member_is_proved(void **unused)
{
    static const struct {
        const char *change;
        uint32_t number;
        const char *finding;
    } forgeries[] = {
        {"handling=5", 1, "case 1: its handling is 'fixed' by its history, and 'closed' in its row"},
        {"level=1", 1, "case 1: its level is 'critical' by its history, and 'notice' in its row"},
        {"condition=1", 1, "case 1: its condition is 'unknown' by its history, and 'ok' in its row"},
        {"condition=1", 2, "case 2: its condition is 'breaching' by its history, and 'ok' in its row"},
        {"opened_at=opened_at+1", 1,
         "its opening is '2026-11-23T03:00:00.000Z' by its history, and '2026-11-23T03:00:00.001Z'"},
        {"detected_at=detected_at-1", 1, "its detection is "},
        {"began_at=began_at-1", 1, "its time since when it waits for people is "},
        {"closed_at=5", 1, "its end is 'never' by its history"},
        {"closed_at=closed_at-5", 2, "its end is "},
        {"closed_at=NULL", 2, "and 'never' in its row"},
        {"lead='firm'", 1, "its lead is 'committee' by its history, and 'firm' in its row"},
        {"assignee=''", 1, "its assignee is 'firm' by its history, and '' in its row"},
        {"fixer='li'", 1, "its fixer is 'hu' by its history, and 'li' in its row"},
        {"repairer='committee'", 1, "its repairer is 'firm' by its history, and 'committee' in its row"},
        {"escalation=0", 1, "its escalation is '1' by its history, and '0' in its row"},
        {"reopened=5", 1, "its count of reopenings is '0' by its history, and '5' in its row"},
        {"handed_on=0", 1, "its mark handed on is '1' by its history, and '0' in its row"},
        {"missed=1", 1, "its count of missed deadlines is '0' by its history, and '1' in its row"},
        {"overdue=1", 1, "its mark overdue is '0' by its history, and '1' in its row"},
        {"fix_missed_at=NULL", 1, "its last missed deadline to fix is "},
        {"until_at=77", 1, "its end of the acknowledgement is 'never' by its history"},
        {"due_at=77", 2, "its deadline is 'never' by its history"},
        {"rule_version=1", 1,
         "its version of the rule is '00000000000000ff' by its history, and '0000000000000001' in its row"},
        {"parent=0", 1, "its regional case is 'linan-20261123-abcd-2' by its history, and '' in its row"},
        {"kind=4", 1, "case 1: its row says 'drill', and its history was not begun like that"},
        {"kind=5", 2, "case 2: its row says 'device', and its history was not begun like that"},
        {"site='linan'", 1, "it is called 'shangtian-20261123-abcd-1', and is one of site 'linan'"},
        {"id='shangtian-20261123-abcd-7'", 1, "it is called 'shangtian-20261123-abcd-7'"},
    };
    (void)unused;
    struct house house;
    house_start(&house);
    write_case(&house);
    house_commits(&house);
    house_leave(&house);
    house_verify(&house, "as it was written");
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "UPDATE cases SET %s WHERE number=%u", forgeries[i].change,
                 forgeries[i].number);
        forged(&house, sql, forgeries[i].finding);
    }
    house_raze(&house);
}

static void a_series_says_where_its_case_is(void **unused)
{
    static const char *const forgeries[][2] = {
        {"UPDATE cases SET device='a2' WHERE number=1",
         "case 1: its device is 'a1' by its series, and 'a2' in its row"},
        {"UPDATE cases SET domain='waste' WHERE number=1", "its domain is 'air' by its series"},
        {"UPDATE cases SET quantity='pm10' WHERE number=1", "its quantity is 'pm25' by its series"},
        /* from before the rows were kept so; from before a salvage */
        {"UPDATE meta SET value=9999 WHERE key='told_since'; UPDATE cases SET fixer='x', began_at=1 WHERE "
         "number=1",
         NULL},
        {"UPDATE meta SET value=9999 WHERE key='told_since'; UPDATE cases SET level=0 WHERE number=1",
         "its level is "},
        {"INSERT INTO meta VALUES('believed_to',9999); UPDATE cases SET level=0 WHERE number=1", NULL},
    };
    (void)unused;
    struct house house;
    house_start(&house);
    for (int turn = 0; turn < DAY_TURNS; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    house_leave(&house);
    house_verify(&house, "a day");
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++)
        forged(&house, forgeries[i][0], forgeries[i][1]);
    house_raze(&house);
}

static void evidence_is_counted(void **unused)
{
    (void)unused;
    struct house house;
    house_start(&house);
    day_turn(&house, 0);
    write_case(&house);
    for (uint32_t series = 1; series <= 2; series++) {
        struct eg_row_evidence *row = EG_BATCH_ADD(&house.batch, evidence);
        *row = (struct eg_row_evidence){1, series, EG_EVIDENCE_ASKED, NOW};
        row = EG_BATCH_ADD(&house.batch, evidence); /* the same, from earlier on */
        *row = (struct eg_row_evidence){1, series, EG_EVIDENCE_ASKED, NOW - 1};
    }
    house_commits(&house);
    assert_int_not_equal(sqlite3_exec(house.store->db, "DELETE FROM evidence", NULL, NULL, NULL), SQLITE_OK);
    house_leave(&house);
    forged(&house,
           "DROP TRIGGER evidence_remains; DELETE FROM evidence WHERE id=(SELECT max(id) FROM evidence)",
           "1 entries say what cases stand on, and 2 were written");
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_is_proved),
        cmocka_unit_test(a_series_says_where_its_case_is),
        cmocka_unit_test(evidence_is_counted),
    };
    return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
